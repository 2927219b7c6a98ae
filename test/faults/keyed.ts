/**
 * Faults of the keyed fence and of fenced caches; see faults.ts.
 */
import type { Fault } from './faults.js';

const FENCE = 'test/keyed/keyed-fence.test.ts';
const CACHE = 'test/keyed/fenced-cache.test.ts';
const RACE = 'test/keyed/fenced-cache.race.test.ts';

/** Wrong behaviour of `KeyedFence` and `fence`, one at a time. */
export const KEYED_FAULTS: readonly Fault[] = [
  {
    name: 'a key that a late observer may ask for is forgotten with its last user',
    file: 'keyed/table.ts',
    find: 'if (ended <= this.#wantedSince() || ended <= this.#forgotten) {',
    replace: 'if (ended <= this.#wantedSince() + 1e9) {',
    first: [FENCE],
  },
  {
    name: 'what was forgotten counts as never hit',
    file: 'keyed/table.ts',
    find: 'if (token >= this.#forgotten) return ranges;',
    replace: 'if (token >= -1) return ranges;',
    first: [FENCE],
  },
  {
    name: 'nothing is kept for tokens that were taken by hand',
    file: 'keyed/table.ts',
    find: 'if (this.#byHand === Number.POSITIVE_INFINITY) this.#byHand = this.#seq();',
    replace: '',
    first: [FENCE],
  },
  {
    name: 'a token by hand that is older than what was forgotten counts as good',
    file: 'keyed/table.ts',
    find: 'if (token < this.#forgotten) return undefined;',
    replace: '',
    first: [FENCE],
  },
  {
    name: 'an empty list of keys means all keys',
    file: 'keyed/table.ts',
    find: 'if (ranges[0]!.end <= 0) return NOTHING;',
    replace: '',
    first: [FENCE],
  },
  {
    name: 'retired keys are never let go',
    file: 'keyed/table.ts',
    find: 'if (wasOldest && this.#retired.size > 0 && this.#byHand === Number.POSITIVE_INFINITY) this.#purge();',
    replace: '',
    first: [FENCE],
  },
  {
    name: 'a key leaves the table while somebody else uses it',
    file: 'keyed/table.ts',
    find: 'if (--point.uses === 0) this.#retire(point);',
    replace: 'if (--point.uses >= 0) this.#retire(point);',
    first: [FENCE, RACE],
  },
  {
    name: 'keys that come while a condition changes are not hit by it',
    file: 'keyed/table.ts',
    find: 'if (mayMatch(condition, key)) gates.push(range);',
    replace: 'if (mayMatch(condition, key) && gates.length > 9) gates.push(range);',
    first: [FENCE],
  },
  {
    name: 'keys in flight are not hit by a condition',
    file: 'keyed/table.ts',
    find: 'if (mayMatch(gate.condition, point.key)) ranges.push(point.range);',
    replace: '',
    first: [FENCE],
  },
  {
    name: 'a condition that throws has said no',
    file: 'keyed/scope.ts',
    find: '  } catch {\n    return true;',
    replace: '  } catch {\n    return false;',
    first: [FENCE],
  },
  {
    name: 'the keys of a section stay in the table after its end',
    file: 'keyed/section.ts',
    find: '    this.changes.release();',
    replace: '',
    first: [FENCE],
  },
  {
    name: 'a begin that fails leaves its key in the table',
    file: 'keyed/keyed-fence.ts',
    find: '    changes.release();\n    return undefined;',
    replace: '    return undefined;',
    first: [FENCE],
  },
  {
    name: 'an entry is deleted without waiting for a set that is on its way',
    file: 'keyed/fenced-cache.ts',
    find: 'if (isBusy) return this.#drain(slots).then(() => this.#delete(change));',
    replace: '',
    first: [CACHE],
  },
  {
    name: 'a get that is on its way is not waited for',
    file: 'keyed/fenced-cache.ts',
    find: 'if (isThenable(got)) this.#running(slot, got);\n    return got;',
    replace: 'return got;',
    first: [CACHE, RACE],
  },
  {
    name: 'what is being stored is handed out after a change has begun',
    file: 'keyed/fenced-cache.ts',
    find: 'if (change.blockable) slot.storing = undefined;',
    replace: '',
    first: [CACHE],
  },
  {
    name: 'a load that was overtaken is waited for',
    file: 'keyed/fenced-cache.ts',
    find: 'slot.flight?.overtaken(change);',
    replace: '',
    first: [CACHE],
  },
  {
    name: 'an overtaken read of the cache begins its load all the same',
    file: 'keyed/flight.ts',
    find: '        if (run.over) return;\n        if (!store',
    replace: '        if (!store',
    first: [CACHE],
  },
  {
    name: 'the first answer of the cache counts although a change came in between',
    file: 'keyed/flight.ts',
    find: 'const isCurrent = first !== undefined && first.seq === attempt.seq;',
    replace: 'const isCurrent = first !== undefined;',
    first: [CACHE, RACE],
  },
  {
    name: 'the cache is asked without a lookup while a change is active',
    file: 'keyed/flight.ts',
    find: 'if (tracker.activeCount > 0 || ',
    replace: 'if (',
    first: [CACHE, RACE],
  },
  {
    name: 'the last caller leaves, and the load goes on',
    file: 'keyed/flight.ts',
    find: 'if (this.callers.length === 0) this.fail(error);',
    replace: '',
    first: [CACHE],
  },
  {
    name: 'the first caller to leave takes the others with it',
    file: 'keyed/flight.ts',
    find: 'if (this.callers.length === 0) this.fail(error);',
    replace: 'this.fail(error);',
    first: [CACHE],
  },
  {
    name: 'a value is stored by hand while somebody else changes the key',
    file: 'keyed/fenced-cache.ts',
    find: 'keyed.isAlone(section, since) ?',
    replace: 'since >= 0 ?',
    first: [CACHE],
  },
  {
    name: 'an entry that cannot be deleted does not stop the change',
    file: 'keyed/store.ts',
    find: "if (outcome.status === 'rejected') errors.push(outcome.reason);",
    replace: "if (outcome.status === 'rejected') errors.push();",
    first: [CACHE],
  },
  {
    name: 'a stored undefined counts as a miss',
    file: 'keyed/store.ts',
    find: 'return this.mayHave && this.cache.has!(key) === true;',
    replace: 'return this.mayHave && key === this;',
    first: [CACHE],
  },
  {
    name: 'the options of a call do not reach the set of the cache',
    file: 'keyed/fenced-cache.ts',
    find: 'stored = own === undefined ?',
    replace: 'stored = own !== slot ?',
    first: [CACHE],
  },
];
