/**
 * Checks: what every server is put through. Each has a file of its own and a source of its own, and says what must come out.
 *
 * A check that fails is not always ours: a server that gives an old validator to new bytes cannot be seen through from
 * outside. So every response is written down, with its validators and the version of its bytes; only where two contents came
 * under the same validators, both of them settled, is it the server's.
 */
import { deepStrictEqual, fail, ok } from 'node:assert';
import { appendFile, chmod, open, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ByteSource, openUrl, SourceError, type UrlFetch } from '../../lib/bytes/index.js';
import { BLOCK, blocks, versionsOf } from '../support/bytes/content.js';

/** Eight pages of 64 blocks. */
const PAGE = 64 * BLOCK;
const FULL = 8 * 64;

/** How a reader asks. */
export const MODES = ['plain', 'revalidate', 'consistent', 'consistent, revalidate'] as const;
export type Mode = (typeof MODES)[number];

/** What a check has to do with. */
export interface Bench {
  readonly path: string;
  readonly source: ByteSource;
  readonly mode: Mode;
  /** The change is done: whatever is asked from now on is asked of what is there now. */
  moved(): void;
}

/** One check, in one mode or in all of them. */
export interface Check {
  readonly name: string;
  readonly modes: readonly Mode[];
  readonly run: (bench: Bench) => Promise<void>;
}

// --- writers

/** Another file in its place, with a time of last change of now, or of the past. */
async function replace(path: string, content: Uint8Array, ageMs?: number): Promise<void> {
  await writeFile(`${path}.new`, content);
  await chmod(`${path}.new`, 0o644);
  if (ageMs !== undefined) {
    const at = new Date(Date.now() - ageMs);
    await utimes(`${path}.new`, at, at);
  }
  await rename(`${path}.new`, path);
}

async function overwrite(path: string, content: Uint8Array): Promise<void> {
  const handle = await open(path, 'r+');
  await handle.write(content, 0, content.length, 0);
  await handle.close();
}

// --- time

/** Resolves so many milliseconds into a second of the wall's clock, the next one that is still to come. */
async function at(millisecond: number): Promise<void> {
  const leftMs = (1_000 + millisecond - (Date.now() % 1_000)) % 1_000;
  const until = Date.now() + leftMs;
  if (leftMs > 4) await new Promise((resolve) => setTimeout(resolve, leftMs - 4));
  while (Date.now() < until) await new Promise((resolve) => setImmediate(resolve));
}

// --- readers

/** The version of a query over several pages that was made in this mode, `meanwhile` once it has begun. */
async function queried({ source, mode }: Bench, meanwhile: () => Promise<void>): Promise<number> {
  const revalidate = mode.includes('revalidate');
  let once: Promise<void> | undefined;
  const first = async () => {
    once ??= meanwhile();
    await once;
  };
  let versions: number[];
  if (mode.startsWith('consistent')) {
    versions = await source.consistent(
      async (view) => {
        const begun = view.read(0, PAGE);
        await first();
        const found = versionsOf(await begun);
        for (let page = 1; page < 4; page++) found.push(...versionsOf(await view.read(page * PAGE, PAGE), page * 64));
        return [...new Set(found)];
      },
      { revalidate, timeoutMs: 30_000 },
    );
  } else {
    const begun = source.read(0, PAGE, { revalidate, timeoutMs: 30_000 });
    await first();
    await begun;
    versions = versionsOf(await source.read(0, 4 * PAGE, { revalidate, timeoutMs: 30_000 }));
  }
  deepStrictEqual(versions.length, 1, `versions ${versions} were mixed`);
  return versions[0]!;
}

/** Who revalidates gets what was there after the call; who does not gets one version. Afterwards everybody may know. */
async function expectMoved(bench: Bench, meanwhile: () => Promise<void>): Promise<void> {
  const version = await queried(bench, meanwhile);
  if (bench.mode === 'consistent, revalidate') deepStrictEqual(version, 2, 'the result is not of the end of the query');
  if (bench.mode === 'plain' || bench.mode === 'consistent') return;
  const later = versionsOf(await bench.source.read(0, FULL * BLOCK, { revalidate: true, timeoutMs: 30_000 }));
  deepStrictEqual(later, [2], 'what is read with revalidate is old');
}

