/**
 * `npx tsx bench/observers.ts`: what it costs that somebody watches. Each observer beside a build in which the calls of observers
 * are stripped from the sources, all in turn; the table of docs/tracing.md. `--quick` takes a tenth of the time.
 *
 * Two operations: a section (begin and end) and an undisturbed lookup (attempt and commit); two events each.
 */

import { subscribe } from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Options } from 'tsup';
import type { RangeTracker, TrackerObserver } from '../lib/index.js';
import { BATCH, type Micro, nanosecondsByRound } from './support/micro.js';
import { median, quantile } from './support/statistics.js';
import { table } from './support/text.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const EVENTS = 2;
const PAGE = { start: 0, end: 8 };

interface Library {
  readonly tracker: typeof import('../lib/index.js');
  readonly trace: typeof import('../lib/trace/index.js');
  /** The lock-order checker, where the sources have one. */
  readonly debug: { readonly lockOrder?: () => TrackerObserver } | undefined;
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
  const withDebug = existsSync(join(ROOT, 'lib/debug/index.ts'));
  await build({
    ...{ config: false, silent: true, clean: false, dts: false, treeshake: true, splitting: true },
    entry: {
      index: join(ROOT, 'lib/index.ts'),
      trace: join(ROOT, 'lib/trace/index.ts'),
      ...(withDebug ? { debug: join(ROOT, 'lib/debug/index.ts') } : {}),
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
  return { tracker: await open('index'), trace: await open('trace'), debug: withDebug ? await open('debug') : undefined };
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
  const lockOrder = whole.debug?.lockOrder;
  return [
    { name: 'built without the hook', tracker: new stripped.tracker.RangeTracker() },
    { name: 'built without the hook, again', tracker: new stripped.tracker.RangeTracker() },
    make('no observer'),
    make('observer with no methods', {}),
    make('observer with empty methods', empty),
    make('`TraceRecorder`', new whole.trace.TraceRecorder({ capacity: 4096 }).observer),
    make('`publishChannels()`, nobody listens', whole.trace.publishChannels()),
    ...(lockOrder === undefined ? [] : [make('`lockOrder()`', lockOrder())]),
  ];
}

const OPERATIONS = {
  section: ({ name, tracker }: Watched): Micro => ({
    ...{ name, expected: BATCH },
    batch() {
      let done = 0;
      for (let i = 0; i < BATCH; i++) {
        const section = tracker.tryInvalidate(PAGE);
        section!.end();
        if (!section!.active) done++;
      }
      return done;
    },
  }),
  lookup: ({ name, tracker }: Watched): Micro => ({
    ...{ name, expected: BATCH },
    async batch() {
      let done = 0;
      for (let i = 0; i < BATCH; i++) done += await tracker.lookup(PAGE, () => 1);
      return done;
    },
  }),
} as const;

type Operation = keyof typeof OPERATIONS;

async function measure(watched: readonly Watched[], quick: boolean): Promise<Record<Operation, Record<string, number[]>>> {
  const effort = { rounds: quick ? 5 : 15, microSeconds: quick ? 0.03 : 0.15 };
  const run = (operation: Operation) => nanosecondsByRound(watched.map(OPERATIONS[operation]), effort);
  return { section: await run('section'), lookup: await run('lookup') };
}

/** Nanoseconds an event more than the first row, round by round: the median and the middle half of the rounds. */
function more(times: Record<string, number[]>, name: string, base: string): string {
  const differences = times[name]!.map((value, round) => (value - times[base]![round]!) / EVENTS);
  const [low, high] = [quantile(differences, 0.25), quantile(differences, 0.75)].map((value) => value.toFixed(1));
  return `${median(differences).toFixed(1)} (${low} … ${high})`;
}

async function main(): Promise<void> {
  const quick = process.argv.includes('--quick');
  const folder = await mkdtemp(join(tmpdir(), 'rangefence-observers-'));
  try {
    const whole = await load(folder, 'whole', false);
    const watched = rows(whole, await load(folder, 'stripped', true));
    const times = await measure(watched, quick);
    // Channels are the process's: whoever listens makes all publishers pay, so this row comes last.
    for (const name of ['rangefence:invalidate', 'rangefence:lookup']) subscribe(name, () => {});
    const base = watched[0]!;
    const heard = {
      name: '`publishChannels()`, somebody listens',
      tracker: new whole.tracker.RangeTracker({ observer: whole.trace.publishChannels() }),
    };
    const last = await measure([base, heard], quick);
    const row = (from: typeof times, name: string) => [
      ...[name, more(from.section, name, base.name), more(from.lookup, name, base.name)],
    ];
    const lines = [...watched.slice(1).map(({ name }) => row(times, name)), row(last, heard.name)];
    const alone = `${base.name}: a section takes ${median(times.section[base.name]!).toFixed(0)} ns, a lookup ${median(times.lookup[base.name]!).toFixed(0)} ns`;
    console.log(`${alone}\n${table(['ns an event more', 'section', 'lookup'], lines)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
