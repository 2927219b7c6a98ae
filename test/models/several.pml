/*
 * several.pml: several begins of one thread at once, sections with several ranges, entries that are used again.
 *
 * Thread 0 has two invalidators, which are two asynchronous calls of one thread: begin 0 takes two ranges, begin 1 the first of
 * them. Every range takes an entry of the table, of which there are E. Thread 1 has a subscriber with a mirror of each range. It is
 * told of every begin that it replays and answers at once or in a later turn, in any order (Answers). One acknowledgement word an
 * entry; a section is acknowledged in the word of its last entry, by its generation. A begin may be given up wherever it waits.
 * Thread 0 has one bell and one listener, for all of its begins that wait.
 *
 * Checked: (1) while a section is inside, no mirror of any of its ranges is there, and no commit over them is under way;
 *          (2) nobody is wedged: no invalid end state.
 * Faults (-DFAULT=n), each must be caught:
 *   1 the ack word says "answered", without a generation; the begin clears it     2 one ack word a thread, the newest answer
 *   3 an ack word may go back     4 acknowledged when the first of its ranges has been dropped
 *   5 the entries of a section are taken one by one     6 an end frees the last entry only
 *   7 the listener wakes one begin only     8 the listener sleeps before it looks
 *   9 the gen of a section is a number of its entry's use (1, 2, …) and starts anew when another takes the entry
 */
#ifndef FAULT
#define FAULT 0
#endif
#ifndef E
#define E 3
#endif
#ifndef ROUNDS0
#define ROUNDS0 1       /* of begin 0 */
#endif
#ifndef ROUNDS1
#define ROUNDS1 2       /* of begin 1 */
#endif
#ifndef FILLS
#define FILLS 1
#endif
#ifndef GIVEUPS
#define GIVEUPS 1
#endif
#define S (ROUNDS0 + ROUNDS1)
#define IS_END 8
#ifndef PAIRS
#define PAIRS 0         /* 1: begin 1 takes both ranges, too */
#endif
#define TWO(p) ((p) == 0 || PAIRS)

byte serial;             /* sections published; the gen of a section is its number here */
byte log[2 * S], count;
byte last[S + 1];        /* payload of the begin: its last entry, */
bool both[S + 1];        /* and whether it has two ranges */
byte gen[S + 1];
bool news = true;        /* VERSION is not what thread 1 has replayed up to */
bool c;                  /* its commit slot */
bool needBegin;
byte ackd[E];
bool rung[2];
bool taken[E];           /* thread 0: entries */
bool waiting[2], look[2];    /* thread 0: begins that wait, and those that the listener has woken */
bool abort[2];
byte giveups;
byte pending[S + 1];     /* thread 1: told, not answered yet. 1: drops with the answer, 2: has dropped at once */
bool mirror[2], inside[2], committing[2];    /* ghosts; inside is by begin, the others are by range */

