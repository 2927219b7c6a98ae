import * as fs from 'node:fs';
import { closeSync, openSync, readdirSync, readlinkSync, writeSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, open as openHandle, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteSource, type FileOptions, openFile, SourceError } from '../../lib/bytes/index.js';
import { InvalidArgumentError, RangeTracker } from '../../lib/index.js';
import { BLOCK, blocks, versionsOf } from '../support/bytes/content.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { Random, SEED } from '../support/model/random.js';

const PAGE = 10 * BLOCK;

let folder: string;
let path: string;
const opened: ByteSource[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rangefence-'));
  path = join(folder, 'data');
  await writeFile(path, blocks(1, 100));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
  expect(openFiles()).toEqual([]);
  await rm(folder, { recursive: true });
});

/** Without watching, so that only what a test does is noticed; the tests of watching say otherwise. */
function open(options: FileOptions = {}): ByteSource {
  const source = openFile(path, { pageSize: PAGE, watch: false, ...options });
  opened.push(source);
  return source;
}

/** Puts another file in its place. */
async function replace(content: Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

/** Writes into the file as it stands, by one call. */
async function overwrite(content: Uint8Array, at = 0): Promise<void> {
  const handle = await openHandle(path, 'r+');
  await handle.write(content, 0, content.length, at);
  await handle.close();
}

/** Files in the folder of the test that this process has open, where the host says so. */
function openFiles(): string[] {
  if (process.platform !== 'linux') return [];
  const target = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // that of the listing itself
    }
  };
  return readdirSync('/proc/self/fd')
    .map(target)
    .filter((file) => file.startsWith(folder));
}

/**
 * Opens on a file system whose stamps are those of the last tick, 10 ms apart. Kernels from 6.13 on stamp finely whatever was
 * looked at since the last write, so there the race would never be seen.
 */
function withTicks(work: () => ByteSource): ByteSource {
  const tick = (ns: bigint) => ns - ((ns + 3_333_333n) % 10_000_000n); // never a whole second
  const stat = async (file: string) => {
    const exact = await fs.promises.stat(file, { bigint: true });
    return Object.create(exact, { mtimeNs: { value: tick(exact.mtimeNs) }, ctimeNs: { value: tick(exact.ctimeNs) } });
  };
  return withHost({ stat }, work);
}

/** Opens on the host's file system with some of its functions wrapped. */
function withHost(promises: object, work: () => ByteSource): ByteSource {
  const host = process as { getBuiltinModule: (name: string) => unknown };
  const { getBuiltinModule } = host;
  const wrapped = { ...fs, promises: { ...fs.promises, ...promises } };
  try {
    host.getBuiltinModule = (name) => (name === 'node:fs' ? wrapped : getBuiltinModule(name));
    return work();
  } finally {
    host.getBuiltinModule = getBuiltinModule;
  }
}

/** A handle whose first read comes in two halves, as reads may, with something in between. */
function halving(handle: fs.promises.FileHandle, between: () => Promise<void>): object {
  let isFirst = true;
  return {
    stat: (options: { bigint: true }) => handle.stat(options),
    close: () => handle.close(),
    read: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
      if (!isFirst) return handle.read(buffer, offset, length, position);
      isFirst = false;
      const result = await handle.read(buffer, offset, length / 2, position);
      await between();
      return result;
    },
  };
}

/** Resolves when the whole of the source is dropped. */
function dropped(source: ByteSource): Promise<void> {
  return new Promise((resolve) => {
    const subscription = source.tracker.subscribe(
      { start: 0, end: Number.POSITIVE_INFINITY },
      {
        invalidate: () => {
          subscription.close();
          resolve();
        },
      },
    );
  });
}

