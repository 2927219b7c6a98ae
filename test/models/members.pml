/*
 * members.pml: threads that join late, slots that are used again, subscribing late, close.
 *
 * Slot 0 has an invalidator, slot 1 a subscriber with a mirror. Either is used again after its thread has died or left: life 1,
 * life 2. A life starts with nothing: it takes what is open from the table (here: from the count), as a reader does that is too far
 * behind. Slot 1 is not in MEMBERS before its first life. The hub gives a slot out again when it has recovered it. A life of slot 1
 * may subscribe at any time, and leaves (a tracker is closed) or dies. Its answers may come in later turns (Answers); when it has
 * left, its promises are still there, in a thread that lives. The hub may close the space at any time.
 *
 * Checked: (1) while an invalidator is inside, no life of slot 1 has a mirror, and no commit is under way;
 *          (2) nobody is wedged: no invalid end state.
 * Faults (-DFAULT=n), each must be caught:
 *   1 COUNT starts anew with the next life     2 the begin looks at MEMBERS before it publishes
 *   3 the end does not look at MEMBERS again     4 the hub adds to MEMBERS after the thread has started
 *   5 the hub gives the slot out before it has recovered it     6 who subscribes does not acknowledge what is open
 *   7 close does not ring     8 closed is taken for an answer     9 an answer of a life that has left is still written
 */
#ifndef FAULT
#define FAULT 0
#endif
#ifndef ROUNDS
#define ROUNDS 1     /* begins of one life */
#endif
#ifndef LIVES0
#define LIVES0 2
#endif
#ifndef LIVES1
#define LIVES1 2
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
byte count;              /* events of slot 0, odd: open */
bool news;               /* VERSION is not what slot 1 has replayed up to */
bool member;             /* the bit of slot 1 in MEMBERS */
bool closed;
bool c, needBegin, needEnd;    /* of slot 1 */
byte ackd;
bool rung[2];
byte life[2];            /* the life that has the slot now; 0: nobody */
bool dying[2], stopped[2];    /* it takes no step any more; the hub may know */
byte given[2];           /* lives started so far */
byte lateGen, lateLife;  /* an answer of slot 1 that is still a promise: of which begin, of which life */
bool mirror, inside, committing;

#define OPEN(n) ((n) % 2 == 1)
#define GEN(n) (((n) + 1) / 2)

proctype Invalidator(byte me) {
  byte k, gen; bool saw;
  {
#if FAULT == 1
    if :: me == 2 -> count = 0 :: else fi;
#endif
    for (k : 1 .. ROUNDS) {
      if :: closed -> break :: else fi;
#if FAULT == 2
      saw = member;
#endif
      atomic { count++; gen = GEN(count) };
      news = true;
#if FAULT != 2
      saw = member;
#endif
      if
      :: saw ->
         if :: !c :: closed -> goto over fi;
         if
         :: needBegin ->
            rung[1] = true;
            do
            :: rung[0] = false;
               if
               :: ackd == gen || !needBegin -> break
               :: else ->
#if FAULT == 8
                  if :: closed -> break :: rung[0] fi
#else
                  if :: closed -> goto over :: else fi;
                  rung[0]
#endif
               fi
            od
         :: else
         fi
      :: else
      fi;
      atomic { inside = true; assert(!mirror && !committing) };
      inside = false;
over: atomic { count++ };
      news = true;
#if FAULT != 3
      saw = member;
#endif
      if :: saw && needEnd -> rung[1] = true :: else fi;
      saw = false
    };
    /* leaves, or stays until the space is closed */
    if :: true -> goto left :: true -> skip fi;
end_stays: closed;
left: skip
  } unless { dying[0] };
  atomic { inside = false; stopped[0] = true }
}

/* The ack word only goes forward. */
#define ACK(g) atomic { if :: ackd < g -> ackd = g; rung[0] = true :: else fi }

