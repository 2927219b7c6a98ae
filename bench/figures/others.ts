/**
 * Others: the size of the bundle, and the figures that have programs of their own.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import type { DemoReport } from '../demo/rounds.js';
import { readBundle } from '../support/library.js';
import { spread } from '../support/statistics.js';
import type { Row } from './figure.js';

/** kB as in the goal and in size-limit: thousands of bytes. */
const MOST_BYTES = 6000;

/** The core, minified and compressed. */
export const bundle: Row = {
  name: 'bundle',
  async run() {
    const bytes = brotliCompressSync(await readBundle()).length;
    return [
      {
        figure: 'core bundle, minified + brotli',
        goal: '<= 6 kB',
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

const TREE_BENCH = '../interval-tree.bench.ts';

/** The tree's own bench, which prints its own table; left out where there is none. */
export const tree: Row = {
  name: 'tree',
  async run() {
    if (!existsSync(new URL(TREE_BENCH, import.meta.url))) return [];
    const { code, output } = await runScript(TREE_BENCH, []);
    console.log(output.trimEnd());
    return [
      { figure: 'tree: see its own table', goal: 'its own', measured: `exit code ${code}`, met: code === 0, values: { code } },
    ];
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