proctype Begin(byte p) {
  byte k, s, e, f;
  for (k : 1 .. (p == 0 -> ROUNDS0 : ROUNDS1)) {
    /* entries: all at once, or it waits without any */
#if FAULT == 5
    if :: TWO(p) -> if :: atomic { !taken[0] -> taken[0] = true; f = 0 } :: atomic { !taken[1] -> taken[1] = true; f = 1 } fi :: else fi;
    if :: atomic { !taken[0] -> taken[0] = true; e = 0 } :: atomic { !taken[1] -> taken[1] = true; e = 1 } fi;
    atomic {
#else
    atomic {
      (!taken[0] + !taken[1] + (E > 2 -> !taken[E - 1] : 0)) > TWO(p);
      if :: TWO(p) -> f = 0; do :: taken[f] -> f++ :: else -> break od; taken[f] = true :: else fi;
      e = 0; do :: taken[e] -> e++ :: else -> break od; taken[e] = true;
#endif
      serial++; s = serial; last[s] = e; both[s] = TWO(p); gen[s] = s;
#if FAULT == 9
      gen[s] = k;
#endif
      log[count] = s; count++; news = true;
      abort[p] = false;
#if FAULT == 1
      ackd[e] = 0
#endif
    };
    if :: !c :: abort[p] -> goto done fi;
    if
    :: needBegin ->
         rung[1] = true;
         /* look[p]: it is in the turn in which it looks, so that the listener, which is in the same thread, is not */
         atomic { !look[1 - p] -> look[p] = true };
         do
#if FAULT == 1
         :: atomic { look[p] && (ackd[e] != 0 || !needBegin) -> look[p] = false; break }
         :: atomic { look[p] && ackd[e] == 0 && needBegin -> look[p] = false; waiting[p] = true }
#elif FAULT == 2
         :: atomic { look[p] && (ackd[0] >= gen[s] || !needBegin) -> look[p] = false; break }
         :: atomic { look[p] && ackd[0] < gen[s] && needBegin -> look[p] = false; waiting[p] = true }
#else
         :: atomic { look[p] && (ackd[e] == gen[s] || !needBegin) -> look[p] = false; break }
         :: atomic { look[p] && ackd[e] != gen[s] && needBegin -> look[p] = false; waiting[p] = true }
#endif
         :: atomic { abort[p] && waiting[p] -> waiting[p] = false; goto done }
         od
    :: else
    fi;
    atomic {
      inside[p] = true;
      assert(!mirror[0] && !committing[0]);
      assert(!TWO(p) || (!mirror[1] && !committing[1]))
    };
    inside[p] = false;
done:
    atomic {
      log[count] = s | IS_END; count++; news = true;
      taken[e] = false;
#if FAULT != 6
      if :: TWO(p) -> taken[f] = false :: else fi;
#endif
      s = 0; e = 0; f = 0
    }
  }
}

/*
 * Whoever has looked in vain is `waiting`. The listener runs while anybody does: it takes the bell's value, lets all look again,
 * and sleeps.
 */
#define WAKE(p) if :: waiting[p] -> waiting[p] = false; look[p] = true :: else fi
#define QUIET (!look[0] && !look[1])
proctype Listener() {
end:
  do
  :: atomic { QUIET && (waiting[0] || waiting[1]) -> rung[0] = false };
again:
#if FAULT != 8
     atomic {
       WAKE(0);
# if FAULT == 7
       if :: look[0] :: else -> WAKE(1) fi
# else
       WAKE(1)
# endif
     };
#endif
     if
     :: atomic { QUIET && rung[0] -> rung[0] = false };
#if FAULT == 8
        atomic { WAKE(0); WAKE(1) };
#endif
        goto again
     :: atomic { QUIET && !waiting[0] && !waiting[1] }
     fi
  od
}

#if FAULT == 3
# define ACK(e, g) atomic { ackd[e] = g; rung[0] = true }
#elif FAULT == 2
# define ACK(e, g) atomic { if :: ackd[0] < g -> ackd[0] = g; rung[0] = true :: else fi }
#elif FAULT == 9
# define ACK(e, g) atomic { ackd[e] = g; rung[0] = true }
#else
# define ACK(e, g) atomic { if :: ackd[e] < g -> ackd[e] = g; rung[0] = true :: else fi }
#endif

#define DROP(s) mirror[0] = false; if :: both[s] -> mirror[1] = false :: else fi

proctype Subscriber() {
  byte fills, seen, s, place; byte open[2];
#define REPLAY \
  atomic { \
    if :: news -> news = false :: else fi; \
    do \
    :: seen < count && log[seen] >= IS_END -> s = log[seen] & 7; seen++; \
       open[0]--; if :: both[s] -> open[1]-- :: else fi \
    :: seen < count && log[seen] < IS_END -> s = log[seen]; seen++; \
       open[0]++; if :: both[s] -> open[1]++ :: else fi; \
       if :: pending[s] = 1 :: DROP(s); pending[s] = 2 fi \
    :: seen == count -> s = 0; break \
    od \
  }
  needBegin = true; REPLAY;
  for (fills : 1 .. FILLS) {
    if :: place = 0 :: place = 1 fi;
    c = true; REPLAY;
    if
    :: atomic { open[place] == 0 -> committing[place] = true; assert(!inside[0] && ((place == 1 && !PAIRS) || !inside[1])) };
       atomic { committing[place] = false; mirror[place] = true; assert(!inside[0] && ((place == 1 && !PAIRS) || !inside[1])) }; c = false
    :: else -> c = false
    fi
  };
  if :: atomic { mirror[0] = false; mirror[1] = false }; atomic { needBegin = false; rung[0] = true }; goto closed :: true fi;
  do
  :: atomic { rung[1] = false }; REPLAY;
end_idle: rung[1]
  od;
closed: skip
}

#define LATER(n) \
  :: atomic { n <= S && (pending[n] == 1 || pending[n] == 2) -> \
              if :: pending[n] == 1 && (FAULT != 4 || !both[n]) -> DROP(n) \
                 :: pending[n] == 1 && FAULT == 4 && both[n] -> mirror[0] = false; half = true \
                 :: pending[n] == 2 fi; \
              pending[n] = 0; g = n }
proctype Answers() {
  byte g; bool half;
end:
  do
  :: if LATER(1) LATER(2) LATER(3)
#if ROUNDS0 + ROUNDS1 > 3
     LATER(4)
#endif
     fi;
     ACK(last[g], gen[g]);
     if :: half -> mirror[1] = false; half = false :: else fi;
     g = 0
  od
}

proctype Aborter() {
  do
  :: atomic { giveups < GIVEUPS && !abort[0] -> giveups++; abort[0] = true }
  :: atomic { giveups < GIVEUPS && !abort[1] -> giveups++; abort[1] = true }
  :: break
  od
}

init { atomic { run Begin(0); run Begin(1); run Listener(); run Subscriber(); run Answers(); run Aborter() } }
