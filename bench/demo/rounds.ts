/**
 * Rounds: the same load under each guard in turn (A B C A B C …), so that a noisy moment of the machine hits all of them, and
 * what came out of it.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { RangeTracker } from '../../lib/index.js';
import type { Trace } from '../../lib/trace/index.js';
import type { Guard, GuardCounts } from '../guards/guard.js';
import { NoGuard } from '../guards/none.js';
import { RangefenceGuard } from '../guards/rangefence.js';
import { RwlockGuard } from '../guards/rwlock.js';
import { median } from '../support/statistics.js';
import type { Ledger } from './ledger.js';
import { runSlice, type SliceCounts, type SliceResult } from './load.js';
import type { DemoOptions } from './options.js';
import type { PageFile } from './page-file.js';
import { recordSlice } from './recording.js';
import { makeSubscribers, type SubscriberCounts } from './subscriber.js';

/** The guards in the order in which they are shown; the second is what the third is compared to. */
export const GUARDS = ['none', 'rwlock', 'rangefence'] as const;
/** One of {@link GUARDS}. */
export type GuardName = (typeof GUARDS)[number];

/** All that is reported of one guard. Rates are medians of the rounds, latencies are of all rounds together. */
export interface GuardReport {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
  readonly readLatencyMs: { readonly p50: number; readonly p99: number };
  readonly writeLatencyMs: { readonly p50: number; readonly p99: number };
  readonly reads: number;
  readonly writes: number;
  readonly torn: number;
  readonly stale: number;
  readonly retries: number;
  readonly waits: number;
  readonly subscribers: Readonly<Record<string, SubscriberCounts>>;
}

/** All that is reported. */
export interface DemoReport {
  readonly pages: number;
  readonly rounds: number;
  readonly guards: Readonly<Record<GuardName, GuardReport>>;
  /** `rangefence` to the coarse lock: the median of the rounds, and the rounds. */
  readonly ratio: { readonly reads: number; readonly writes: number; readonly readsByRound: readonly number[] };
}

/** What happens while it runs. */
export interface RoundEvents {
  /** Now and then. `done` is the share of this guard's time, 0 to 1. */
  progress(guard: GuardName, done: number, counts: SliceCounts): void;
  /** A slice is over. */
  slice(guard: GuardName, round: number, result: SliceResult): void;
  /** With `--trace`: the slice that was recorded. */
  recorded?(trace: Trace): Promise<void>;
}

/** Slices long enough for a few hundred writes under any guard, and enough of them for a median to mean something. */
const ROUND_SECONDS = 0.6;
const LEAST_ROUNDS = 3;
/** Share of a slice by which it runs before it counts: everybody begins with nothing derived. */
const WARM_UP = 0.2;
/** A busy disk may take its time; the demo would rather wait than fail. */
const HOLD_MS = 60_000;

/** How many rounds a run of these options takes. */
export function roundsOf({ seconds }: DemoOptions): number {
  return Math.max(LEAST_ROUNDS, Math.round(seconds / ROUND_SECONDS));
}

/** Runs everything. Rejects with the signal's reason, or the first error; nothing is left running. */
export async function runRounds(
  { file, ledger, options, signal }: { file: PageFile; ledger: Ledger; options: DemoOptions; signal: AbortSignal },
  events: RoundEvents,
): Promise<DemoReport> {
  const rounds = roundsOf(options);
  const ms = (options.seconds * 1000) / rounds;
  const generations = { last: 0 };
  const sums: Record<GuardName, Sum> = { none: new Sum(), rwlock: new Sum(), rangefence: new Sum() };
  for (let round = 0; round < rounds; round++) {
    for (const name of GUARDS) {
      const sum = sums[name];
      const guard = makeGuard(name);
      const subscribers = makeSubscribers(options.subscribers, file.pages);
      const began = performance.now();
      const result = await runSlice({
        ...{ guard, subscribers, file, ledger, options, round, generations, signal, ms },
        warmMs: ms * WARM_UP,
        onProgress(counts) {
          const share = Math.min(1, (performance.now() - began) / (ms * (1 + WARM_UP)));
          events.progress(name, (round + share) / rounds, sum.with(counts));
        },
      });
      sum.add(result, guard.counts);
      for (const subscriber of subscribers) sum.addSubscriber(subscriber.name, subscriber.counts);
      events.slice(name, round, result);
    }
  }
  if (options.trace !== undefined) {
    await events.recorded?.(await recordSlice({ file, ledger, options, round: rounds, generations, signal }));
  }
  const perRound = (rate: (sum: Sum) => readonly number[]) =>
    rate(sums.rangefence).map((value, round) => value / rate(sums.rwlock)[round]!);
  const readsByRound = perRound((sum) => sum.readRates);
  return {
    pages: file.pages,
    rounds,
    guards: { none: sums.none.report(), rwlock: sums.rwlock.report(), rangefence: sums.rangefence.report() },
    ratio: { reads: median(readsByRound), writes: median(perRound((sum) => sum.writeRates)), readsByRound },
  };
}

function makeGuard(name: GuardName): Guard {
  if (name === 'none') return new NoGuard();
  if (name === 'rwlock') return new RwlockGuard();
  return new RangefenceGuard(new RangeTracker({ label: 'demo' }), { holdMs: HOLD_MS });
}

/** What one guard's slices come to. */
class Sum {
  readonly readRates: number[] = [];
  readonly writeRates: number[] = [];
  readonly #counts: SliceCounts = { reads: 0, writes: 0, torn: 0, stale: 0 };
  readonly #guard: GuardCounts = { retries: 0, waits: 0 };
  readonly #reads = createHistogram();
  readonly #writes = createHistogram();
  readonly #subscribers: Record<string, SubscriberCounts> = {};

  add(result: SliceResult, guard: GuardCounts): void {
    addCounts(this.#counts, result);
    addCounts(this.#guard, guard);
    this.readRates.push(result.readsPerSecond);
    this.writeRates.push(result.writesPerSecond);
    this.#reads.add(result.readLatency);
    this.#writes.add(result.writeLatency);
  }

  addSubscriber(name: string, counts: SubscriberCounts): void {
    this.#subscribers[name] ??= { lookups: 0, hits: 0, dropped: 0, retried: 0 };
    addCounts(this.#subscribers[name], counts);
  }

  with(counts: SliceCounts): SliceCounts {
    const all = { ...this.#counts };
    addCounts(all, counts);
    return all;
  }

  report(): GuardReport {
    return {
      readsPerSecond: median(this.readRates),
      writesPerSecond: median(this.writeRates),
      readLatencyMs: percentiles(this.#reads),
      writeLatencyMs: percentiles(this.#writes),
      ...this.#counts,
      ...this.#guard,
      subscribers: this.#subscribers,
    };
  }
}

/** Adds the fields that `sum` has; others are left alone. */
function addCounts<T extends { [K in keyof T]: number }>(sum: T, more: Readonly<T>): void {
  for (const key of Object.keys(sum) as (keyof T)[]) sum[key] = (sum[key] + more[key]) as T[keyof T];
}

function percentiles(histogram: RecordableHistogram): { p50: number; p99: number } {
  return { p50: histogram.percentile(50) / 1e6, p99: histogram.percentile(99) / 1e6 };
}
