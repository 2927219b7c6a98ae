/**
 * The interval tree beside a red-black tree in C and the two npm packages that stay correct under insert and remove.
 *
 *   tsx bench/interval-tree.bench.ts [--full]
 *
 * Two figures for each number of live intervals: remove one + insert one ("churn"), and one overlap test. Everyone does the
 * same seeded work and must count the same hits, or the run fails. Rounds are interleaved, figures are medians over the
 * rounds of the best sample in each, so a busy machine hits all alike; compare ratios, not nanoseconds. At 262,144 intervals the npm packages take minutes, so they
 * are left out there without --full.
 *
 * Each measurement has a process of its own, as the C program has: in a shared one the loop around the calls would have seen
 * every structure, and the engine would no longer compile the calls into it, which costs the fastest structure the most.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import FlattenTree from '@flatten-js/interval-tree';
import Benchmark from 'benchmark';
import RBush from 'rbush';
import { type Handle, IntervalTree } from '../lib/interval-tree.js';

const SIZES = [8, 64, 1024, 16_384, 262_144];
const ROUNDS = 3;
/** Operations in one call of benchmark.js, so that its own cost (some 10 ns a call) does not show. */
const BATCH = 500;
/** From here on the npm packages are measured with --full only. */
const LARGE = 100_000;
/** Operations after which the hits of all are compared. */
const CHECKED = 500;
const full = process.argv.includes('--full');

/** A structure under test. Intervals have whole bounds, so for those who know closed ones only, end - 1 is as good as `end`. */
interface Subject {
  /** Puts interval `index` in. */
  insert(index: number, start: number, end: number): void;
  /** Takes interval `index` out. */
  remove(index: number): void;
  overlaps(start: number, end: number): boolean;
}

function ours(): Subject {
  const tree = new IntervalTree();
  const handles: Handle[] = [];
  return {
    insert: (index, start, end) => {
      handles[index] = tree.insert(start, end);
    },
    remove: (index) => {
      tree.delete(handles[index]!);
    },
    overlaps: (start, end) => tree.overlaps(start, end),
  };
}

function flatten(): Subject {
  const tree = new FlattenTree<number>();
  const keys: [number, number][] = [];
  return {
    insert: (index, start, end) => {
      const key: [number, number] = [start, end - 1];
      keys[index] = key;
      tree.insert(key, index);
    },
    remove: (index) => {
      tree.remove(keys[index]!, index);
    },
    overlaps: (start, end) => tree.intersect_any([start, end - 1]),
  };
}

function rbush(): Subject {
  interface Box {
    minX: number;
    maxX: number;
    minY: number;
    maxY: number;
  }
  const tree = new RBush<Box>();
  const boxes: Box[] = [];
  // Height 1, not 0: without area it cannot tell good splits from bad ones.
  const box = (start: number, end: number): Box => ({ minX: start, maxX: end - 1, minY: 0, maxY: 1 });
  return {
    insert: (index, start, end) => {
      const added = box(start, end);
      boxes[index] = added;
      tree.insert(added);
    },
    remove: (index) => {
      tree.remove(boxes[index]!);
    },
    overlaps: (start, end) => tree.collides(box(start, end)),
  };
}

const makers: Record<string, () => Subject> = { rangefence: ours, '@flatten-js': flatten, rbush };

/** The work of bench/native/interval-tree.c: xorshift32, 64 numbers of space and one interval of length 1 to 64 for each. */
class Work {
  hits = 0;
  #state = 2463534242 | 0;
  readonly #size: number;
  readonly #subject: Subject;

  constructor(subject: Subject, size: number) {
    this.#subject = subject;
    this.#size = size;
    for (let index = 0; index < size; index++) this.#place(index);
  }

