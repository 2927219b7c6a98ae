/**
 * `npx tsx bench/observers.ts`: what it costs that somebody watches. Each observer beside a build in which the calls of observers
 * are stripped from the sources; prints the tables of docs/tracing.md as Markdown. About a minute; `--quick` takes a tenth.
 *
 * Two operations: a section (begin and end) and an undisturbed lookup (attempt and commit); two events each.
 *
 * For a noisy machine: all rows take turns in every round, in another order each time; of a round counts the least of a few
 * short batches, which nobody has interrupted; and what is compared is two rows of the same round. The figure is the median
 * over the rounds, with the interval in which the true median lies with 95 % certainty, whatever the noise is like [1].
 *
 * [1] The ranks of the interval follow from the binomial distribution: n/2 -+ 0.98 sqrt(n).
 */
import { subscribe } from 'node:diagnostics_channel';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { build, type Options } from 'tsup';
import type { RangeTracker, TrackerObserver } from '../lib/index.js';
import { median } from './support/statistics.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const EVENTS = 2;
const PAGE = { start: 0, end: 8 };
/** Batches of one row in one round; the least of them counts. */
const BATCHES = 5;
/** Long enough for the clock, short enough to fit between two interruptions. */
const BATCH_MS = 0.4;
/** Operations whose memory is counted: few enough that nothing is collected meanwhile. */
const COUNTED = 500;

interface Library {
  readonly tracker: typeof import('../lib/index.js');
  readonly trace: typeof import('../lib/trace/index.js');
  readonly debug: typeof import('../lib/debug/index.js');
}

/** How each hook asks whether there is an observer. Written so, it is never true, and the compiler drops the call. */
const HOOK = /(?<![\w#.])(?:this\.#?space|this|space)\.observer (!==|===) undefined/g;

/** Replaces the question in every source of the library, and counts. */
function stripping(): { readonly plugin: NonNullable<Options['esbuildPlugins']>[number]; readonly count: () => number } {
  let count = 0;
  return {
    count: () => count,
    plugin: {
      name: 'strip-observers',
      setup({ onLoad }) {
        onLoad({ filter: /[\\/]lib[\\/][\w-]+\.ts$/ }, async ({ path }) => {
          const text = await readFile(path, 'utf8');
          const contents = text.replace(HOOK, (_, sign: string) => {
            count++;
            return sign === '===' ? 'true' : 'false';
          });
          return { contents, loader: 'ts' };
        });
      },
    },
  };
}

async function load(folder: string, name: string, stripped: boolean): Promise<Library> {
  const strip = stripping();
  const outDir = join(folder, name);
  await build({
    ...{ config: false, silent: true, clean: false, dts: false, treeshake: true, splitting: true },
    entry: {
      index: join(ROOT, 'lib/index.ts'),
      trace: join(ROOT, 'lib/trace/index.ts'),
      debug: join(ROOT, 'lib/debug/index.ts'),
    },
    ...{ format: 'esm', target: 'es2022', outDir },
    outExtension: () => ({ js: '.mjs' }),
    esbuildOptions(options) {
      options.minifySyntax = true; // both builds alike: it is what drops the calls
    },
    ...(stripped ? { esbuildPlugins: [strip.plugin] } : {}),
  });
  if (stripped && strip.count() < 10) throw new Error(`${strip.count()} hooks were stripped; expected at least 10`);
  const open = (entry: string) => import(pathToFileURL(join(outDir, `${entry}.mjs`)).href);
  return { tracker: await open('index'), trace: await open('trace'), debug: await open('debug') };
}

interface Watched {
  readonly name: string;
  readonly tracker: RangeTracker;
}

/** A tracker for each row. */
function rows(whole: Library, stripped: Library): Watched[] {
  const make = (name: string, observer?: TrackerObserver): Watched => ({
    name,
    tracker: new whole.tracker.RangeTracker(observer === undefined ? {} : { observer }),
  });
  const nothing = () => {};
  const empty: TrackerObserver = { begin: nothing, ended: nothing, attempt: nothing, committed: nothing };
  return [
    { name: 'built without the hook', tracker: new stripped.tracker.RangeTracker() },
    { name: 'built without the hook, again', tracker: new stripped.tracker.RangeTracker() },
    make('none'),
    make('with no methods', {}),
    make('with empty methods', empty),
    make('`publishChannels()`, nobody listens', whole.trace.publishChannels()),
    make('`TraceRecorder`', new whole.trace.TraceRecorder({ capacity: 4096 }).observer),
    make('`lockOrder()`', whole.debug.lockOrder()),
  ];
}

const OPERATIONS = {
  section(tracker: RangeTracker, count: number): void {
    for (let i = 0; i < count; i++) {
      const section = tracker.tryBegin(PAGE)!;
      section.end();
      if (section.active) throw new Error('a section that was ended is active');
    }
  },
  async lookup(tracker: RangeTracker, count: number): Promise<void> {
    let read = 0;
    for (let i = 0; i < count; i++) read += await tracker.lookup(PAGE, () => 1);
    if (read !== count) throw new Error(`lookups read ${read} times; expected ${count}`);
  },
} as const;

type Operation = keyof typeof OPERATIONS;

/** What was measured of one row, by operation. */
type Measured = Record<Operation, Map<string, { readonly nanoseconds: number[]; bytes: number }>>;

async function nanosecondsOf(operation: Operation, tracker: RangeTracker, count: number): Promise<number> {
  const started = process.hrtime.bigint();
  await OPERATIONS[operation](tracker, count);
  return Number(process.hrtime.bigint() - started) / count;
}

/** As many operations as a batch has room for, after the engine has compiled them. */
async function sizeOf(operation: Operation, tracker: RangeTracker): Promise<number> {
  for (let i = 0; i < 20; i++) await OPERATIONS[operation](tracker, COUNTED);
  const each = await nanosecondsOf(operation, tracker, COUNTED);
  return Math.max(10, Math.ceil((BATCH_MS * 1e6) / each));
}

/** Bytes of one operation, its garbage included. */
async function bytesOf(operation: Operation, tracker: RangeTracker): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < 9; i++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    await OPERATIONS[operation](tracker, COUNTED);
    samples.push((process.memoryUsage().heapUsed - before) / COUNTED);
    await sleep(0);
  }
  return median(samples);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function measure(watched: readonly Watched[], rounds: number): Promise<Measured> {
  const measured: Measured = { section: new Map(), lookup: new Map() };
  for (const operation of ['section', 'lookup'] as const) {
    const sizes = new Map<string, number>();
    for (const { name, tracker } of watched) {
      sizes.set(name, await sizeOf(operation, tracker));
      await sleep(1);
      measured[operation].set(name, { nanoseconds: [], bytes: await bytesOf(operation, tracker) });
    }
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < watched.length; i++) {
        // Another one begins each time, and none follows the one it is printed after.
        const { name, tracker } = watched[(3 * i + round) % watched.length]!;
        const batches: number[] = [];
        for (let j = 0; j < BATCHES; j++) batches.push(await nanosecondsOf(operation, tracker, sizes.get(name)!));
        measured[operation].get(name)!.nanoseconds.push(Math.min(...batches));
        await sleep(0); // what an observer leaves for the end of the turn is done before the next one is measured
      }
    }
  }
  return measured;
}

