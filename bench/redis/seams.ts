/**
 * `npx tsx bench/redis/seams.ts`: what the seams for links cost where nothing is shared: the guard that every check could ask, and begins
 * that could be urgent. Beside a build from whose sources they are stripped; two of those, to show what the machine does by itself.
 *
 * All rows take turns in every round; of a round counts the least of a few short batches, and the figure is the median of the rounds'
 * differences.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsup';
import type { RangeTracker } from '../../lib/index.js';
import { table } from '../support/text.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const PAGE = { start: 0, end: 8 };
const ROUNDS = 400;
const BATCHES = 5;

/** What is asked at a seam, and what is left without it: file, text, replacement. */
const SEAMS: readonly (readonly [file: string, text: string, without: string])[] = [
  ['space.ts', 'if (this.guard !== undefined && !this.guard()) return HIT;', ''],
  ['space.ts', "if (this.guard?.() === false) return { reason: 'lapsed' };", ''],
  ['gate.ts', 'section.urgent || ', ''],
  ['gate.ts', ' || section.urgent', ''],
];

async function load(folder: string, name: string, isStripped: boolean): Promise<typeof import('../../lib/index.js')> {
  const outDir = join(folder, name);
  const left = new Set(SEAMS);
  await build({
    ...{ config: false, silent: true, clean: false, dts: false, treeshake: true, splitting: false },
    ...{ entry: { index: join(ROOT, 'lib/index.ts') }, format: 'esm', target: 'es2022', outDir },
    outExtension: () => ({ js: '.mjs' }),
    esbuildPlugins: [
      {
        name: 'strip-seams',
        setup({ onLoad }) {
          onLoad({ filter: /[\\/]tracker[\\/](space|gate)\.ts$/ }, async ({ path }) => {
            let contents = await readFile(path, 'utf8');
            for (const seam of SEAMS) {
              const [file, text, without] = seam;
              if (!path.endsWith(file) || !contents.includes(text)) continue;
              left.delete(seam);
              if (isStripped) contents = contents.replace(text, without);
            }
            return { contents, loader: 'ts' };
          });
        },
      },
    ],
  });
  if (left.size > 0) throw new Error(`not found: ${[...left].map(([, text]) => text).join(', ')}`);
  return await import(pathToFileURL(join(outDir, 'index.mjs')).href);
}

const OPERATIONS: Record<string, (tracker: RangeTracker, count: number) => void | Promise<void>> = {
  'a check (readRetry)': (tracker, count) => {
    const token = tracker.tryReadBegin(PAGE)!;
    for (let i = 0; i < count; i++) if (tracker.readRetry(PAGE, token)) throw new Error('a collision of nothing');
  },
  'a section (tryBegin, end)': (tracker, count) => {
    for (let i = 0; i < count; i++) tracker.tryBegin(PAGE)!.end();
  },
  'a lookup': async (tracker, count) => {
    for (let i = 0; i < count; i++) await tracker.lookup(PAGE, () => 1);
  },
};

async function nanoseconds(act: (typeof OPERATIONS)[string], tracker: RangeTracker, count: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < BATCHES; i++) {
    const from = process.hrtime.bigint();
    await act(tracker, count);
    least = Math.min(least, Number(process.hrtime.bigint() - from) / count);
  }
  return least;
}

function median(list: number[]): number {
  return list.sort((a, b) => a - b)[list.length >> 1]!;
}

const folder = await mkdtemp(join(tmpdir(), 'rangefence-seams-'));
try {
  const libraries = [await load(folder, 'without', true), await load(folder, 'again', true), await load(folder, 'with', false)];
  const shown: string[][] = [];
  for (const [name, act] of Object.entries(OPERATIONS)) {
    const trackers = libraries.map(({ RangeTracker: Tracker }) => new Tracker());
    for (const tracker of trackers) await act(tracker, 20_000);
    const from = process.hrtime.bigint();
    await act(trackers[0]!, 2000);
    const count = Math.ceil(400_000 / (Number(process.hrtime.bigint() - from) / 2000));
    const rounds: number[][] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const round: number[] = [];
      for (let j = 0; j < 3; j++) round[(i + j) % 3] = await nanoseconds(act, trackers[(i + j) % 3]!, count);
      rounds.push(round);
    }
    const by = (of: (round: number[]) => number) => median(rounds.map(of)).toFixed(1);
    shown.push([
      name,
      by(([without]) => without!),
      by(([without, again]) => again! - without!),
      by(([without, , all]) => all! - without!),
    ]);
  }
  console.log(table(['ns', 'without seams', 'the same build again', 'with seams'], shown));
} finally {
  await rm(folder, { recursive: true, force: true });
}
