/**
 * Faults of the explorer; see faults.ts.
 */
import type { Fault } from './faults.js';

const COUNTING = 'test/explorer/explorer.test.ts';
const PRUNING = 'test/explorer/pruning.test.ts';
const BUGS = 'test/explorer/bugs.test.ts';
const REPORTS = 'test/explorer/reports.test.ts';
const CHECK_POINTS = 'test/explorer/check-points.test.ts';

/** Wrong behaviour of `explore`, `sample` and `replay`, one at a time. */
export const EXPLORER_FAULTS: readonly Fault[] = [
  {
    name: 'the explorer never turns back at the first choice of all',
    file: 'testing/explorer/search.ts',
    find: 'if (last.at >= 0) return true;',
    replace: 'if (last.at >= 0 && this.#stack.length > 1) return true;',
    first: [COUNTING],
  },
  {
    name: 'the explorer sees the first strand of an actor only',
    file: 'testing/explorer/run.ts',
    find: 'for (const step of steps) if (!this.#isTooEarly(step)) all.push(step);',
    replace: 'for (const step of steps.slice(0, 1)) if (!this.#isTooEarly(step)) all.push(step);',
    first: [COUNTING],
  },
  {
    name: 'the explorer goes on before all microtasks have run',
    file: 'testing/explorer/settler.ts',
    find: 'if (this.#waiting.push(resolve) === 1) this.#channel.port2.postMessage(undefined);',
    replace: 'resolve();',
    first: [COUNTING],
  },
  {
    name: 'explorations that run side by side wake one of them only',
    file: 'testing/explorer/settler.ts',
    find: 'for (const proceed of waiting) proceed(isSettled);',
    replace: 'waiting[0]?.(isSettled);',
    first: [COUNTING],
  },
  {
    name: 'a run that was cut counts as a schedule',
    file: 'testing/explorer/search.ts',
    find: 'this.#cut++;',
    replace: 'this.#schedules++;',
    first: [PRUNING],
  },
  {
    name: 'two steps that read and write the same thing are independent',
    file: 'testing/explorer/search.ts',
    find: 'return writes.some((name) => reads.includes(name) || others.includes(name));',
    replace: 'return writes.some((name) => others.includes(name));',
    first: [PRUNING],
  },
  {
    name: 'readers of the same thing depend on each other',
    file: 'testing/explorer/search.ts',
    find: 'return writes.some((name) => reads.includes(name) || others.includes(name));',
    replace: 'return [...writes, ...reads].some((name) => reads.includes(name) || others.includes(name));',
    first: [PRUNING],
  },
  {
    name: 'a step that wakes somebody is believed when it says what it touches',
    file: 'testing/explorer/search.ts',
    find: 'if (a.actor === b.actor || !a.alone || !b.alone ||',
    replace: 'if (a.actor === b.actor ||',
    first: [PRUNING],
  },
  {
    name: 'whoever sleeps sleeps on, whatever is done',
    file: 'testing/explorer/search.ts',
    find: 'return last.sleep.filter((sleeper) => areIndependent(sleeper, step));',
    replace: 'return last.sleep.filter((sleeper) => sleeper.actor >= 0 || step);',
    first: [PRUNING],
  },
  {
    name: 'what goes on from a known state is not counted',
    file: 'testing/explorer/search.ts',
    find: 'this.#count(known.orders);',
    replace: '',
    first: [PRUNING],
  },
  {
    name: 'a state does not say where the actors stand',
    file: 'testing/explorer/run.ts',
    find: "places.join(' ')",
    replace: 'places.length',
    first: [PRUNING],
  },
  {
    name: 'twins start in any order',
    file: 'testing/explorer/run.ts',
    find: 'return ordinal === 0 && elder >= 0 &&',
    replace: 'return ordinal < 0 && elder >= 0 &&',
    first: [PRUNING],
  },
  {
    name: 'twins take all their steps in order',
    file: 'testing/explorer/run.ts',
    find: 'return ordinal === 0 && elder >= 0 && this.#standing[elder]![0]?.ordinal === 0;',
    replace: 'return ordinal >= 0 && elder >= 0 && this.#standing[elder]!.length > 0;',
    first: [PRUNING],
  },
  {
    name: 'who waits for ever counts as done',
    file: 'testing/explorer/run.ts',
    find: 'const waiting = this.names.filter((_, i) => !this.#done[i]);',
    replace: 'const waiting = this.names.filter((_, i) => this.#calls[i]! < 0);',
    first: [BUGS],
  },
  {
    name: 'the check of a scenario is not called after a step',
    file: 'testing/explorer/run.ts',
    find: 'const isAlone = await this.retake(step);\n    this.#look();',
    replace: 'const isAlone = await this.retake(step);',
    first: [BUGS],
  },
  {
    name: 'priorities never change during a sample',
    file: 'testing/explorer/sample.ts',
    find: 'if (changes.has(taken)) priorities',
    replace: 'if (changes.has(-1 - taken)) priorities',
    first: [BUGS],
  },
  {
    name: 'a replay goes on to the end',
    file: 'testing/explorer/explorer.ts',
    find: 'const isOver = run.standing.length === 0;',
    replace: 'while (run.standing.length > 0) await run.take(run.standing[0]!);\n    const isOver = run.standing.length === 0;',
    first: [REPORTS],
  },
  {
    name: 'a schedule does not say which strand',
    file: 'testing/explorer/report.ts',
    find: 'strand === 0 ?',
    replace: 'strand >= 0 ?',
    first: [REPORTS],
  },
  {
    name: 'a diagram says of whom, and not what',
    file: 'testing/explorer/report.ts',
    find: 'each.mark',
    replace: 'each.actor',
    first: [REPORTS],
  },
  {
    name: 'code behind an await of a promise of the library goes on at once',
    file: 'testing/explorer/check-points.ts',
    find: 'if (place === undefined || !(result instanceof Promise)) return result;',
    replace: 'if (place !== undefined || !(result instanceof Promise)) return result;',
    first: [CHECK_POINTS],
  },
  {
    name: 'a check point touches everything',
    file: 'testing/explorer/check-points.ts',
    find: 'now === undefined || now === place ? touches : undefined',
    replace: 'now === undefined && now !== place ? touches : undefined',
    first: [CHECK_POINTS],
  },
  {
    name: 'a check point loses a rejection',
    file: 'testing/explorer/check-points.ts',
    find: '        throw error;',
    replace: '        return error as never;',
    first: [CHECK_POINTS],
  },
  {
    name: 'the methods stay replaced after an exploration',
    file: 'testing/explorer/check-points.ts',
    find: '    for (const restore of this.#restore.splice(0)) restore();\n',
    replace: '',
    first: [CHECK_POINTS],
  },
  {
    name: 'the promises of a subscription, of a mirror or of a fenced cache have no check point',
    file: 'base/outlets.ts',
    find: '  outlets.push({ prototype, methods });',
    replace: '  if (outlets.length === 0 || methods.length > 2) outlets.push({ prototype, methods });',
    first: [CHECK_POINTS],
  },
  {
    name: 'without AsyncLocalStorage nobody has a check point',
    file: 'testing/explorer/check-points.ts',
    find: '    this.#taking = place;',
    replace: '',
    first: [CHECK_POINTS],
  },
  {
    name: 'a step that says what it touches under another name touches nothing',
    file: 'testing/explorer/run.ts',
    find: "checkNames(touches, TOUCHES, 'step');",
    replace: '',
    first: ['test/base/options.test.ts'],
  },
];