describe('reading', () => {
  it('gives the bytes of the file, in runs of pages', async () => {
    const source = open();
    expect(await source.read(0, Number.POSITIVE_INFINITY)).toEqual(new Uint8Array(await readFile(path)));
    expect(await source.read(37, 400)).toEqual(blocks(1, 100).slice(37, 437));
    expect(await source.size()).toBe(1600);
    expect(source.stats).toMatchObject({ requests: 2, bytes: 1600 }); // the length, then everything
  });

  it('costs one request for a hundred readers, and one for each run of a scan', async () => {
    const source = open({ maxRunPages: 4 });
    await Promise.all(Array.from({ length: 100 }, () => source.read(5, 10)));
    expect(source.stats.requests).toBe(1);
    for (let at = 0; at < 1600; at += PAGE) await source.read(at, PAGE);
    expect(source.stats.requests).toBe(10);
  });

  it('opens nothing before the first read, and once from then on', async () => {
    await rm(path);
    const source = open();
    expect(openFiles()).toEqual([]);
    const error = await source.read(0, 1).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SourceError);
    expect((error as SourceError).message).toContain(`${path}: cannot be found: ENOENT`);
    await writeFile(path, blocks(2, 100));
    expect(versionsOf(await source.read(0, PAGE))).toEqual([2]);
    await source.read(PAGE, PAGE);
    if (process.platform === 'linux') expect(openFiles()).toEqual([path]);
  });

  it('of what is no file, or may not be read, is an error that says so', async () => {
    path = join(folder, 'inner');
    await mkdir(path);
    expect(String(await open().size().catch(String))).toContain('got something else; expected a file');
  });
});

