/**
 * Faults: wrong behaviour to be seeded, one at a time. `find` stands exactly once in `file`; otherwise the list is out of
 * date, and the run says so. Each must be noticed by the ordinary suite, `first` by the files that are likely to.
 */

/** One wrong behaviour, as a change of the library's text. */
export interface Fault {
  readonly name: string;
  /** Below `lib/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Test files to try before all others. */
  readonly first: readonly string[];
}

const RACE = 'test/tracker/tracker.race.test.ts';
const HOLD = 'test/tracker/hold.race.test.ts';
const SUBSCRIPTION = 'test/tracker/subscription.race.test.ts';
const MODEL = 'test/tracker/tracker.model.test.ts';
const GATE = 'test/tracker/gate.model.test.ts';
const HISTORY = 'test/tracker/history.model.test.ts';
const RANGE = 'test/base/range.model.test.ts';
const FORGETTING = 'test/tracker/forgetting.test.ts';
const FEEDBACK = 'test/tracker/feedback.test.ts';
const BOUNDS = 'test/tracker/bounds.test.ts';

/** All of them. */
export const FAULTS: readonly Fault[] = [
  // --- collision
  {
    name: 'ignores sections that have ended',
    file: 'tracker/space.ts',
    find: 'return found === NONE ? FINE',
    replace: 'return found >= NONE ? FINE',
    first: [MODEL],
  },
  {
    name: 'ignores sections that are active',
    file: 'tracker/space.ts',
    find: 'if (this.isActive(start, end, ignore)) return HIT;',
    replace: '',
    first: [MODEL],
  },
  {
    name: 'counts only starts: an end moves no counter',
    file: 'tracker/space.ts',
    find: 'const seq = this.#count();',
    replace: 'const seq = this.seq;',
    first: [MODEL],
  },
  {
    name: 'counts only ends: a begin moves no counter',
    file: 'tracker/space.ts',
    find: 'section.beginSeq = this.#count();',
    replace: 'section.beginSeq = this.seq;',
    first: [MODEL],
  },
  {
    name: 'remembers the begin of a section instead of its end',
    file: 'tracker/space.ts',
    find: 'this.history.append(section.spans, seq, section.info)',
    replace: 'this.history.append(section.spans, section.beginSeq, section.info)',
    first: [MODEL],
  },
  {
    name: 'remembers only the first range of a section',
    file: 'tracker/history.ts',
    find: 'for (let i = 0; i < spans.length; i += 2) {',
    replace: 'for (let i = 0; i < 2; i += 2) {',
    first: [FORGETTING],
  },
  {
    name: 'the counter has 32 bits',
    file: 'tracker/space.ts',
    find: 'this.seq = (this.seq + 1) as Seq;',
    replace: 'this.seq = ((this.seq + 1) | 0) as Seq;',
    first: [MODEL],
  },
  {
    name: 'of many ranges only the first is checked',
    file: 'tracker/space.ts',
    find: 'i < spans.length && verdict !== HIT',
    replace: 'i < 2 && verdict !== HIT',
    first: ['test/tracker/lookup.test.ts'],
  },
  {
    name: 'a token of the current end counts as older',
    file: 'tracker/history.ts',
    find: 'if (seqs[middle & mask]! > token) high = middle;',
    replace: 'if (seqs[middle & mask]! >= token) high = middle;',
    first: [HISTORY],
  },
  {
    name: 'the hull of many ranges leaves out the last',
    file: 'tracker/space.ts',
    find: 'this.checkRange(spans[0]!, spans[spans.length - 1]!, token',
    replace: 'this.checkRange(spans[0]!, spans[Math.max(1, spans.length - 3)]!, token',
    first: ['test/tracker/lookup.test.ts'],
  },
  // --- touching ranges
  {
    name: 'in the tree, ranges that touch overlap',
    file: 'interval-tree/core.ts',
    find: 'if ((+(highs[place]! > lo) & +(lows[place]! < hi)) === 0) continue;',
    replace: 'if ((+(highs[place]! >= lo) & +(lows[place]! <= hi)) === 0) continue;',
    first: [RANGE, MODEL],
  },
  {
    name: 'in the tree, the question whether anything overlaps counts a range that touches',
    file: 'interval-tree/core.ts',
    find: '+(highs[place]! > lo) & +(lows[place]! < lowest)',
    replace: '+(highs[place]! >= lo) & +(lows[place]! < lowest)',
    first: [RANGE, MODEL],
  },
  {
    name: 'in the history, ranges that touch overlap',
    file: 'tracker/history.ts',
    find: '!(starts[i]! < end && ends[i]! > start)',
    replace: '!(starts[i]! <= end && ends[i]! >= start)',
    first: [HISTORY],
  },
  {
    name: 'in sorted blocks, a range that ends just behind the start of the question does not count',
    file: 'tracker/history.ts',
    find: 'before - 1]! > start;',
    replace: 'before - 1]! > start + 1;',
    first: [HISTORY],
  },
  {
    name: 'in sorted blocks, a range that starts just before the end of the question does not count',
    file: 'tracker/history.ts',
    find: 'countBelow(starts, slot, bits, end)',
    replace: 'countBelow(starts, slot, bits, end - 1)',
    first: [HISTORY],
  },
  {
    name: 'ranges that touch are not joined',
    file: 'base/range.ts',
    find: 'start <= spans[last]!',
    replace: 'start < spans[last]!',
    first: [RANGE],
  },
  {
    name: 'a joined range ends where its last part ends',
    file: 'base/range.ts',
    find: 'spans[last] = Math.max(spans[last]!, end)',
    replace: 'spans[last] = end',
    first: [RANGE],
  },
  {
    name: 'a range counts as contained if only its start is',
    file: 'base/range.ts',
    find: 'outer[o + 1]! < inner[i + 1]!',
    replace: 'outer[o + 1]! <= inner[i]!',
    first: [RANGE],
  },
  // --- memory
  {
    name: 'forgets the oldest silently',
    file: 'tracker/history.ts',
    find: 'return token < this.floor ? LOST : NONE;',
    replace: 'return NONE;',
    first: [HISTORY],
  },
  {
    name: 'counts as lost what has not been forgotten',
    file: 'tracker/history.ts',
    find: 'return token < this.floor ? LOST : NONE;',
    replace: 'return token <= this.floor ? LOST : NONE;',
    first: [HISTORY],
  },
  {
    name: 'a section of many ranges counts as many',
    file: 'tracker/history.ts',
    find: 'this.#sections++;',
    replace: 'this.#sections = Math.min(this.capacity, this.#sections + spans.length / 2);',
    first: [HISTORY, FORGETTING],
  },
  {
    name: 'a lookup that holds loses to forgetting',
    file: 'tracker/attempt.ts',
    find: 'return hold?.admitted === true && !hold.crossed',
    replace: 'return hold?.admitted === undefined && !hold!.crossed',
    first: [FORGETTING],
  },
  {
    name: 'a hold that was crossed still vouches for its ranges',
    file: 'tracker/gate.ts',
    find: 'if (concerns(hold.ignore, section.info)) hold.crossed = true;',
    replace: '',
    first: [FORGETTING],
  },
  {
    name: 'what was observed while holding counts as fine, whatever had happened there before',
    file: 'tracker/attempt.ts',
    find: 'extra.wasFine &&= this.space.check(spans, this.seq, this.ignore) === FINE;',
    replace: '',
    first: [FORGETTING],
  },
  {
    name: 'remembers without a limit',
    file: 'tracker/history.ts',
    find: 'if (this.#sections === this.capacity) this.#forget();',
    replace: '',
    first: [HISTORY],
  },
  {
    name: 'sorted copies survive what they were copied from',
    file: 'tracker/history.ts',
    find: 'if (level.block[at] !== from) {',
    replace: 'if (level.block[at] === -1) {',
    first: [HISTORY],
  },
  // --- filters
  {
    name: 'a filter is not asked about what has ended',
    file: 'tracker/history.ts',
    find: 'if (concerns(ignore, this.#infos[i]!)) return from',
    replace: 'return from',
    first: [HISTORY],
  },
  {
    name: 'a filter that throws has ignored',
    file: 'tracker/invalidation.ts',
    find: '  } catch {\n    return true;',
    replace: '  } catch {\n    return false;',
    first: [MODEL],
  },
  // --- lookups
  {
    name: 'the token is taken after the first await',
    file: 'tracker/attempt.ts',
    find: '    this.seq = space.seq;',
    replace: '    this.seq = space.seq;\n    queueMicrotask(() => Object.assign(this, { seq: space.seq }));',
    first: [RACE],
  },
  {
    name: 'commits one microtask after the check',
    file: 'tracker/lookup.ts',
    find: '(late) => this.fetched(attempt, late),',
    replace:
      '(late) => (attempt.collides() ? this.fetched(attempt, late as T) : (attempt.collides = () => false, queueMicrotask(() => this.fetched(attempt, late as T)))),',
    first: [RACE],
  },
  {
    name: 'what was observed is not checked',
    file: 'tracker/attempt.ts',
    find: 'return seen === HIT ||',
    replace: 'return seen === undefined ||',
    first: [RACE],
  },
  {
    name: 'only what was observed last is checked',
    file: 'tracker/attempt.ts',
    find: 'extra.observed = extra.observed === undefined ? spans : unite(extra.observed, spans);',
    replace: 'extra.observed = spans;',
    first: [RACE, MODEL],
  },
  {
    name: 'a lookup that has left a shared hold goes on when the others do, too',
    file: 'tracker/lookup.ts',
    find: 'if (this.turn === turn) this.awake();',
    replace: 'this.awake();',
    first: ['test/tracker/hold.test.ts'],
  },
  {
    name: 'an error of an attempt that was hit reaches the caller',
    file: 'tracker/lookup.ts',
    find: 'if (attempt.collides()) this.retry(attempt);\n    else this.fail(error);',
    replace: 'this.fail(error);',
    first: [RACE],
  },
  {
    name: 'an aborted lookup stays parked',
    file: 'tracker/gate.ts',
    find: '    reader.lot?.leave(reader);\n    reader.blockedBy = undefined;',
    replace: '    reader.blockedBy = undefined;',
    first: [HOLD],
  },
  {
    name: 'an attempt that is over stays registered',
    file: 'tracker/attempt.ts',
    find: 'for (const handles of extra.handles ?? []) deleteSpans(this.space.inFlight, handles);',
    replace: '',
    first: [RACE],
  },
  {
    name: 'no signal fires when a section begins',
    file: 'tracker/space.ts',
    find: '    interrupt(this, section);\n',
    replace: '',
    first: [SUBSCRIPTION, MODEL],
  },
  {
    name: "the signal's listener is not removed",
    file: 'base/cancel.ts',
    find: "this.#signal?.removeEventListener('abort', this);",
    replace: '',
    first: [HOLD],
  },
  {
    name: 'the timer of a limit is not cleared',
    file: 'base/cancel.ts',
    find: 'if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);',
    replace: '',
    first: [SUBSCRIPTION],
  },
  // --- waiting
  {
    name: 'wakes nobody',
    file: 'tracker/space.ts',
    find: 'else waiter.wake(this.seq);',
    replace: '',
    first: [RACE],
  },
  {
    name: 'wakes all but the first that came',
    file: 'tracker/space.ts',
    find: 'for (const waiter of waiters) {\n      const isHold',
    replace: 'for (const waiter of waiters.slice(waiters.length > 1 ? 1 : 0)) {\n      const isHold',
    first: [RACE],
  },
  {
    name: 'wakes those that came last first',
    file: 'base/lot.ts',
    find: 'all.push(parked as P);',
    replace: 'all.unshift(parked as P);',
    first: [GATE],
  },
  {
    name: 'wakes a reader though something else is in its way',
    file: 'tracker/gate.ts',
    find: '    const blocker = this.activeOver(reader);\n    if (blocker === undefined) return false;\n    // A chain',
    replace:
      '    const blocker = undefined as Section | undefined;\n    if (blocker === undefined) return false;\n    // A chain',
    first: [RACE],
  },
  {
    name: 'a reader that is overtaken again and again waits for ever',
    file: 'tracker/gate.ts',
    find: 'if (blocker.ticket > reader.ticket && reader.overtaken()) return false;',
    replace: '',
    first: [GATE],
  },
  // --- holds
  {
    name: 'a hold queues no begins',
    file: 'tracker/gate.ts',
    find: 'if (section.urgent || !this.holds.overlaps(section.spans)) return undefined;',
    replace: 'return undefined;',
    first: [HOLD],
  },
  {
    name: 'a hold refuses no begin that will not wait',
    file: 'tracker/gate.ts',
    find: 'if (this.holds.size === 0 || section.urgent) return false;',
    replace: 'return false;',
    first: [HOLD],
  },
  {
    name: 'a nested begin queues',
    file: 'tracker/gate.ts',
    find: 'if (section.urgent || !this.holds.overlaps(section.spans)) return undefined;',
    replace: 'if (!this.holds.overlaps(section.spans)) return undefined;',
    first: [HOLD],
  },
  {
    name: 'a hold is admitted while a section is active',
    file: 'tracker/gate.ts',
    find: 'const blocker = this.#queuedBefore(hold) ?? this.activeOver(hold);',
    replace: 'const blocker = this.#queuedBefore(hold);',
    first: [HOLD],
  },
  {
    name: 'a hold overtakes older begins that queue',
    file: 'tracker/gate.ts',
    find: 'const blocker = this.#queuedBefore(hold) ?? this.activeOver(hold);',
    replace: 'const blocker = this.activeOver(hold);',
    first: [HOLD],
  },
  {
    name: 'a begin overtakes older holds that wait',
    file: 'tracker/gate.ts',
    find: 'hold.blockedBy?.state !== QUEUED',
    replace: 'hold.admitted',
    first: [GATE],
  },
  {
    name: 'begins that were let go together are looked at one by one',
    file: 'tracker/gate.ts',
    find: 'section.granted = true;',
    replace: '',
    first: ['test/tracker/hold.test.ts'],
  },
  {
    name: 'the end of a hold lets only one begin go',
    file: 'tracker/gate.ts',
    find: 'return granted;',
    replace: 'return granted.slice(0, 1);',
    first: [HOLD],
  },
  {
    name: 'a begin that gives up leaves its place in the queue',
    file: 'tracker/space.ts',
    find: 'if (section.state === QUEUED) this.wake(this.#abandon(section));',
    replace: '',
    first: [HOLD],
  },
  {
    name: 'a hold has no time limit',
    file: 'tracker/gate.ts',
    find: 'if (reader.hold !== undefined && reader.deadline <= now) reader.expire();',
    replace: 'void reader;',
    first: [HOLD],
  },
  {
    name: 'the timer of holds is not cleared',
    file: 'tracker/gate.ts',
    find: 'if (this.holds.size === 0) this.#disarm();',
    replace: '',
    first: [HOLD],
  },
  // --- subscribers
  {
    name: 'drops one subscriber of many',
    file: 'tracker/answers.ts',
    find: '  for (const member of members) {\n    if (member.closed ||',
    replace: '  for (const member of [...members].slice(members.length > 2 ? 1 : 0)) {\n    if (member.closed ||',
    first: [SUBSCRIPTION],
  },
  {
    name: 'tells subscribers that were closed meanwhile',
    file: 'tracker/answers.ts',
    find: 'if (member.closed || member.since >= section.beginSeq) continue;',
    replace: 'if (member.since >= section.beginSeq) continue;',
    first: [SUBSCRIPTION],
  },
  {
    name: 'does not await what subscribers answer',
    file: 'tracker/space.ts',
    find: 'await answers.settled();',
    replace: 'answers.settled().catch(() => {});',
    first: [SUBSCRIPTION],
  },
  {
    name: 'a rolled back begin tells nobody',
    file: 'tracker/space.ts',
    find: 'this.end(section, answers.told);',
    replace: 'this.end(section, new Set());',
    first: [SUBSCRIPTION],
  },
  {
    name: 'a rolled back begin takes the counter back',
    file: 'tracker/space.ts',
    find: 'this.end(section, answers.told);',
    replace: 'this.end(section, answers.told);\n    this.seq = (this.seq - 2) as Seq;',
    first: [SUBSCRIPTION],
  },
  {
    name: 'a refused begin stays active',
    file: 'tracker/space.ts',
    find: 'this.end(section, answers.told);',
    replace: ';',
    first: [SUBSCRIPTION],
  },
  {
    name: 'a subscription that is closed stays in the tree',
    file: 'tracker/subscription.ts',
    find: '    deleteSpans(space.members, this.#handles);',
    replace: '',
    first: [MODEL],
  },
  {
    name: 'a subscription that is closed goes on answering tokens',
    file: 'tracker/subscription.ts',
    find: 'return this.closed || this.#space.closed ||',
    replace: 'return this.#space.closed ||',
    first: [SUBSCRIPTION],
  },
  // --- close
  {
    name: 'close leaves lookups waiting',
    file: 'tracker/space.ts',
    find: 'for (const waiter of section.waiters?.list() ?? []) if (waiter instanceof Reader) waiter.fail(error);',
    replace: '',
    first: [SUBSCRIPTION],
  },
  {
    name: 'close leaves queued begins waiting',
    file: 'tracker/space.ts',
    find: '      section.refuse(error);\n',
    replace: '',
    first: [SUBSCRIPTION],
  },

  // --- subscribers that are waited for
  {
    // Not "goes on for ever", which takes a minute to notice.
    name: 'feedback through callbacks goes twice as deep',
    file: 'tracker/answers.ts',
    find: 'if (times >= MOST_INSIDE) throw',
    replace: 'if (times >= 2 * MOST_INSIDE) throw',
    first: [FEEDBACK],
  },
  {
    name: 'feedback through promises goes on for twice as long',
    file: 'tracker/answers.ts',
    find: 'if (owed >= MOST_OWED) throw',
    replace: 'if (owed >= 2 * MOST_OWED) throw',
    first: [FEEDBACK],
  },
  {
    name: 'every level of a feedback wraps the error once more',
    file: 'tracker/answers.ts',
    find: 'if (feedback !== undefined) throw feedback.error;',
    replace: '',
    first: [FEEDBACK],
  },
  {
    name: 'a begin goes on waiting for a subscription that was closed',
    file: 'tracker/subscription.ts',
    find: 'for (const asked of [...(this.owes ?? [])]) asked.answered(this);',
    replace: '',
    first: [FEEDBACK],
  },
  {
    name: 'a subscriber is told all that changes, not its part',
    file: 'base/range.ts',
    find: 'return contains(others, spans) ? spans : intersect(others, spans);',
    replace: 'return spans;',
    first: [FEEDBACK],
  },
  {
    name: 'subscribers are told in the order of the tree',
    file: 'tracker/answers.ts',
    find: 'return members.size < 2 ? [...members] : [...members].sort((a, b) => a.order - b.order);',
    replace: 'return [...members];',
    first: [FEEDBACK],
  },
  {
    name: 'a bound that runs out does not end a begin that waits for a subscriber',
    file: 'tracker/parties.ts',
    find: 'this.asked?.giveUp(error);',
    replace: '',
    first: [BOUNDS],
  },
  {
    name: 'a bound that runs out does not end a begin that queues',
    file: 'tracker/parties.ts',
    find: 'this.refuse(error);',
    replace: '',
    first: [BOUNDS],
  },
  {
    name: 'a close that is given up leaves begins waiting for a subscriber that will never answer',
    file: 'tracker/space.ts',
    find: 'if (!released) for',
    replace: 'if (released) for',
    first: [BOUNDS],
  },
];
