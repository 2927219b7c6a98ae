/**
 * Faults of what a tracker and a keyed fence offer to those who share them with other processes; see faults.ts.
 */
import type { Fault } from './faults.js';

const LAPSE = 'test/tracker/lapse.test.ts';
const CONTRACT = 'test/contract/contract.test.ts';
const HOLD = 'test/tracker/hold.test.ts';
const TOLD = 'test/keyed/subscribers.test.ts';
const SIGNAL = 'test/tracker/signal.test.ts';

/** Wrong behaviour where a space is shared, one at a time. */
export const SHARING_FAULTS: readonly Fault[] = [
  {
    name: 'a check does not ask the guard',
    file: 'tracker/space.ts',
    find: 'if (this.guard !== undefined && !this.guard()) return HIT;',
    replace: '',
    first: [LAPSE],
  },
  {
    name: 'a lapse has no reason of its own',
    file: 'tracker/space.ts',
    find: "if (this.guard?.() === false) return { reason: 'lapsed' };",
    replace: '',
    first: [LAPSE],
  },
  {
    name: 'a lookup that has lapsed reads again before anybody has begun the section that it has to wait for',
    file: 'tracker/lookup.ts',
    find: "if (this.fetching || collision.reason === 'lapsed') Promise.resolve()",
    replace: 'if (this.fetching) Promise.resolve()',
    first: [LAPSE],
  },
  {
    name: 'a mirror that has lapsed is peeked at',
    file: 'mirror/mirror.ts',
    find: ' || pager.settings.tracker.lapsed',
    replace: '',
    first: [LAPSE],
  },
  {
    name: 'a mirror that has lapsed hands out what is present',
    file: 'mirror/mirror.ts',
    find: 'if (settings.tracker.lapsed) return undefined;',
    replace: '',
    first: [LAPSE],
  },
  {
    name: 'a read of a mirror that has lapsed ends with what was present',
    file: 'mirror/page-read.ts',
    find: 'if (this.#pager.settings.tracker.lapsed) this.#escalate();',
    replace: 'if (false) this.#escalate();',
    first: [LAPSE],
  },
  {
    name: 'a fenced cache that has lapsed is a hit',
    file: 'keyed/fenced.ts',
    find: 'if (this.#asksLate || tracker.lapsed || ',
    replace: 'if (this.#asksLate || ',
    first: [LAPSE],
  },
  {
    name: 'a fenced cache that has lapsed hands out what it is storing',
    file: 'keyed/fenced.ts',
    find: 'slot.storing !== undefined && !this.settings.keyed.tracker.lapsed',
    replace: 'slot.storing !== undefined',
    first: [LAPSE],
  },
  {
    name: 'a fenced cache that has lapsed is peeked at',
    file: 'keyed/fenced.ts',
    find: 'if (this.#subscription.closed || this.settings.keyed.tracker.lapsed) return undefined;',
    replace: 'if (this.#subscription.closed) return undefined;',
    first: [LAPSE],
  },
  {
    name: 'what an asynchronous cache has answered after a lapse is handed out',
    file: 'keyed/flight.ts',
    find: 'if (settings.keyed.tracker.lapsed) {',
    replace: 'if (false) {',
    first: [LAPSE],
  },
  {
    name: 'an urgent begin queues behind holds',
    file: 'tracker/gate.ts',
    find: 'if (section.urgent || !this.holds.overlaps(section.spans)) return undefined;',
    replace: 'if (section.within !== undefined || !this.holds.overlaps(section.spans)) return undefined;',
    first: [CONTRACT],
  },
  {
    name: 'an urgent begin that does not wait is refused for holds',
    file: 'tracker/gate.ts',
    find: 'if (this.holds.size === 0 || section.urgent) return false;',
    replace: 'if (this.holds.size === 0 || section.within !== undefined) return false;',
    first: [CONTRACT],
  },
  {
    name: 'the clock of a hold runs while it waits, and its lookup fails',
    file: 'tracker/lookup.ts',
    find: 'if (this.waitedMs > 0) {',
    replace: 'if (false) {',
    first: [HOLD],
  },
  {
    name: 'a hold that has waited has less than its time',
    file: 'tracker/lookup.ts',
    find: 'this.deadline += this.waitedMs;',
    replace: '',
    first: [CONTRACT],
  },
  {
    name: 'a hold that has waited has all its time again',
    file: 'tracker/lookup.ts',
    find: 'if (leftMs !== undefined) this.deadline = ',
    replace: 'if (false) this.deadline = ',
    first: [HOLD],
  },
  {
    name: 'a hold that has delayed a begin while it waited delays it further',
    file: 'tracker/lookup.ts',
    find: 'if (this.hold?.admitted !== true || this.space.gate.queued.overlaps(this.hold.spans)) return;',
    replace: 'if (this.hold?.admitted !== true) return;',
    first: [HOLD],
  },
  {
    name: 'a signal that is asked for after the loss never fires',
    file: 'tracker/parties.ts',
    find: 'if (this.lost !== undefined) this.controller.abort(this.lost.reason);',
    replace: '',
    first: [SIGNAL],
  },
  {
    name: 'subscribers of keys do not hear ends',
    file: 'keyed/told.ts',
    find: 'if (subscriber.end === undefined) return { invalidate };',
    replace: 'if (true) return { invalidate };',
    first: [TOLD],
  },
  {
    name: 'a prefix does not travel',
    file: 'keyed/table.ts',
    find: 'prefix: gates[0]!.prefix,',
    replace: 'prefix: undefined,',
    first: [TOLD],
  },
  {
    name: 'a prefix is somewhere in the key',
    file: 'keyed/scope.ts',
    find: 'key.startsWith(prefix)',
    replace: 'key.includes(prefix)',
    first: [TOLD],
  },
  {
    name: 'subscribers of keys do not hear in what a section is nested',
    file: 'keyed/told.ts',
    find: 'return within?.active ? new Change(',
    replace: 'return within?.blockable === undefined && within !== undefined ? new Change(',
    first: [TOLD],
  },
];
