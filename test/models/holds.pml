/*
 * holds.pml: holds across threads. A lookup that keeps losing holds its ranges: begins queue behind it, in every thread.
 *
 * T threads, each with one lookup that holds (again and again), W begins in all (again and again), and a loop that replays and
 * acknowledges what the others publish (all have subscribers). PLACES places; everyone takes a set of them, chosen each time.
 * The rule (docs/threads-protocol.md):
 *   1 A begin looks for holds before it publishes anything, and queues behind those that it finds then: its own thread's as
 *     before, and those that others have published. It waits for none that others publish later.
 *   2 Once it has published, nothing that it waits for (slots, acknowledgements) waits for a hold.
 *   3 A lookup that is hit although it holds keeps its hold, and its place, and waits for what has hit it.
 *   4 A release rings whoever queues. The hub releases what the dead have held.
 * So every arrow "waits for" between a hold and a queued begin points to what came earlier, and there is no cycle.
 *
 * waits[w] are the threads whose holds the begin w queues behind. That a release clears the bit stands for a comparison of
 * generations: the hold in that word is another one than the one it found.
 *
 * Checked: (1) nobody is wedged: no invalid end state, although everybody goes on for ever;
 *          (2) a lookup that holds is hit by at most one begin of each other writer (those that had looked before), and by none
 *              of its own thread;
 *          (3) with -DLIVE, under weak fairness: the hold of thread 0 gets through, and begin 0 begins.
 * Not here: deadlines (they would hide a deadlock: everything goes on after holdMs), slots, optimistic lookups.
 * Faults (-DFAULT=n), each must be caught:
 *   1 naive: a begin that is replayed queues behind the holds of the thread that replays it, and is acknowledged after that
 *   2 a begin publishes first, then waits for the holds that it finds
 *   3 queued begins are published, too, and each waits for the other if it sees it, whichever came first
 *   4 a queued begin also waits for holds that come later (starves)      5 a lookup that is hit announces its hold anew
 *   6 a release does not ring      7 the hub keeps the hold of the dead
 *   8 a begin that goes on does not look again at the hold of its own thread that it had passed
 */
#ifndef FAULT
#define FAULT 0
#endif
#ifndef T
#define T 2
#endif
#ifndef W
#define W T
#endif
#ifndef ONCE
#define ONCE 0       /* 1: everybody does it once only */
#endif
#ifndef PLACES
#define PLACES 1
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#define BIT(n) (1 << (n))
#define EVERYBODY (BIT(T) - 1)
#define HOME(w) ((w) % T)
#define OTHERS(t) (W - (W + T - 1 - (t)) / T)    /* begins of other threads */

byte hold[T];        /* published: the places that this thread's lookup holds; 0: none */
byte sec[W];         /* published: the places of an active section */
byte acks[W];        /* who has acknowledged it */
byte wish[W];        /* the places of a begin that queues (private to its thread, but for fault 3) */
byte waits[W];       /* behind whose holds */
byte behind[T];      /* begins of its own thread that had queued before the hold */
byte gone;           /* published by the hub */
bool older[W];       /* it queues, and its own thread's hold was there before, but waited for a queued begin: looked at again */
bool rung[W];
bool dead[T], stopped[T];
bool trying[T], hit[T];    /* ghosts: an attempt is under way, and has been hit */
byte losses[T];
bool wants[W];       /* ghost, for LIVE */

#if PLACES == 1
# define WISH(w) m = 1
# define HOLD(t) m = 1
#elif PLACES == 2
# define WISH(w) if :: m = 1 :: m = 2 :: m = 3 fi
# define HOLD(t) WISH(t)
#else                /* two places, and everybody has his: lookups 1+2 and 1; begins 1, 1+2, 2 */
# define WISH(w) m = ((w) == 0 -> 1 : ((w) == 1 -> 3 : 2))
# define HOLD(t) m = ((t) == 0 -> 3 : 1)
#endif
#define PUBLISH(w, m) \
  assert((FAULT != 0 && FAULT != 8) || !trying[HOME(w)] || !(hold[HOME(w)] & m)); \
  sec[w] = m; acks[w] = BIT(HOME(w)) | gone; \
  for (i : 0 .. T - 1) { if :: trying[i] && (hold[i] & m) -> hit[i] = true :: else fi }; i = 0
#if FAULT == 2
# define BEGIN(w, m) wish[w] = 0
#else
# define BEGIN(w, m) wish[w] = 0; behind[HOME(w)] = behind[HOME(w)] & ~BIT(w); PUBLISH(w, m)
#endif
/* The word, and then the bells. */
#define RELEASE(t) \
  atomic { hold[t] = 0; for (i : 0 .. W - 1) { waits[i] = waits[i] & ~BIT(t); if :: HOME(i) == t -> older[i] = false :: else fi }; i = 0 }; \
  if :: FAULT != 6 -> atomic { for (i : 0 .. W - 1) { rung[i] = (wish[i] != 0) }; i = 0 } :: else fi

