/**
 * Faults of what a tracker and a keyed fence offer to those who share them with other processes; see faults.ts.
 */
import type { Fault } from './faults.js';

const LAPSE = 'test/tracker/lapse.test.ts';

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
];
