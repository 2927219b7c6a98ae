/*
 * ranges.pml: sections of several ranges, and a reader that is too far behind (resync.pml).
 * A section has one range or two. The last of two has entry 1, which names the section, and is the BEGIN event; the first of two has
 * entry 0 and is a RANGE event before it. Both entries have the generation of the BEGIN. COUNT moves once for all events of a begin.
 * Entry 0 is taken before entry 1, and entry 1 is free before entry 0. A reader that resyncs reads entry 1 first: if it is taken, entry
 * 0 was taken before. What it knows from the table is not entered again when its BEGIN comes. The END names entry 1 and the generation.
 * One writer, one reader, which reads the first range or both; LIMIT events may be replayed.
 * Checked as in commit.pml: exclusion, freshness, and that nobody believes in a section for ever.
 * Faults: 1 what is known from the table is entered again   2 the entries are free after the end is published
 *         3 entry 0 is taken after entry 1                  4 a resync reads entry 0 first
 */
#ifndef FAULT
#define FAULT 0
#endif
#ifndef ROUNDS
#define ROUNDS 3
#endif
#ifndef LIMIT
#define LIMIT 3
#endif
#define RANGE 1
#define BEGIN 2
#define END 3
byte count, version, tab[2];
byte kind[3 * ROUNDS], which[3 * ROUNDS];    /* the log: what, and of which section */
bool c;
byte half1, half2;
bool inside[2], committing[2], done;    /* by range */

proctype Writer() {
  byte k, gen; bool both;
  for (k : 1 .. ROUNDS) {
    if :: both = false; gen = count + 1 :: both = true; gen = count + 2 fi;
#if FAULT != 3
    if :: both -> tab[0] = gen :: else fi;
#endif
    tab[1] = gen;
#if FAULT == 3
    if :: both -> tab[0] = gen :: else fi;
#endif
    if :: both -> atomic { kind[count] = RANGE; which[count] = gen } :: else fi;
    atomic { kind[gen - 1] = BEGIN; which[gen - 1] = gen };
    count = gen; version++;
    !c;
    atomic { inside[0] = both; inside[1] = true; assert(!committing[1] && (!both || !committing[0])) }
    if :: both -> half1++ :: else fi;
    half2++;
    atomic { inside[0] = false; inside[1] = false };
#if FAULT != 2
    tab[1] = 0;
    tab[0] = 0;
#endif
    atomic { kind[count] = END; which[count] = gen };
    count++; version++;
#if FAULT == 2
    tab[1] = 0;
    tab[0] = 0
#endif
  }
  done = true
}

proctype Reader() {
  byte seen, synced, v, n, seq, lastEnd, opened[2], token, a, b; bool fine, pend, twice, all;
#if FAULT == 4
# define RESYNC opened[0] = tab[0]; opened[1] = tab[1]
#else
# define RESYNC opened[1] = tab[1]; opened[0] = tab[0]
#endif
#define REPLAY \
  v = version; \
  if :: v == synced -> skip \
  :: else -> synced = v; n = count; \
     if \
     :: n - seen > LIMIT -> \
        seen = n; pend = false; twice = false; RESYNC; seq++; lastEnd = seq; \
        if :: opened[0] != opened[1] -> opened[0] = 0 :: else fi \
     :: else -> \
        do \
        :: seen != n -> \
           atomic { \
             if \
             :: kind[seen] == RANGE -> pend = true \
             :: kind[seen] == BEGIN -> seq++; \
                if :: opened[1] == which[seen] -> twice = (FAULT == 1) \
                   :: else -> opened[1] = which[seen]; if :: pend -> opened[0] = which[seen] :: else fi fi; \
                pend = false \
             :: kind[seen] == END -> seq++; lastEnd = seq; \
                if :: opened[1] == which[seen] && !twice -> opened[1] = 0; opened[0] = 0 :: else fi \
             fi; \
             seen++ \
           } \
        :: else -> break \
        od \
     fi \
  fi
  if :: all = true :: true fi;
again:
  REPLAY;
  if
  :: opened[0] != 0 || (all && opened[1] != 0) ->
     do
     :: atomic { version != synced -> break }
     :: atomic { done && version == synced -> assert(false) }
     od; goto again
  :: else
  fi;
  token = seq; a = half1; b = half2;
  c = true; REPLAY;
  fine = (opened[0] == 0 && (!all || opened[1] == 0) && lastEnd <= token);
  if
  :: fine ->
     atomic { committing[0] = true; committing[1] = all; assert(!inside[0] && (!all || !inside[1])) }
     assert(a == half1 && (!all || b == half2));
     atomic { assert(!inside[0] && (!all || !inside[1])); committing[0] = false; committing[1] = false }
     c = false
  :: else -> c = false; goto again
  fi
}
init { atomic { run Writer(); run Reader() } }
