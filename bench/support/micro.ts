/**
 * Micro: nanoseconds of single operations, by benchmark.js.
 *
 * Each bench is a function that runs the operation many times and returns a number that depends on every result. Many times:
 * the harness's own call would weigh as much as an operation of 10 ns. A number: it is checked, which keeps the work alive and
 * catches a bench that measures something else. Only `fn` is given to benchmark.js: it decompiles set-up functions, and their
 * closures are lost without a word.
 */
import Benchmark from 'benchmark';
import { median } from './statistics.js';

/** Operations of one call. */
export const BATCH = 1000;

/** How long to measure. */
export interface MicroEffort {
  /** In which the benches take turns. */
  readonly rounds: number;
  /** One bench in one round. */
  readonly microSeconds: number;
}

/** One operation, many times. */
export interface Micro {
  readonly name: string;
  /** Operations of one call, if not {@link BATCH}: fewer of slow ones. */
  readonly size?: number;
  /** Runs the batch and returns the sum of what {@link expected} is compared with. */
  batch(): number | Promise<number>;
  /** What one batch must return. */
  readonly expected: number;
}

/** Short enough to fit between two turns that other programs get, so that the median is of undisturbed ones; 1 ms at 1 ns. */
const SAMPLE_SECONDS = 0.001;

/** Median nanoseconds of one operation of each bench, by name; the benches take turns, once before that to warm up. */
export async function nanoseconds<Name extends string>(
  micros: readonly (Micro & { readonly name: Name })[],
  effort: MicroEffort,
): Promise<Record<Name, number>> {
  const rounds = await samplesByRound(micros, effort);
  const entries = Object.entries<number[][]>(rounds).map(([name, samples]) => [name, median(samples.flat())]);
  return Object.fromEntries(entries) as Record<Name, number>;
}

/** The same in each round. */
export async function nanosecondsByRound<Name extends string>(
  micros: readonly (Micro & { readonly name: Name })[],
  effort: MicroEffort,
): Promise<Record<Name, number[]>> {
  const rounds = await samplesByRound(micros, effort);
  const entries = Object.entries<number[][]>(rounds).map(([name, samples]) => [name, samples.map(median)]);
  return Object.fromEntries(entries) as Record<Name, number[]>;
}

/** Nanoseconds of one operation in every batch that was sampled, by name and round. */
async function samplesByRound<Name extends string>(
  micros: readonly (Micro & { readonly name: Name })[],
  { rounds, microSeconds }: MicroEffort,
): Promise<Record<Name, number[][]>> {
  const samples = Object.fromEntries(micros.map(({ name }) => [name, []])) as unknown as Record<Name, number[][]>;
  // The first round is before the engine has compiled them: of a promise's way that takes most of a second.
  for (let round = -1; round < rounds; round++) {
    for (const micro of micros) {
      const seconds = await sample(micro, microSeconds);
      if (round >= 0) samples[micro.name].push(seconds.map((batch) => (1e9 * batch) / (micro.size ?? BATCH)));
    }
  }
  return samples;
}

/** Seconds of each batch that was sampled. */
async function sample(micro: Micro, seconds: number): Promise<readonly number[]> {
  const check = (got: number) => {
    if (got !== micro.expected) throw new Error(`bench "${micro.name}" returned ${got}; expected ${micro.expected}`);
  };
  const first = micro.batch();
  const deferred = typeof first !== 'number';
  check(await first);
  const fn = deferred
    ? (done: { resolve(): void }) =>
        Promise.resolve(micro.batch())
          .then(check)
          .then(() => done.resolve(), raise)
    : () => check(micro.batch() as number);
  const bench = new Benchmark({
    ...{ name: micro.name, fn, defer: deferred },
    ...{ minTime: SAMPLE_SECONDS, maxTime: seconds, minSamples: 5 },
  });
  await new Promise<void>((resolve, reject) => {
    bench.on('error', () => reject((bench as unknown as { error: unknown }).error));
    bench.on('complete', () => resolve());
    bench.run({ async: deferred });
  });
  return bench.stats.sample;
}

/** A deferred bench that fails would never resolve: nobody waits for its promise, so the process must hear of it. */
function raise(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