  #draw(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state;
  }

  #place(index: number): void {
    const drawn = this.#draw();
    const start = drawn & (64 * this.#size - 1);
    this.#subject.insert(index, start, start + 1 + (drawn >>> 26));
  }

  churn(operations: number): void {
    for (let i = 0; i < operations; i++) {
      const index = this.#draw() & (this.#size - 1);
      this.#subject.remove(index);
      this.#place(index);
    }
  }

  test(operations: number): void {
    for (let i = 0; i < operations; i++) {
      const drawn = this.#draw();
      const start = drawn & (64 * this.#size - 1);
      if (this.#subject.overlaps(start, start + 1 + (drawn >>> 26))) this.hits++;
    }
  }
}

/** Nanoseconds of one operation. `work` is called again and again; what it counts is the live sink. */
function measure(name: string, work: () => void): number {
  let seconds = 0;
  const benchmark = new Benchmark(name, { fn: work, minTime: 0.005, maxTime: 0.4, minSamples: 20 });
  benchmark
    .on('error', () => {
      throw (benchmark as Benchmark & { error?: unknown }).error;
    })
    .on('complete', () => {
      // The best of samples of 5 ms, not the mean: short enough to fit between two interruptions. So does the C program.
      seconds = Math.min(...(benchmark.stats?.sample ?? []));
    })
    .run();
  if (!(seconds > 0 && seconds < Infinity)) throw new Error(`${name} was not measured`);
  return (1e9 * seconds) / BATCH;
}

/** What a process finds out about one structure. */
interface Finding {
  /** Nanoseconds. */
  readonly churn: number;
  /** Nanoseconds. */
  readonly test: number;
  /** Hits of the twenty rounds of CHECKED operations that the C program does, too. */
  readonly hits: number;
}

function find(name: string, size: number): Finding {
  const work = new Work(makers[name]!(), size);
  for (let round = 0; round < 20; round++) {
    work.churn(CHECKED);
    work.test(CHECKED);
  }
  const { hits } = work;
  const churn = measure(name, () => work.churn(BATCH));
  const test = measure(name, () => work.test(BATCH));
  if (work.hits === hits) throw new Error(`${name}: nothing was hit`);
  return { churn, test, hits };
}

/** Compiles the C program into `folder`; undefined if there is no compiler. */
function compile(folder: string): ((size: number) => Finding) | undefined {
  const source = fileURLToPath(new URL('native/interval-tree.c', import.meta.url));
  const program = join(folder, 'interval-tree');
  try {
    execFileSync('cc', ['-O2', '-o', program, source], { stdio: 'pipe' });
  } catch (error) {
    console.log(`no C yardstick: cc -O2 failed (${(error as Error).message.split('\n')[0]})`);
    return undefined;
  }
  const call = (size: number, operations: number) =>
    execFileSync(program, [String(size), String(operations)])
      .toString()
      .split(' ')
      .map(Number);
  return (size) => {
    const [, churn, test] = call(size, 30_000);
    return { churn: churn!, test: test!, hits: call(size, CHECKED)[3]! };
  };
}

function inOwnProcess(name: string, size: number): Finding {
  const script = fileURLToPath(import.meta.url);
  return JSON.parse(execFileSync(process.execPath, [...process.execArgv, script, '--one', name, String(size)]).toString());
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function compare(native: ((size: number) => Finding) | undefined): void {
  for (const size of SIZES) {
    const rows = new Map<string, (size: number) => Finding>([['rangefence', (n) => inOwnProcess('rangefence', n)]]);
    if (native !== undefined) rows.set('C, red-black', native);
    if (size < LARGE || full) for (const name of ['@flatten-js', 'rbush']) rows.set(name, (n) => inOwnProcess(name, n));
    const findings = new Map([...rows.keys()].map((name): [string, Finding[]] => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, run] of rows) findings.get(name)!.push(run(size));
    }
    const hits = [...findings.values()].flat().map((finding) => finding.hits);
    if (new Set(hits).size !== 1 || hits[0] === 0) throw new Error(`${size} intervals: hits differ: ${hits.join(', ')}`);
    print(size, findings);
  }
}

function print(size: number, findings: ReadonlyMap<string, readonly Finding[]>): void {
  console.log(`\n${`${size.toLocaleString('en')} intervals`.padEnd(18)}       remove + insert         overlap test`);
  const base = findings.get('rangefence')!;
  for (const [name, own] of findings) {
    const cells = (['churn', 'test'] as const).map((key) => {
      const time = median(own.map((finding) => finding[key]));
      const times = time / median(base.map((finding) => finding[key]));
      return `${time.toFixed(0).padStart(8)} ns ${(own === base ? '' : `x ${times.toFixed(2)}`).padStart(8)}`;
    });
    console.log(`  ${name.padEnd(18)} ${cells.join('   ')}`);
  }
}

const one = process.argv.indexOf('--one');
if (one > 0) {
  console.log(JSON.stringify(find(process.argv[one + 1]!, Number(process.argv[one + 2]))));
} else {
  const folder = mkdtempSync(join(tmpdir(), 'rangefence-'));
  try {
    compare(compile(folder));
    console.log('\nx: that many times as long as the first line. Command: tsx bench/interval-tree.bench.ts [--full]');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