/** Old enough to be believed at once. */
const OLD_MS = 60_000;

function changed(name: string, begin: (path: string) => Promise<void>, change: (path: string) => Promise<void>): Check {
  return {
    name,
    modes: MODES,
    run: async (bench) => {
      await begin(bench.path);
      await expectMoved(bench, async () => {
        await change(bench.path);
        bench.moved();
      });
    },
  };
}

const begun = (path: string) => replace(path, blocks(1, FULL), OLD_MS);
const begunNow = async (path: string) => {
  await at(100);
  await replace(path, blocks(1, FULL));
};

/** Whatever there is then is of its size, and is what is there. */
function resized(name: string, change: (path: string) => Promise<void>, count: number): Check {
  return {
    name,
    modes: MODES,
    run: async ({ path, source, mode, moved }) => {
      await begun(path);
      deepStrictEqual(versionsOf(await source.read(0, 2 * PAGE)), [1]);
      await change(path);
      moved();
      const revalidate = mode.includes('revalidate');
      const bounds = { revalidate, timeoutMs: 30_000 };
      const read = mode.startsWith('consistent')
        ? source.consistent(async (view) => [await view.size(), await view.read(0, Number.POSITIVE_INFINITY)] as const, bounds)
        : source.read(0, Number.POSITIVE_INFINITY, bounds).then((bytes) => [bytes.length, bytes] as const);
      const [size, bytes] = await read;
      deepStrictEqual(size, bytes.length);
      ok(versionsOf(bytes).length <= 1, 'versions were mixed');
      if (revalidate) deepStrictEqual(size, count * BLOCK, 'the size is old');
    },
  };
}

/** All of them. */
export const CHECKS: readonly Check[] = [
  {
    name: 'whole',
    modes: ['plain'],
    run: async ({ path, source, moved }) => {
      const content = blocks(1, FULL);
      await replace(path, content, OLD_MS);
      deepStrictEqual(await source.read(0, Number.POSITIVE_INFINITY), content);
      deepStrictEqual(await source.size({ revalidate: true }), content.length);
      deepStrictEqual(await source.read(1_000, 3_000), content.slice(1_000, 4_000));
      for (const small of [new Uint8Array([7]), new Uint8Array([7, 8]), new Uint8Array(0)]) {
        await replace(path, small, OLD_MS);
        moved();
        deepStrictEqual(await source.read(0, 10, { revalidate: true }), small);
        deepStrictEqual(await source.size({ revalidate: true }), small.length);
      }
    },
  },
  {
    name: 'beyond the end',
    modes: ['plain'],
    run: async ({ path, source }) => {
      const content = blocks(1, FULL);
      await replace(path, content, OLD_MS);
      deepStrictEqual(await source.read(content.length + 10, 10), new Uint8Array(0));
      deepStrictEqual(await source.read(content.length - 10, 20), content.slice(-10));
      deepStrictEqual(await source.read(content.length, 20), new Uint8Array(0));
    },
  },
  changed('replaced, another second', begun, (path) => replace(path, blocks(2, FULL), OLD_MS / 2)),
  changed('replaced just now', begun, (path) => replace(path, blocks(2, FULL))),
  changed('replaced, same second', begunNow, async (path) => {
    await at(300);
    await replace(path, blocks(2, FULL));
  }),
  changed(
    'replaced, first 5 ms of a second',
    async (path) => {
      await at(600);
      await replace(path, blocks(1, FULL));
      await at(0);
    },
    async (path) => {
      await at(3);
      await replace(path, blocks(2, FULL));
    },
  ),
  changed('in place, another second', begun, (path) => overwrite(path, blocks(2, FULL))),
  changed('in place, same second', begunNow, async (path) => {
    await at(300);
    await overwrite(path, blocks(2, FULL));
  }),
  resized('shrunk', (path) => truncate(path, 100 * BLOCK), 100),
  resized('grown', (path) => appendFile(path, blocks(1, 64, FULL)), FULL + 64),
  resized('emptied', (path) => truncate(path, 0), 0),
  {
    name: 'gone, and back',
    modes: ['revalidate', 'consistent, revalidate'],
    run: async (bench) => {
      const { path, source, mode } = bench;
      await begun(path);
      deepStrictEqual(await queried(bench, async () => {}), 1);
      await rm(path);
      bench.moved();
      const bounds = { revalidate: true, timeoutMs: 30_000 };
      const read = () =>
        mode === 'revalidate' ? source.read(0, PAGE, bounds) : source.consistent((view) => view.read(0, PAGE), bounds);
      const error = await read().then(
        () => fail('what is gone was read'),
        (reason: unknown) => reason,
      );
      ok(error instanceof SourceError && error.missing, String(error));
      await replace(path, blocks(2, FULL));
      bench.moved();
      deepStrictEqual(await queried(bench, async () => {}), 2);
    },
  },
];