/** Nanoseconds an event more than the base: the median over the rounds and its interval. */
function more(measured: Measured, operation: Operation, names: { readonly name: string; readonly base: string }): string {
  const base = measured[operation].get(names.base)!.nanoseconds;
  const own = measured[operation].get(names.name)!.nanoseconds;
  const sorted = own.map((value, round) => (value - base[round]!) / EVENTS).sort((a, b) => a - b);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const low = sorted[Math.max(0, Math.floor(sorted.length / 2 - reach))]!;
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + reach))]!;
  const digits = Math.abs(median(sorted)) >= 500 ? 0 : 1;
  const [figure, from, to] = [median(sorted), low, high].map((value) => value.toFixed(digits));
  return `${figure} (${from} … ${to})`;
}

function markdown(rows: readonly (readonly string[])[]): string {
  return ['| observer | section | lookup |', '|---|---:|---:|', ...rows.map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
}

async function main(): Promise<void> {
  const rounds = process.argv.includes('--quick') ? 12 : 120;
  const folder = await mkdtemp(join(tmpdir(), 'rangefence-observers-'));
  try {
    const whole = await load(folder, 'whole', false);
    const watched = rows(whole, await load(folder, 'stripped', true));
    const [base] = watched as [Watched];
    const first = await measure(watched, rounds);
    // Channels are the process's: whoever listens makes all publishers pay, so this row comes last, beside the base alone.
    for (const name of ['rangefence:invalidation', 'rangefence:lookup']) subscribe(name, () => {});
    const observer = whole.trace.publishChannels();
    const heard = { name: '`publishChannels()`, somebody listens', tracker: new whole.tracker.RangeTracker({ observer }) };
    const last = await measure([base, heard], rounds);
    const shown = watched.slice(1).map(({ name }) => ({ name, from: first }));
    shown.splice(shown.findIndex(({ name }) => name.includes('nobody listens')) + 1, 0, { name: heard.name, from: last });
    print(base.name, shown);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function print(base: string, rows: readonly { readonly name: string; readonly from: Measured }[]): void {
  const [{ from: first }] = rows as [(typeof rows)[number]];
  const cells = (cell: (from: Measured, operation: Operation, name: string) => string) =>
    rows.map(({ name, from }) => [name, cell(from, 'section', name), cell(from, 'lookup', name)]);
  const own = (operation: Operation) => `${median(first[operation].get(base)!.nanoseconds).toFixed(0)} ns`;
  const bytes = (from: Measured, operation: Operation, name: string) => from[operation].get(name)!.bytes.toFixed(0);
  const of = (name: string) => [name, bytes(first, 'section', name), bytes(first, 'lookup', name)];
  console.log('Nanoseconds an event:\n');
  console.log(markdown(cells((from, operation, name) => more(from, operation, { name, base }))));
  console.log(
    `\nWithout the hook a section (begin and end) took ${own('section')} and a lookup (attempt and commit) ${own('lookup')}.`,
  );
  console.log('\nBytes an operation:\n');
  console.log(markdown([of(base), ...cells(bytes)]));
}

await main();