proctype Writer(byte w) {
  byte m, u, i;
  {
    do
    :: true ->
       atomic { WISH(w); wants[w] = true };
#if FAULT == 2
       atomic { PUBLISH(w, m) };
#endif
#if FAULT == 3
       wish[w] = m;
#endif
look:  /* the others' holds, one load each */
       do
       :: atomic { u < T -> if :: u != HOME(w) && (hold[u] & m) -> waits[w] = waits[w] | BIT(u) :: else fi; u++ }
       :: atomic { u == T -> u = 0; break }
       od;
       /* the rest of the turn: its own thread's hold, unless that waits for a queued begin itself; then queue, or publish */
       atomic {
         if
         :: (hold[HOME(w)] & m) && behind[HOME(w)] == 0 && wish[w] == 0 -> waits[w] = waits[w] | BIT(HOME(w))
         :: else -> older[w] = (hold[HOME(w)] & m) != 0
         fi;
         if
         :: waits[w] == 0 -> older[w] = false; BEGIN(w, m)
         :: else -> wish[w] = m
         fi
       };
       if
       :: waits[w] != 0 || wish[w] != 0 ->
          do
          :: atomic { rung[w] = false };
             if
#if FAULT == 4
             :: atomic { waits[w] == 0 -> rung[w] = false; goto look }
#elif FAULT == 8
             :: atomic { waits[w] == 0 -> rung[w] = false; older[w] = false; BEGIN(w, m); break }
#else
             :: atomic { waits[w] == 0 && older[w] && behind[HOME(w)] == 0 -> older[w] = false; waits[w] = BIT(HOME(w)) }
             :: atomic { waits[w] == 0 && !(older[w] && behind[HOME(w)] == 0) -> rung[w] = false; older[w] = false; BEGIN(w, m); break }
#endif
             :: atomic { waits[w] != 0 -> rung[w] }
             fi
          od
       :: else
       fi;
       acks[w] == EVERYBODY;
       atomic { assert(sec[w] == m); wants[w] = false };   /* inside */
       atomic { sec[w] = 0; acks[w] = 0; m = 0 };
#if ONCE
       break
#endif
    od;
    if :: ONCE -> goto end :: else fi
  } unless { dead[HOME(w)] };
  atomic { wants[w] = false; stopped[HOME(w)] = true };
end: false
}

proctype Reader(byte t) {
  byte m, w, i;
  {
    do
    :: true ->
       HOLD(t);
announce:
       atomic {
         hold[t] = m;
         for (i : 0 .. W - 1) { if :: HOME(i) == t && (wish[i] & m) -> behind[t] = behind[t] | BIT(i) :: else fi };
         i = 0
       };
#if FAULT == 3
       w = 0;
       do
       :: atomic { w < W -> if :: HOME(w) != t && (wish[w] & m) -> !(wish[w] & m) :: else fi; w++ }
       :: atomic { w == W -> w = 0; break }
       od;
#endif
again: atomic { behind[t] == 0 -> trying[t] = true; hit[t] = false };
       do
       :: atomic { w < W && !(sec[w] & m) -> w++ }
       :: atomic { w < W && (sec[w] & m) -> trying[t] = false }; atomic { !(sec[w] & m) -> w = 0; goto again }
       :: atomic { w == W -> w = 0; break }
       od;
       atomic {
         trying[t] = false;
         if
         :: hit[t] -> hit[t] = false; losses[t]++; assert(losses[t] <= OTHERS(t));
#if FAULT == 5
              goto anew
#else
              goto again
#endif
         :: else -> losses[t] = 0
         fi
       };
done:  RELEASE(t);
       atomic { m = 0; goto next };
anew:  RELEASE(t); goto announce;
next:  skip;
#if ONCE
       break
#endif
    od;
    if :: ONCE -> goto end :: else fi
  } unless { dead[t] };
  trying[t] = false;
end: false
}

/* The event loop of a thread: replays what the others have begun, tells its subscribers, and acknowledges. */
#define ANSWER(w) \
  :: atomic { w < W && HOME(w) != t && sec[w] != 0 && !(acks[w] & BIT(t)) && (FAULT != 1 || !(hold[t] & sec[w])) -> \
              acks[w] = acks[w] | BIT(t) }
proctype Loop(byte t) {
  {
end: do
    ANSWER(0)
    ANSWER(1)
#if W > 2
    ANSWER(2)
#endif
#if W > 3
    ANSWER(3)
#endif
    od
  } unless { dead[t] };
endDead: false
}

proctype Killer() {
  byte n;
  do
  :: n < DEATHS -> n++; if :: dead[0] = true :: dead[1] = true fi
  :: break
  od
}

/* recover(t): its sections end, its hold is released, nobody waits for its answers. */
proctype Hub() {
  byte i, t; bool done[T];
endHub:
  do
  :: stopped[0] && !done[0] -> t = 0; done[0] = true; goto recover
  :: stopped[1] && !done[1] -> t = 1; done[1] = true; goto recover
  od;
recover:
  atomic { for (i : 0 .. W - 1) { if :: HOME(i) == t -> sec[i] = 0 :: else fi }; i = 0 };
  atomic { gone = gone | BIT(t); for (i : 0 .. W - 1) { acks[i] = acks[i] | BIT(t) }; i = 0 };
#if FAULT != 7
  RELEASE(t);
#endif
  goto endHub
}

init {
  byte i;
  atomic {
    for (i : 0 .. W - 1) { run Writer(i) };
    for (i : 0 .. T - 1) { run Reader(i); run Loop(i) };
    if :: DEATHS > 0 -> run Killer(); run Hub() :: else fi;
    i = 0
  }
}
#ifdef LIVE
ltl live { ([] (hold[0] != 0 -> <> (hold[0] == 0))) && ([] (wants[0] -> <> !wants[0])) }
#endif
