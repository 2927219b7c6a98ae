/**
 * Faults of trackers that share a space with other threads; see faults.ts. They are seeded in this thread only, not in its workers. Wrong orders of the protocol's steps are seeded in
 * test/threads/steps.race.test.ts, which runs all orders of each.
 */
import type { Fault } from './faults.js';

const LINK = 'test/threads/link.test.ts';
const WORKERS = 'test/threads/workers.test.ts';

/** Wrong behaviour of `rangefence/threads`, and of the core where it asks its link, one at a time. */
export const THREADS_FAULTS: readonly Fault[] = [
  {
    name: 'threads: a commit on the fast lane does not say that it commits',
    file: 'tracker/flight.ts',
    find: '    link.open(this.base, this.observed);',
    replace: '    link.open([-1e9, -1e9 + 1], undefined);',
    first: [LINK],
  },
  {
    name: 'threads: a commit on the slow lane does not say that it commits',
    file: 'tracker/lookup.ts',
    find: '    link?.open(attempt.base, attempt.observed);',
    replace: '    link?.open([-1e9, -1e9 + 1], undefined);',
    first: [LINK],
  },
  {
    name: 'threads: a commit on the fast lane checks before it says that it commits',
    file: 'tracker/flight.ts',
    find: '    link.open(this.base, this.observed);\n    try {\n      if (!this.collides()) return this.install(value);',
    replace:
      '    const isHit = this.collides();\n    link.open(this.base, this.observed);\n    try {\n      if (!isHit) return this.install(value);',
    first: [WORKERS],
  },
  {
    name: 'threads: a check by hand does not say that it commits',
    file: 'threads/link.ts',
    find: '    this.#slot.linger(stripesOf(start, end, this.#grain));\n',
    replace: '    stripesOf(start, end, this.#grain);\n',
    first: [LINK],
  },
  {
    name: 'threads: an inner commit ends the turn of the outer one',
    file: 'threads/slot.ts',
    find: '    if (this.#depth === 0 && !this.#lingers) this.#close();',
    replace: '    this.#close();',
    first: [LINK],
  },
  {
    name: 'threads: what was observed is not committed over',
    file: 'threads/link.ts',
    find: 'this.#slot.open(more === undefined ? stripes : stripes | stripesOfSpans(more, this.#grain));',
    replace: 'this.#slot.open(more === undefined ? stripes : stripes | 0);',
    first: [LINK],
  },
  {
    name: 'threads: an error of a fetch is passed on before others are looked at, on the fast lane',
    file: 'tracker/flight.ts',
    find: '    this.space.link?.sync();\n    this.demandOpen();\n    if (this.collides()) return this.lose(isEarly);\n    throw',
    replace: '    this.demandOpen();\n    if (this.collides()) return this.lose(isEarly);\n    throw',
    first: [LINK],
  },
  {
    name: 'threads: a hold vouches for what was missed',
    file: 'tracker/gate.ts',
    find: '    for (const hold of this.holds.all()) hold.crossed = true;',
    replace: '',
    first: [LINK],
  },
  {
    name: 'threads: an observer moves what it observes',
    file: 'threads/link.ts',
    find: 'if (this.#hasLeft || this.#stillness > 0) return;',
    replace: 'if (this.#hasLeft) return;',
    first: [LINK],
  },
  {
    name: 'threads: a tracker that is closed leaves with sections open',
    file: 'threads/link.ts',
    find: 'if (this.#hasLeft || this.#sections > 0 || this.#waiting.size > 0) return;',
    replace: 'if (this.#hasLeft) return;',
    first: [LINK],
  },
  {
    name: 'threads: a begin that has waited for room is not published',
    file: 'threads/link.ts',
    find: '      if (this.#roomless.length > 0) this.#makeUseOfRoom();\n',
    replace: '',
    first: [LINK],
  },
  {
    name: 'threads: any begin may take the room of nested ones',
    file: 'threads/log.ts',
    find: '(isNested ? 0 : this.#reserve)',
    replace: '0',
    first: [LINK],
  },
  {
    name: 'threads: joined ranges leave something out',
    file: 'threads/log.ts',
    find: 'spans[2 * Math.floor(((i + 1) * ranges) / most) - 1]!',
    replace: 'spans[2 * Math.floor((i * ranges) / most) + 1]!',
    first: [LINK],
  },
  {
    name: 'threads: the further ranges of a section are not taken over from the table',
    file: 'threads/table.ts',
    find: 'if (whole !== undefined && whole.generation === part!.generation) whole.spans.push(...part!.spans);',
    replace: 'if (whole === undefined) continue;',
    first: [LINK],
  },
  {
    name: 'threads: subscribers that hear ends are not rung for them',
    file: 'threads/interests.ts',
    find: 'const stripes = awaited | this.#endHearing.stripes;',
    replace: 'const stripes = awaited;',
    first: [LINK],
  },
  {
    name: 'threads: attempts in flight are not rung for begins',
    file: 'threads/waits.ts',
    find: 'if ((words.load(of + HEARS) & stripes) !== 0) this.#bell.ring(thread);',
    replace: '',
    first: [LINK],
  },
  {
    name: 'threads: a subscriber that fails is not told to who begins',
    file: 'threads/link.ts',
    find: "    this.#post({ type: 'failed',",
    replace: "    void ({ type: 'failed',",
    first: [LINK],
  },
  {
    name: 'threads: the hub does not wait for onDeath',
    file: 'threads/shared-space.ts',
    find: '      await this.#repair(thread);',
    replace: '      void this.#repair(thread);',
    first: [WORKERS],
  },
  {
    name: 'threads: a section of another thread that a subscriber came after is told as ended to it',
    file: 'tracker/answers.ts',
    find: '    if (member.since >= seq) continue;\n',
    replace: '',
    first: [LINK],
  },
];
