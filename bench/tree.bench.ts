/**
 * Tree: the interval tree beside the structures that npm offers for the same work, a sorted array, and a red-black tree in C.
 *
 * For each number of live intervals: remove one + insert one, one overlap test, one visit of all that overlap a window, and
 * what an interval takes in memory. All do the same seeded work and must find the same intervals; who does not is named. Each
 * structure has a process of its own (bench/peers/tree-cell.ts says why), the processes take turns, and a sample is the best of
 * many short ones, so that a busy machine hits all alike. Compare ratios, not nanoseconds.
 */
import { Cell, withProgram } from './peers/cells.js';
import { type Native, withNative } from './peers/native.js';
import type { Answer, Order } from './peers/tree-cell.js';
import type { TreeSubject } from './peers/tree-peer.js';
import { type Digest, type Step, Stretches, TREE_SEED, TreeWork } from './peers/tree-work.js';
import { TREES } from './peers/trees.js';
import { type Measure, OWN, type Suite, type SuiteContext, type SuiteResult } from './report/measure.js';

interface Effort {
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Of one operation in one round. */
  readonly seconds: number;
  /** How long a structure may take to be filled and checked, and again to be weighed. */
  readonly withinMs: number;
  /** Operations in each of the twenty rounds that the C program takes the best of. */
  readonly native: number;
}

const FULL: Effort = { sizes: [8, 64, 1024, 16_384, 262_144], rounds: 3, seconds: 0.2, withinMs: 6000, native: 20_000 };
const QUICK: Effort = { sizes: [64, 16_384], rounds: 3, seconds: 0.013, withinMs: 1000, native: 3000 };

const STEPS: readonly Step[] = ['churn', 'test', 'visit'];
/** How the operations are called in tables. */
export const TREE_TITLES: Readonly<Record<Step, string>> = {
  churn: 'remove + insert',
  test: 'overlap test',
  visit: 'enumerate about 10',
};
const WEIGHT = 'memory per interval, heap and buffers';
const YARDSTICK = 'C, red-black tree';
/** How the ratio to the C program is called. */
export const toNative = (step: Step): string => `${TREE_TITLES[step]}, as a multiple of C`;

/** What making it anew for every change is measured up to. */
const MOST_REBUILT = 1024;