proctype Subscriber(byte me) {
  byte seen, begun, told; bool open, ever;
  /* a begin that it replays is told, once it has ever subscribed, and answered at once or later */
#define REPLAY \
  atomic { \
    if :: news || begun == 255 -> news = false; begun = GEN(count); open = OPEN(count) :: else fi; \
    if \
    :: ever && begun != told -> told = begun; \
       if :: mirror = false; ackd = (ackd < told -> told : ackd); rung[0] = true \
          :: lateGen == 0 -> lateGen = told; lateLife = me fi \
    :: else -> told = begun \
    fi \
  }
  {
    begun = 255; REPLAY;
    do
    :: closed -> break
    :: !ever && !closed ->
       /* subscribes: whoever asks now waits, also for what is open already; it has nothing to drop yet */
       needBegin = true; REPLAY;
       atomic { ever = true };
#if FAULT != 6
       ACK(begun);
#endif
    :: ever && !closed ->
       /* a fill */
       c = true; REPLAY;
       if
       :: atomic { !open -> committing = true; assert(!inside) };
          atomic { committing = false; mirror = true; assert(!inside) }; c = false; break
       :: else -> c = false;
          /* waits for the end */
          needEnd = true;
          do
          :: rung[1] = false; REPLAY;
             if :: !open || closed -> break :: else -> rung[1] fi
          od;
          needEnd = false
       fi
    :: break
    od;
    /* stays, and answers, until the space is closed; or leaves */
    do
    :: rung[1] = false; REPLAY;
       if :: closed -> break :: !closed && given[1] < LIVES1 -> break :: !closed -> skip fi;
end_idle: rung[1]
    od;
    mirror = false; needBegin = false; needEnd = false; rung[0] = true
  } unless { dying[1] };
  atomic { mirror = false; committing = false; if :: dying[1] -> lateGen = 0 :: else fi; stopped[1] = true }
}

/* The answer of a life comes. When that has left, nobody wants to know. */
proctype Answers() {
  byte g;
end:
  do
  :: atomic { lateGen != 0 ->
       g = lateGen; lateGen = 0;
       if :: lateLife == life[1] && !stopped[1] -> mirror = false
          :: else -> if :: FAULT != 9 -> g = 0 :: else fi
       fi;
       lateLife = 0 };
     if
#if FAULT == 9
     :: g != 0 -> if :: ackd < g -> ackd = g; rung[0] = true :: else fi    /* two writers: comparing and storing are two steps */
#else
     :: atomic { g != 0 -> if :: ackd < g -> ackd = g; rung[0] = true :: else fi }
#endif
     :: g == 0
     fi;
     g = 0
  od
}

proctype Killer() {
  do
  :: atomic { life[0] == 1 -> dying[0] = true; break }
  :: break
  od;
  do
  :: atomic { life[1] == 1 -> dying[1] = true; break }
  :: break
  od
}

#define START(t) dying[t] = false; stopped[t] = false; given[t]++; life[t] = given[t]
proctype Hub() {
  atomic { START(0); run Invalidator(1) };
end:
  do
  /* somebody joins slot 1 for the first time */
  :: given[1] == 0 && !closed ->
#if FAULT == 4
     atomic { START(1); run Subscriber(1) }; member = true; news = true
#else
     member = true; news = true; atomic { START(1); run Subscriber(1) }
#endif
  :: life[1] != 0 && stopped[1] ->
#if FAULT == 5
     if :: given[1] < LIVES1 && !closed -> atomic { START(1); run Subscriber(given[1]) } :: else -> life[1] = 0 fi;
     c = false; needBegin = false; needEnd = false; rung[0] = true
#else
     atomic { life[1] = 0 }; c = false; needBegin = false; needEnd = false; rung[0] = true;
     if :: given[1] < LIVES1 && !closed -> atomic { START(1); run Subscriber(given[1]) } :: else fi
#endif
  :: life[0] != 0 && stopped[0] ->
     life[0] = 0;
     if :: OPEN(count) -> count++ :: else fi;
     news = true;
     if :: needEnd -> rung[1] = true :: else fi;
     if :: given[0] < LIVES0 && !closed -> atomic { START(0); run Invalidator(given[0]) } :: else fi
  :: CLOSE == 1 && !closed -> closed = true;
#if FAULT != 7
     atomic { rung[0] = true; rung[1] = true }
#endif
  od
}

/* When nothing can happen any more, nobody is left in a space that was closed. */
proctype Monitor() { end: timeout -> assert(!closed || (life[0] == 0 && life[1] == 0)) }

init { atomic { run Monitor(); run Hub(); run Killer(); run Answers() } }