describe('a change by somebody who tells nobody', () => {
  const changes: [string, () => Promise<unknown>, number][] = [
    ['replaced by rename', () => replace(blocks(2, 100)), 100],
    ['replaced by a longer one', () => replace(blocks(2, 150)), 150],
    ['rewritten in place', () => overwrite(blocks(2, 100)), 100],
    ['truncated and rewritten', () => writeFile(path, blocks(2, 60)), 60],
    ['removed and made again', () => rm(path).then(() => writeFile(path, blocks(2, 100))), 100],
  ];

  it.each(changes)('is noticed by the next load, and drops everything: %s', async (_name, change, count) => {
    const source = open();
    await source.read(0, 2 * PAGE);
    await change();
    expect(versionsOf(await source.read(0, 2 * PAGE))).toEqual([1]); // as a whole, until it is noticed
    expect(versionsOf(await source.read(0, 4 * PAGE))).toEqual([2]);
    expect(await source.size()).toBe(count * BLOCK);
    expect(source.stats.changes).toBe(1);
  });

  it.each(changes)('is noticed by revalidate: %s', async (_name, change) => {
    const source = open();
    await source.read(0, 2 * PAGE);
    await change();
    expect(versionsOf(await source.read(0, 2 * PAGE, { revalidate: true }))).toEqual([2]);
  });

  it('is noticed if it only grew or shrank', async () => {
    const source = open();
    await source.read(0, Number.POSITIVE_INFINITY);
    await appendFile(path, blocks(1, 10, 100));
    expect(await source.size({ revalidate: true })).toBe(110 * BLOCK);
    await truncate(path, 50 * BLOCK);
    expect(await source.size({ revalidate: true })).toBe(50 * BLOCK);
    expect(await source.read(0, Number.POSITIVE_INFINITY)).toEqual(blocks(1, 50));
  });

  it('makes a query begin again, so that it is of one version', async () => {
    const source = open();
    let attempts = 0;
    const versions = await source.consistent(async (view) => {
      const first = versionsOf(await view.read(0, PAGE));
      if (attempts++ === 0) await replace(blocks(2, 100));
      return [...first, ...versionsOf(await view.read(5 * PAGE, PAGE), 50)];
    });
    expect([versions, attempts]).toEqual([[2, 2], 2]);
  });

  it('pages read by hand, with a cache, do mix', async () => {
    const cache = new Map<number, Uint8Array>();
    const page = async (index: number) => {
      const bytes = cache.get(index) ?? (await readFile(path)).subarray(index * PAGE, (index + 1) * PAGE);
      cache.set(index, bytes);
      return versionsOf(bytes, index * 10);
    };
    await page(0);
    await replace(blocks(2, 100));
    expect([...(await page(0)), ...(await page(5))]).toEqual([1, 2]);
  });

  it('is noticed even within one tick of the clock that stamps files', { timeout: 20_000 }, async () => {
    const file = openSync(path, 'r+');
    const source = withTicks(() => open());
    for (let version = 2; version < 26; version += 2) {
      writeSync(file, blocks(version, 100), 0, 1600, 0);
      expect(versionsOf(await source.read(0, 1600, { revalidate: true }))).toEqual([version]);
      writeSync(file, blocks(version + 1, 100), 0, 1600, 0);
      expect(versionsOf(await source.read(0, 1600, { revalidate: true }))).toEqual([version + 1]);
    }
    closeSync(file);
  });

  it('is noticed while the bytes are being read: halves of two versions are no result', async () => {
    let version = 1;
    const source = withHost(
      { open: async (file: string) => halving(await fs.promises.open(file), () => overwrite(blocks(++version, 100))) },
      () => open(),
    );
    expect(versionsOf(await source.read(0, 1600))).toEqual([2]);
    expect(version).toBe(2);
  });

  it('is kept apart whatever is done to the file while readers and queries run', { timeout: 60_000 }, async () => {
    const random = new Random(SEED);
    const source = open({ maxRunPages: 3 });
    let version = 1;
    let count = 100;
    let isOver = false;
    const writer = async () => {
      for (let step = 0; step < 24; step++) {
        const kind = random.below(4);
        if (kind === 0) {
          count = 40 + random.below(100);
          await replace(blocks(++version, count));
        } else if (kind === 1) await overwrite(blocks(++version, count));
        else if (kind === 2) {
          count = Math.max(20, count - 10);
          await truncate(path, count * BLOCK);
        } else {
          await appendFile(path, blocks(version, 10, count));
          count += 10;
        }
        for (let i = random.below(30); i > 0; i--) await new Promise((resolve) => setImmediate(resolve));
      }
      isOver = true;
    };
    const seen = new Set<number>();
    const reader = async () => {
      for (let round = 0; !isOver || round === 0; round++) {
        await new Promise((resolve) => setImmediate(resolve)); // what is present costs no turn of the host
        const bytes = await source.read(0, Number.POSITIVE_INFINITY, { revalidate: round % 2 === 0 });
        const versions = versionsOf(bytes.subarray(0, bytes.length - (bytes.length % BLOCK)));
        expect(versions).toHaveLength(1);
        seen.add(versions[0]!);
      }
    };
    const query = async () => {
      for (let round = 0; !isOver || round === 0; round++) {
        await new Promise((resolve) => setImmediate(resolve)); // what is present costs no turn of the host
        const versions = await source.consistent(
          async (view) => {
            const size = await view.size();
            const found = new Set<number>();
            for (let at = 0; at + PAGE <= size; at += 3 * PAGE)
              for (const each of versionsOf(await view.read(at, PAGE), at / BLOCK)) found.add(each);
            return [...found];
          },
          { holdMs: 20_000 },
        );
        expect(versions).toHaveLength(1);
      }
    };
    await Promise.all([writer(), reader(), query()]);
    expect(seen.size).toBeGreaterThan(0);
    const final = await source.read(0, Number.POSITIVE_INFINITY, { revalidate: true });
    expect(final).toEqual(blocks(version, count));
  });
});