/** One structure at one size. */
interface Contestant {
  readonly name: string;
  /** Nanoseconds of each operation; one that is left out has been noted. */
  round(): Promise<Partial<Record<Step, number>>>;
  /** Bytes of one interval. */
  weigh(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** What must be said once, with all the sizes it is true of. */
class Notes {
  readonly #sizes = new Map<string, Set<number>>();

  add(text: string, size: number): void {
    const sizes = this.#sizes.get(text);
    if (sizes === undefined) this.#sizes.set(text, new Set([size]));
    else sizes.add(size);
  }

  get lines(): string[] {
    return [...this.#sizes].map(([text, sizes]) => `${text} (n = ${[...sizes].map((n) => n.toLocaleString('en')).join('; ')}).`);
  }
}

/** Measures by title, subject and place, a sample a round. */
class Samples {
  readonly #measures = new Map<string, Measure & { samples: number[] }>();

  add(measure: Omit<Measure, 'samples' | 'better'>, sample: number): void {
    const key = JSON.stringify([measure.title, measure.subject, measure.at]);
    const known = this.#measures.get(key);
    if (known === undefined) this.#measures.set(key, { ...measure, better: 'less', samples: [sample] });
    else known.samples.push(sample);
  }

  get all(): Measure[] {
    return [...this.#measures.values()];
  }
}

/** A structure in a process of its own. */
class TreeContestant implements Contestant {
  readonly name: string;
  readonly #cell: Cell<Order, Answer>;
  readonly #size: number;
  readonly #effort: Effort;
  readonly #notes: Notes;
  readonly #leftOut = new Set<Step>();
  #rebuild: boolean;

  constructor(subject: TreeSubject, program: string, at: { size: number; effort: Effort; notes: Notes }) {
    this.name = subject.name;
    this.#cell = new Cell(program, [subject.name, String(at.size)]);
    this.#size = at.size;
    this.#effort = at.effort;
    this.#notes = at.notes;
    this.#rebuild = subject.make === undefined;
  }

  /** True if it finds what it must, if need be without changing in place. */
  async prepare(expected: Digest, canBeBuilt: boolean): Promise<boolean> {
    if (this.#rebuild && this.#size > MOST_REBUILT && !this.#leftOut.has('churn')) {
      this.#skipChurn('cannot be changed, and making this many anew takes long,');
    }
    const fault = await this.#fault(expected);
    if (fault === undefined) return true;
    const { why, slow } = fault;
    if (!slow && (this.name === OWN || this.name === 'sorted array')) throw new Error(`${this.name}, ${this.#size}: ${why}`);
    if (this.#rebuild || !canBeBuilt) {
      this.#note(`${why}; left out`);
      return false;
    }
    this.#rebuild = true;
    this.#skipChurn(`${why}; made at once, without any removal,`);
    return this.prepare(expected, false);
  }

  async round(): Promise<Partial<Record<Step, number>>> {
    const times: Partial<Record<Step, number>> = {};
    for (const step of STEPS) {
      if (this.#leftOut.has(step)) continue;
      const answer = await this.#cell.ask({ do: 'time', step, seconds: this.#effort.seconds });
      if ('ns' in answer) times[step] = answer.ns;
      else this.#failed(step, answer);
    }
    return times;
  }

  async weigh(): Promise<number | undefined> {
    const answer = await this.#cell.ask({ do: 'weigh', rebuild: this.#rebuild, withinMs: this.#effort.withinMs });
    if ('bytes' in answer) return answer.bytes;
    this.#note(`was not weighed: ${'why' in answer ? answer.why : 'no answer'}`);
    return undefined;
  }

  close(): Promise<void> {
    return this.#cell.close();
  }

  /** What is wrong with what it finds. */
  async #fault(expected: Digest): Promise<{ why: string; slow: boolean } | undefined> {
    const answer = await this.#cell.ask({ do: 'prepare', rebuild: this.#rebuild, withinMs: this.#effort.withinMs });
    const after = this.#rebuild ? '' : ' after random insert and remove';
    if ('failed' in answer) {
      const slow = answer.failed === 'slow';
      return { why: slow ? answer.why : `fails${after}: ${answer.why}`, slow };
    }
    const { hits, sum } = (answer as { digest: Digest }).digest;
    if (hits === expected.hits && sum === expected.sum) return undefined;
    return { why: `answers wrongly${after}`, slow: false };
  }

  #failed(step: Step, answer: Answer): void {
    if (!('failed' in answer)) throw new Error(`${this.name} answered something else: ${JSON.stringify(answer)}`);
    if (answer.failed === 'broken') throw new Error(`${this.name}, ${this.#size} intervals: ${answer.why}`);
    this.#leftOut.add(step);
    this.#note(`${TREE_TITLES[step]} was left out: more than 2 s for a few samples`);
  }

  #skipChurn(why: string): void {
    this.#leftOut.add('churn');
    this.#note(`${why} so ${TREE_TITLES.churn} was left out`);
  }

  #note(text: string): void {
    this.#notes.add(`${this.name}: ${text}`, this.#size);
  }
}

function nativeContestant(native: Native, size: number, operations: number): Contestant {
  return {
    name: YARDSTICK,
    round: () => native.time(size, operations),
    weigh: () => native.weigh(size),
    close: async () => {},
  };
}

function rightAnswers(size: number): Digest {
  const work = new TreeWork(new Stretches(), size);
  work.fill();
  return work.check();
}

/** Everything of one size. */
class Heat {
  readonly #size: number;
  readonly #effort: Effort;
  readonly #samples: Samples;
  readonly #notes: Notes;
  readonly #contestants: Contestant[] = [];