// --- what the server has said

/** Again, once, if the connection was closed at the moment in which it was to be used again: that is no answer. */
async function sent(url: string, request: RequestInit): Promise<Response> {
  try {
    return await globalThis.fetch(url, request);
  } catch (error) {
    if (request.signal?.aborted) throw error;
    return globalThis.fetch(url, request);
  }
}

/** A `fetch` that writes down what came. */
export class Witness {
  /** The version of the bytes that came under each validators. */
  readonly #versions: Map<string, number> = new Map();
  /** Validators of what was there before the last change, and before those. */
  readonly #old: Set<string> = new Set();
  readonly #seen: Set<string> = new Set();
  #lie: string | undefined = undefined;

  readonly fetch: UrlFetch = async (url, request) => {
    const old = new Set(this.#old);
    const response = await sent(url, request);
    const { status, headers } = response;
    const name = (header: string) => headers.get(header) ?? '-';
    const total = /\/(\d+)$/.exec(name('content-range'))?.[1] ?? name('content-length');
    const validators = `${name('etag')} ${name('last-modified')} ${total}`;
    const isSettled = !(Date.parse(name('date')) - Date.parse(name('last-modified')) < 2_000);
    if (status < 300 && isSettled) {
      this.#seen.add(validators);
      if (old.has(validators)) this.#lie = `${validators} after the change`;
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    const start = Number(/=(\d+)/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (status < 300 && isSettled && bytes.length >= BLOCK && start % BLOCK === 0) {
      const version = Number(/^v(\d{5})/.exec(new TextDecoder().decode(bytes.subarray(0, BLOCK)))?.[1]);
      const known = this.#versions.get(validators) ?? version;
      if (known !== version) this.#lie = `${validators} for two contents`;
      this.#versions.set(validators, version);
    }
    return { status, headers, arrayBuffer: async () => bytes.buffer };
  };

  /** Whatever has been seen so far is not there any more. */
  readonly moved = (): void => {
    for (const validators of this.#seen) this.#old.add(validators);
  };

  /** The old validators that were given to what is new, and were settled. */
  get lie(): string | undefined {
    return this.#lie;
  }
}

/** One check of one server, over a file of its own. Rejects if it fails; resolves with what was to blame, if it was the server. */
export async function examine(
  check: Check,
  mode: Mode,
  { files, url }: { files: string; url: string },
): Promise<string | undefined> {
  const name = `${check.name}-${mode}`.replace(/[^a-z0-9]+/g, '-');
  const witness = new Witness();
  const source = openUrl(`${url}${name}.bin`, { pageSize: PAGE, maxRunPages: 2, fetch: witness.fetch });
  try {
    await check.run({ path: join(files, `${name}.bin`), source, mode, moved: witness.moved });
    return undefined;
  } catch (error) {
    const { lie } = witness;
    if (lie === undefined) throw error;
    return lie;
  } finally {
    await source.close();
  }
}
