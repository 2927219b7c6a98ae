/**
 * The package as it is built, in a page without a bundler: an import map, and nothing of Node. Every entry loads, and the
 * contract holds.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PEERS } from '../package/exports.js';
import { Chromium, type Page } from './chromium.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What of a package.json is used here. */
interface Manifest {
  readonly exports: Record<string, { readonly import: { readonly default: string } }>;
  readonly tsup: object;
}

let folder = '';
let browser: Chromium;
let server: Server;
let page: Page;
const imports: Record<string, string> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rangefence-built-'));
  const { exports, tsup } = await manifest(root);
  await build({ ...tsup, config: false, format: ['esm'], dts: false, silent: true, outDir: join(folder, 'dist') });
  for (const [key, entry] of Object.entries(exports)) {
    if (key !== './package.json') imports[`rangefence${key.slice(1)}`] = entry.import.default.slice(1);
  }
  server = createServer(
    (request, response) => void answer(request.url!).then((text) => response.writeHead(...text[0]).end(text[1])),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await Chromium.start();
  page = await browser.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  await rm(folder, { recursive: true, force: true });
});

async function manifest(home: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
}

type Answer = readonly [head: [status: number, headers: Record<string, string>], body: string];

/** The page; modules of the build, and of the contract's runner; nothing else. */
async function answer(url: string): Promise<Answer> {
  if (url === '/') {
    const html = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({ imports })}</script>`;
    return [[200, { 'content-type': 'text/html' }], html];
  }
  const places: [prefix: string, home: string][] = [
    ['/dist/', join(folder, 'dist')],
    ['/runtimes/', join(root, 'test/runtimes')],
  ];
  const place = places.find(([prefix]) => url.startsWith(prefix));
  if (place === undefined) return [[404, {}], ''];
  try {
    const text = await readFile(join(place[1], url.slice(place[0].length)), 'utf8');
    return [[200, { 'content-type': 'text/javascript' }], text];
  } catch {
    return [[404, {}], ''];
  }
}

describe('the built package, in a page', () => {
  it('has no global of Node to lean on', async () => {
    const names = ['process', 'Buffer', 'global', 'require', 'module', 'setImmediate'];
    expect(await page.evaluate(`${JSON.stringify(names)}.filter((name) => name in globalThis)`)).toEqual([]);
  });

  it('loads by every entry that stands alone', async () => {
    const entries = Object.keys(imports).filter((name) => PEERS[name] === undefined);
    expect(entries).toEqual(expect.arrayContaining(['rangefence', ...NAMED.map((name) => `rangefence/${name}`)]));
    for (const entry of entries) {
      const names = await page.evaluate(`import('${entry}').then(Object.keys)`);
      expect([entry, names.length > 0]).toEqual([entry, true]);
    }
  });

  it('reads through a mirror what was changed', async () => {
    const read = `(async () => {
      const { RangeTracker } = await import('rangefence');
      const { RangeMirror } = await import('rangefence/mirror');
      const { TraceRecorder, toChromeTrace } = await import('rangefence/trace');
      const { lockOrder } = await import('rangefence/debug');
      const recorder = new TraceRecorder();
      const tracker = new RangeTracker({ observer: recorder.observer });
      let version = 1;
      const load = (first, count) => Array.from({ length: count }, (_, i) => (first + i) + '.' + version);
      const mirror = new RangeMirror({ tracker, pageSize: 8, load });
      const before = await mirror.read({ start: 0, end: 16 });
      await tracker.mutate({ start: 8, end: 9 }, () => { version = 2; });
      const after = await mirror.read({ start: 0, end: 16 });
      mirror.close();
      const events = recorder.trace().events.length;
      return { before, after, recorded: events > 0, automatic: lockOrder().automatic, chrome: typeof toChromeTrace };
    })()`;
    expect(await page.evaluate(read)).toEqual({
      ...{ before: ['0.1', '1.1'], after: ['0.1', '1.2'], recorded: true, automatic: false, chrome: 'function' },
    });
  });

  it('keeps the contract', { timeout: 120_000 }, async () => {
    const run = `Promise.all(['/runtimes/contract.mjs', 'rangefence', 'rangefence/testing'].map((name) => import(name)))
      .then(([{ contract }, core, testing]) => contract(core, testing))`;
    const { passed, failures } = await page.evaluate(run);
    expect(failures).toEqual([]);
    expect(passed).toBeGreaterThan(250);
  });
});

/** The entries that a browser is promised. */
const NAMED = ['interval-tree', 'mirror', 'bytes', 'keyed', 'debug', 'rows', 'trace', 'testing'];