  constructor(size: number, to: { effort: Effort; samples: Samples; notes: Notes }) {
    this.#size = size;
    this.#effort = to.effort;
    this.#samples = to.samples;
    this.#notes = to.notes;
  }

  async run(program: string, native: Native | string): Promise<void> {
    try {
      await this.#gather(program, native);
      for (let round = 0; round < this.#effort.rounds; round++) await this.#round();
      for (const contestant of this.#contestants) {
        const bytes = await contestant.weigh();
        if (bytes !== undefined) this.#add(WEIGHT, contestant.name, 'bytes', bytes);
      }
    } finally {
      await Promise.all(this.#contestants.map((contestant) => contestant.close()));
    }
  }

  async #gather(program: string, native: Native | string): Promise<void> {
    const size = this.#size;
    const expected = rightAnswers(size);
    for (const subject of TREES) {
      const contestant = new TreeContestant(subject, program, { size, effort: this.#effort, notes: this.#notes });
      // Entered first, so that it is ended whatever happens.
      this.#contestants.push(contestant);
      if (await contestant.prepare(expected, subject.build !== undefined)) continue;
      this.#contestants.pop();
      await contestant.close();
    }
    if (typeof native === 'string') return;
    const { hits, sum } = await native.digest(size);
    if (hits !== expected.hits || sum !== expected.sum) throw new Error(`${YARDSTICK}, ${size} intervals: answers wrongly`);
    this.#contestants.push(nativeContestant(native, size, this.#effort.native));
  }

  async #round(): Promise<void> {
    const times = new Map<string, Partial<Record<Step, number>>>();
    for (const contestant of this.#contestants) times.set(contestant.name, await contestant.round());
    for (const [subject, own] of times) {
      for (const step of STEPS) if (own[step] !== undefined) this.#add(TREE_TITLES[step], subject, 'ns', own[step]);
    }
    const native = times.get(YARDSTICK);
    if (native === undefined) return;
    for (const step of STEPS) {
      const own = times.get(OWN)?.[step];
      if (own !== undefined) this.#add(toNative(step), OWN, 'ratio', own / native[step]!);
    }
  }

  #add(title: string, subject: string, unit: Measure['unit'], sample: number): void {
    this.#samples.add({ title, subject, at: { n: this.#size }, unit }, sample);
  }
}

const STANDING_NOTES = [
  'Intervals are 1 to 64 long, with 64 numbers of space for each; six tests in ten hit. A window of 608 overlaps about 10 intervals, and at n = 8 those of the 8 that lie there.',
  'Memory includes what the owner must keep to remove an interval: a handle, a key, a record.',
  'flatbush never changes: its remove + insert is making all of it anew, up to 1,024 intervals.',
  'node-interval-tree has no overlap test: it collects everything that overlaps.',
  'The sorted array walks as far back as the longest interval ever held reaches: with one very long interval, every query walks everything.',
  'The C program has its nodes in one block and checks no argument.',
];

async function run({ quick, progress }: SuiteContext): Promise<SuiteResult> {
  const effort = quick ? QUICK : FULL;
  const samples = new Samples();
  const notes = new Notes();
  const skipped = await withNative(async (native) => {
    await withProgram('tree-cell', async (program) => {
      for (const size of effort.sizes) {
        progress(`${size.toLocaleString('en')} intervals`);
        await new Heat(size, { effort, samples, notes }).run(program, native);
      }
    });
    return typeof native === 'string' ? [`The C program was skipped: ${native}.`] : [];
  });
  return { suite: 'tree', measures: samples.all, notes: [...skipped, ...notes.lines, ...STANDING_NOTES] };
}

/** See the top of the file. */
export const treeSuite: Suite = {
  name: 'tree',
  title: 'The interval tree beside other structures, and beside C',
  seeds: [TREE_SEED],
  run,
};
