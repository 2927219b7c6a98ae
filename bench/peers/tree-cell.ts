/**
 * Tree cell: one structure at one size, in a process of its own, which does what it is told by messages.
 *
 *     node --expose-gc tree-cell.mjs <name of the structure> <intervals>
 *
 * Own, because in a shared one the loop around the calls would have seen every structure, and the engine would no longer compile
 * the calls into it, which costs the fastest structure the most; and because nobody else's garbage is collected in it.
 */
import Benchmark from 'benchmark';
import { type Columns, type IntervalQueries, Rebuilt, type TreePeer } from './tree-peer.js';
import { type Digest, SlowError, type Step, TreeWork } from './tree-work.js';
import { treeNamed } from './trees.js';

/** What it can be told. */
export type Order =
  /** To fill it, and to find what everybody must find; `rebuild`: without its own way of changing. */
  | { readonly do: 'prepare'; readonly rebuild: boolean; readonly withinMs: number }
  /** To measure one operation for so long, if at least one sample a tenth of that long can be had. */
  | { readonly do: 'time'; readonly step: Step; readonly seconds: number }
  /** To weigh what it takes after it was in use. */
  | { readonly do: 'weigh'; readonly rebuild: boolean; readonly withinMs: number };

/** What it says. */
export type Answer =
  | { readonly digest: Digest }
  /** Nanoseconds of one operation. */
  | { readonly ns: number }
  /** Bytes of one interval. */
  | { readonly bytes: number }
  | { readonly failed: 'slow' | 'broken'; readonly why: string };

/** Operations in one call of benchmark.js, so that its own cost (some 10 ns a call) does not show. */
const MOST_IN_BATCH = 500;
/** Short enough to fit between two interruptions by other programs. So does the C program. */
const SAMPLE_SECONDS = 0.005;
const MIN_SAMPLES = 5;
/** The longest that the fewest samples may take: a cell that needs more is left out. */
const MOST_SECONDS = 2;
/** Intervals that are weighed together; smaller structures are made several times, or nothing would show. */
const WEIGHED = 16_384;
const MOST_CHURNED = 10_000;

const [, , name, argument] = process.argv;
const size = Number(argument);
const subject = treeNamed(name);
let work: TreeWork | undefined;
let rebuilt = false;

function makePeer(rebuild: boolean): TreePeer {
  if (!rebuild && subject.make !== undefined) return subject.make();
  return new Rebuilt(subject.build as (columns: Columns) => IntervalQueries);
}

function until(ms: number): () => boolean {
  const deadline = performance.now() + ms;
  return () => performance.now() < deadline;
}

function prepare({ rebuild, withinMs }: Order & { do: 'prepare' }): Answer {
  rebuilt = rebuild;
  const inTime = until(withinMs);
  work = new TreeWork(makePeer(rebuild), size);
  work.fill(inTime);
  return { digest: work.check(inTime) };
}

function time({ step, seconds }: Order & { do: 'time' }): Answer {
  const own = work!;
  const run = step === 'churn' && rebuilt ? (n: number) => own.churnSettled(n) : (n: number) => own[step](n);
  const estimate = estimateSeconds(run);
  if (estimate * MIN_SAMPLES > MOST_SECONDS) return { failed: 'slow', why: `${(1000 * estimate).toFixed(0)} ms an operation` };
  const batch = Math.max(1, Math.min(MOST_IN_BATCH, Math.floor(SAMPLE_SECONDS / estimate)));
  const before = own.digest;
  const best = bestSample(`${name}, ${step}`, () => run(batch), { seconds, estimate: estimate * batch });
  // What the measured operations found, or put there to be found, is the live sink.
  if (step === 'churn') own.test(MOST_IN_BATCH);
  const { hits, sum } = own.digest;
  if (hits === before.hits && sum === before.sum) throw new Error(`${name}, ${step}: nothing was found`);
  return { ns: (1e9 * best) / batch };
}

/** Seconds of one operation, roughly. */
function estimateSeconds(run: (operations: number) => void): number {
  for (let operations = 1; ; operations *= 4) {
    const began = performance.now();
    run(operations);
    const ms = performance.now() - began;
    if (ms >= 1 || operations > MOST_IN_BATCH) return ms / 1000 / operations;
  }
}

/** Seconds of one call. The best of many short samples, not their mean: the others have been interrupted. */
function bestSample(title: string, call: () => void, { seconds, estimate }: { seconds: number; estimate: number }): number {
  const bench = new Benchmark(title, {
    ...{ fn: call, minTime: SAMPLE_SECONDS, maxTime: seconds, minSamples: MIN_SAMPLES },
    // Where a sample begins to count; without it most of the time would go into finding out.
    initCount: Math.max(1, Math.ceil(SAMPLE_SECONDS / estimate)),
  });
  bench.on('error', () => {
    throw (bench as Benchmark & { error?: unknown }).error;
  });
  bench.run();
  const best = Math.min(...bench.stats.sample);
  if (!(best > 0 && best < Infinity)) throw new Error(`${title} was not measured`);
  return best;
}

function weigh({ rebuild, withinMs }: Order & { do: 'weigh' }): Answer {
  const inTime = until(withinMs);
  work = undefined;
  const copies = Math.max(1, WEIGHED / size);
  const before = bytes();
  const peers = Array.from({ length: copies }, () => {
    const peer = makePeer(rebuild);
    const own = new TreeWork(peer, size);
    own.fill(inTime);
    own.churn(Math.min(2 * size, MOST_CHURNED));
    peer.settle?.();
    return peer;
  });
  const after = bytes();
  // Used once more, or there would be nothing left to weigh: the engine and the bundler drop what nobody asks.
  if (!peers.every((peer) => peer.overlaps(0, 64 * size))) throw new Error('an interval was lost');
  return { bytes: (after - before) / (copies * size) };
}

/** Everything that is reachable: the heap, and what hangs outside of it. */
function bytes(): number {
  // Twice: the first may leave what weak references have only just let go of.
  for (let i = 0; i < 2; i++) globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function obey(order: Order): Answer {
  try {
    if (order.do === 'prepare') return prepare(order);
    return order.do === 'time' ? time(order) : weigh(order);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { failed: error instanceof SlowError ? 'slow' : 'broken', why };
  }
}

process.on('message', (order: Order) => process.send!(obey(order)));