describe('mutate', () => {
  it('keeps what it does not announce, and the version', async () => {
    const source = open();
    await source.read(0, 1600);
    await source.mutate({ start: 0, end: 16 }, () => overwrite(blocks(2, 1)));
    await source.mutate({ start: 1600, end: 1760 }, () => appendFile(path, blocks(3, 10, 100)));
    expect(versionsOf(await source.read(0, 2000))).toEqual([2, 1, 3]);
    expect(source.stats).toMatchObject({ changes: 0, dropped: 1 });
    await replace(blocks(4, 100));
    expect(versionsOf(await source.read(0, 1600, { revalidate: true }))).toEqual([4]);
  });

  it('of readers and writers in one process tears nothing', { timeout: 20_000 }, async () => {
    const source = open();
    const random = new Random(SEED);
    let isOver = false;
    const writer = async () => {
      for (let version = 2; version < 20; version++) {
        const page = random.below(9);
        await source.mutate({ start: page * PAGE, end: (page + 2) * PAGE }, async () => {
          await overwrite(blocks(version, 10, page * 10), page * PAGE);
          await overwrite(blocks(version, 10, page * 10 + 10), (page + 1) * PAGE);
        });
      }
      isOver = true;
    };
    const reader = async (page: number) => {
      while (!isOver) {
        expect(versionsOf(await source.read(page * PAGE, PAGE), page * 10)).toHaveLength(1);
        await new Promise((resolve) => setImmediate(resolve)); // what is present costs no turn of the host
      }
    };
    await Promise.all([writer(), reader(2), reader(5), reader(8)]);
    expect(source.stats.changes).toBe(0);
    expect(await source.read(0, 1600)).toEqual(new Uint8Array(await readFile(path)));
  });
});

describe('watching', () => {
  it('notices without a read, atomic renames one after the other, too', { timeout: 20_000 }, async () => {
    const source = open({ watch: true });
    await source.read(0, 1600);
    for (let version = 2; version < 5; version++) {
      const drop = dropped(source);
      await replace(blocks(version, 100));
      await drop;
      expect(versionsOf(await source.read(0, 1600))).toEqual([version]);
    }
    const drop = dropped(source);
    await rm(path);
    await drop;
    await expect(source.read(0, 1600)).rejects.toBeInstanceOf(SourceError);
  });

  it('does not keep the process alive, and ends with the source', async () => {
    const watches = () => process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;
    const before = watches();
    const tracker = new RangeTracker();
    const source = open({ watch: true, tracker });
    await source.read(0, 1);
    expect(watches()).toBe(before);
    await source.close();
    expectNothingLeft(tracker);
    await replace(blocks(2, 100));
    expect(source.stats.changes).toBe(0);
  });

  it('is gone without where there is nothing to watch', async () => {
    path = join(folder, 'later', 'data');
    const source = open({ watch: true });
    await expect(source.size()).rejects.toBeInstanceOf(SourceError);
    await mkdir(join(folder, 'later'));
    await writeFile(path, blocks(1, 10));
    expect(await source.size()).toBe(160);
  });
});

describe('openFile', () => {
  it('checks its arguments', () => {
    const wrong: [unknown, unknown, string][] = [
      ['', {}, 'path is ""; expected a path, or a URL of a file'],
      [1, {}, 'path is 1; expected a path, or a URL of a file'],
      [new URL('https://example.org/a'), {}, 'path is an object; expected a path, or a URL of a file'],
      ['a', null, 'options is null; expected an object'],
      ['a', { watch: 1 }, 'watch is 1; expected a boolean'],
    ];
    for (const [file, options, message] of wrong) {
      expect(() => openFile(file as string, options as FileOptions)).toThrow(InvalidArgumentError);
      expect(() => openFile(file as string, options as FileOptions)).toThrow(message);
    }
  });

  it('takes a URL of a file, with what is escaped in it', async () => {
    path = join(folder, 'a file');
    await writeFile(path, 'content');
    const source = openFile(pathToFileURL(path), { watch: false });
    expect([await source.size(), source.label]).toEqual([7, path]);
    await source.close();
  });

  it('says what is missing where there is no file system', () => {
    const host = process as { getBuiltinModule?: unknown };
    const { getBuiltinModule } = host;
    try {
      host.getBuiltinModule = undefined;
      expect(() => openFile('a')).toThrow(SourceError);
      expect(() => openFile('a')).toThrow(/a: cannot be opened: got a host without it; expected node:fs through/);
    } finally {
      host.getBuiltinModule = getBuiltinModule;
    }
  });
});
