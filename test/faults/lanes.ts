/**
 * Faults of the lanes of a lookup (lib/tracker/flight.ts): what is promised on one of them is promised on each.
 */
import type { Fault } from './faults.js';

const LANES = 'test/tracker/lanes.test.ts';
const FORGETTING = 'test/tracker/forgetting.test.ts';

/** All of them. */
export const LANE_FAULTS: readonly Fault[] = [
  {
    name: 'lanes: the fast lane commits without a check',
    file: 'tracker/flight.ts',
    find: 'return this.collides() ? this.lose(isEarly) : this.install(value);',
    replace: 'return this.hold !== undefined && this.collides() ? this.lose(isEarly) : this.install(value);',
    first: [LANES],
  },
  {
    name: 'lanes: the hot lane commits without a check',
    file: 'tracker/flight.ts',
    find: 'return this.collides() ? this.lose(isEarly) : this.install(value);',
    replace: 'return this.hold === undefined && this.collides() ? this.lose(isEarly) : this.install(value);',
    first: [LANES],
  },
  {
    name: 'lanes: the slow lane commits without a check',
    file: 'tracker/lookup.ts',
    find: 'if (!attempt.collides()) return this.install(attempt, value);',
    replace: 'return this.install(attempt, value);',
    first: [LANES],
  },
  {
    name: 'lanes: the token is taken after the fetch began',
    file: 'tracker/flight.ts',
    find: 'const value = fetch(this);\n      const promise = assimilate(value);\n      if (promise === undefined) return Promise',
    replace:
      'const value = fetch(this);\n      this.restart();\n      const promise = assimilate(value);\n      if (promise === undefined) return Promise',
    first: [LANES],
  },
  {
    name: 'lanes: the token is taken after the fetch began, where it has waited for its turn',
    file: 'tracker/flight.ts',
    find: 'const value = fetch(this);\n      const promise = assimilate(value);\n      if (promise === undefined) return resolve',
    replace:
      'const value = fetch(this);\n      this.restart();\n      const promise = assimilate(value);\n      if (promise === undefined) return resolve',
    first: [LANES],
  },
  {
    name: 'lanes: the token is of before the wait',
    file: 'tracker/flight.ts',
    find: '      this.restart();\n',
    replace: '',
    first: [LANES],
  },
  {
    name: 'lanes: an error of an attempt that was hit is passed on',
    file: 'tracker/flight.ts',
    find: 'if (this.collides()) return this.lose(isEarly);\n    throw',
    replace: 'throw',
    first: [LANES],
  },
  {
    name: 'lanes: an attempt that ends in an error keeps its hold',
    file: 'tracker/flight.ts',
    find: 'this.finish({ error });\n    this.release();',
    replace: 'this.finish({ error });',
    first: [LANES],
  },
  {
    name: 'lanes: a fetch that is hit in its own turn is called again in that turn',
    file: 'tracker/flight.ts',
    find: 'return Promise.resolve(this.land(value as T, true));',
    replace: 'return Promise.resolve(this.land(value as T));',
    first: [LANES],
  },
  {
    name: 'lanes: a fetch that is hit in its own turn, after a wait, is called again in that turn',
    file: 'tracker/flight.ts',
    find: 'return resolve(this.land(value as T, true));',
    replace: 'return resolve(this.land(value as T));',
    first: [LANES],
  },
  {
    name: 'lanes: a lookup joins a hold after a begin has queued over it',
    file: 'tracker/gate.ts',
    find: 'hold.joinable = false;\n    if (hold.admitted)',
    replace: 'if (hold.admitted)',
    first: [LANES],
  },
  {
    name: 'lanes: a lookup joins a hold that was crossed',
    file: 'tracker/gate.ts',
    find: 'return isSame && hold.joinable && !hold.crossed;',
    replace: 'return isSame && hold.joinable;',
    first: [LANES],
  },
  {
    name: 'lanes: a crossed hold vouches for what is forgotten',
    file: 'tracker/attempt.ts',
    find: 'hold?.admitted === true && !hold.crossed && (',
    replace: 'hold?.admitted === true && (',
    first: [FORGETTING],
  },
  {
    name: 'lanes: whoever wakes a hold runs its lookups in its own context',
    file: 'tracker/flight.ts',
    find: 'turn.then(() => this.turned(resolve, reject));',
    replace:
      'void turn; const hold = this.hold!; const open = hold.open.bind(hold); hold.open = () => { open(); this.turned(resolve, reject); };',
    first: [LANES],
  },
  {
    name: 'lanes: the time of a hold runs from the start',
    file: 'tracker/gate.ts',
    find: 'if (spans.length === 2) this.#open.set(spans[0]!, hold);',
    replace: 'if (spans.length === 2) this.#open.set(spans[0]!, hold);\n    this.#contest(hold);\n    hold.joinable = true;',
    first: [LANES],
  },
  {
    name: 'lanes: a hold that has no deadline of its own never ends',
    file: 'tracker/gate.ts',
    find: 'hold.deadline = this.turn.now() + hold.holdMs;\n    this.#arm(hold.deadline);',
    replace: '',
    first: [LANES],
  },
  {
    name: 'lanes: a begin that does not wait is refused for ever',
    file: 'tracker/gate.ts',
    find: 'visitSpans(this.holds.tree, section.spans, (hold) => this.#limit(hold));',
    replace: '',
    first: [LANES],
  },
  {
    name: 'lanes: a section of many ranges makes long fetches look short',
    file: 'tracker/space.ts',
    find: 'this.gate.heat.begun(this.activeCount);',
    replace: 'this.gate.heat.begun(this.gate.active.size);',
    first: [LANES],
  },
  {
    name: 'tracker: a section counts as active only after the filters of holds were asked about it',
    file: 'tracker/space.ts',
    find: 'this.activeCount++;\n    this.gate.activate(section);',
    replace: 'this.gate.activate(section);\n    this.activeCount++;',
    first: ['test/tracker/hold.test.ts'],
  },
  {
    name: 'lanes: long fetches hold for ever',
    file: 'tracker/heat.ts',
    find: 'if (this.#everywhere > 0) this.#spread(contested ? 1 : 0, weight);',
    replace: '',
    first: [LANES],
  },
  {
    name: 'lanes: long fetches are not told from short ones',
    file: 'tracker/heat.ts',
    find: 'if (this.#everywhere >= HOT_IF_LONG && this.#length >= LONG) return true;',
    replace: '',
    first: [LANES],
  },
];
