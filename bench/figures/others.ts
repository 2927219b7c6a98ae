/**
 * Others: the size of the bundle, and the figures that have programs of their own.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import type { DemoReport } from '../demo/rounds.js';
import { readBundle } from '../support/library.js';
import { median, spread } from '../support/statistics.js';
import { number } from '../support/text.js';
import { treeSuite } from '../tree.bench.js';
import type { Row } from './figure.js';

/** kB as in the goal and in size-limit: thousands of bytes. */
const MOST_BYTES = 10_500;

/** The core, minified and compressed. */
export const bundle: Row = {
  name: 'bundle',
  async run() {
    const bytes = brotliCompressSync(await readBundle()).length;
    return [
      {
        figure: 'core bundle, minified + brotli',
        goal: `<= ${MOST_BYTES / 1000} kB`,
        measured: `${(bytes / 1000).toFixed(2)} kB`,
        met: bytes <= MOST_BYTES,
        values: { bytes },
      },
    ];
  },
};

/** The demo with its default settings; shortened for a quick look. */
export const demo: Row = {
  name: 'demo',
  async run(_library, { all }) {
    const { code, output } = await runScript('../demo/main.ts', ['--json', ...(all ? [] : ['--seconds', '1'])]);
    const { guards, ratio }: DemoReport = JSON.parse(output);
    const { torn, stale } = guards.rangefence;
    return [
      {
        figure: 'demo, reads/s',
        goal: '>= 2.5 x',
        measured: `${ratio.reads.toFixed(2)} x (${spread(ratio.readsByRound)})`,
        met: ratio.reads >= 2.5,
        values: { ratio: ratio.reads },
      },
      {
        figure: '  torn / stale reads served',
        goal: '0 / 0',
        measured: `${torn} / ${stale} (without a guard: ${guards.none.torn} / ${guards.none.stale})`,
        met: torn === 0 && stale === 0 && code === 0,
        values: { torn, stale, tornWithout: guards.none.torn, staleWithout: guards.none.stale },
      },
    ];
  },
};

/** The tree beside C, a look at a few sizes: `npm run bench -- tree` takes longer, and shows everybody else, too. */
export const tree: Row = {
  name: 'tree',
  async run(library) {
    const { measures, notes } = await treeSuite.run({ library, quick: true, progress: () => {} });
    const ratios = measures.filter(({ unit }) => unit === 'ratio');
    // Without a compiler there is nothing to compare with, and a note that says so.
    if (ratios.length === 0) console.log(notes[0]);
    return ratios.map(({ title, at, samples }) => {
      const ratio = median(samples);
      const figure = `tree, ${number(Number(at.n))} intervals: ${title}`;
      return { figure, goal: '-', measured: `${ratio.toFixed(2)} x (${spread(samples)})`, met: undefined, values: { ratio } };
    });
  },
};

/** Runs a script of this repository as `npm run` would, and collects what it prints. */
function runScript(script: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, output }));
  });
}
