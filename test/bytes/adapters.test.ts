import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SourceView } from '@chunkd/source';
import { SourceFile } from '@chunkd/source-file';
import { type AsyncBuffer, cachedAsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { chunkdSource, consistentAll, hyparquetBuffer, perVersion } from '../../lib/bytes/index.js';
import { InvalidArgumentError } from '../../lib/index.js';
import { type Archive, parquetFile, ROWS, versionsOf } from '../packages/archives.js';
import { exactly, open, Thing } from '../packages/thing.js';
import { failure, soon } from '../support/turns.js';

/** A hundred bytes, each of them the version. */
const plain: Archive = (version) => new Uint8Array(100).fill(version);

/** As a package reads without a fence: the length once, slices as they come. */
function unfenced(thing: Thing): AsyncBuffer {
  return {
    byteLength: thing.bytes.length,
    slice: async (start, end = thing.bytes.length) => exactly(await thing.slice(start, end)),
  };
}

/** Small reads, so that a query makes several. */
const FOOTER = { initialFetchSize: 2048 };

async function rowsOf(file: AsyncBuffer, rowStart = 0, rowEnd = ROWS): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file, rowStart, rowEnd, metadata: await parquetMetadataAsync(file, FOOTER) });
}

describe('hyparquetBuffer', () => {
  it('gives the rows that the package reads from the same bytes by itself', async () => {
    const { thing, source } = open(parquetFile);
    const expected = await rowsOf(unfenced(thing));
    expect(expected).toHaveLength(ROWS);
    expect(await source.consistent(async (view) => rowsOf(await hyparquetBuffer(view)))).toEqual(expected);
    expect(await rowsOf(await hyparquetBuffer(source))).toEqual(expected);
  });

  it('slices by the rules of ArrayBuffer, into buffers that hold nothing else', async () => {
    const { thing, source } = open(parquetFile);
    const buffer = await hyparquetBuffer(source);
    const { byteLength } = buffer;
    expect(byteLength).toBe(thing.bytes.length);
    const whole = exactly(thing.bytes);
    const cases = [
      [0, 10],
      [-8],
      [-8, -4],
      [5],
      [byteLength - 3, byteLength + 3],
      [7, 7],
      [9, 2],
      [byteLength + 1],
      [-byteLength - 9, 3],
    ];
    for (const [start, end] of cases as [number, number?][]) {
      const slice = await buffer.slice(start, end);
      expect(Buffer.from(slice).equals(Buffer.from(whole.slice(start, end))), `${start}, ${end}`).toBe(true);
    }
  });

  it('copies what comes as a part of something larger', async () => {
    const larger = Uint8Array.from([9, 1, 2, 3, 9]);
    const part = { size: async () => 3, read: async () => larger.subarray(1, 4) };
    expect([...new Uint8Array(await (await hyparquetBuffer(part)).slice(0, 3))]).toEqual([1, 2, 3]);
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    const slice = await (await hyparquetBuffer({ ...part, read: async () => shared })).slice(0, 3);
    expect(slice).toBeInstanceOf(ArrayBuffer);
  });

  it('refuses what is no place of a byte, and what is no reader', async () => {
    const buffer = await hyparquetBuffer(open(plain).source);
    expect(await failure(buffer.slice(0.5))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(buffer.slice(0, Number.NaN))).toBeInstanceOf(InvalidArgumentError);
    for (const nothing of [undefined, {}, { read() {} }]) {
      expect(await failure(hyparquetBuffer(nothing as never))).toMatchObject({ code: 'RANGEFENCE_INVALID_ARGUMENT' });
    }
  });

  it('returns rows of one version although the file is replaced between two reads of the query', async () => {
    const { thing, source } = open(parquetFile);
    thing.after = () => {
      if (thing.requests === 1) thing.replace(); // the footer was read; the rows are not
    };
    const rows = await source.consistent(async (view) => rowsOf(await hyparquetBuffer(view)));
    expect(versionsOf(rows)).toEqual(new Set([2]));
    expect(source.tracker.stats.collisions).toBeGreaterThan(0);
  });

  it('is what keeps versions apart: with the package’s own cache one result is of two', async () => {
    const thing = new Thing(parquetFile);
    const cached = cachedAsyncBuffer(unfenced(thing), { minSize: 0 });
    await rowsOf(cached, 0, 500);
    thing.replace();
    expect(versionsOf(await rowsOf(cached, 0, 1000))).toEqual(new Set([1, 2]));
    expect(versionsOf(await rowsOf(cached, 0, 500))).toEqual(new Set([1])); // and it stays old for ever
  });

  it('never mixes under many queries at once, and is new for all who ask after the announcement', async () => {
    const { thing, source } = open(parquetFile);
    const query = (group: number) =>
      source.consistent(async (view) => rowsOf(await hyparquetBuffer(view), group * 500, group * 500 + 1000));
    let replaced = 0;
    thing.after = () => {
      if (replaced++ < 3) thing.replace();
    };
    const running = Array.from({ length: 40 }, (_, i) => query(i % 7));
    for (const rows of await Promise.all(running)) {
      expect(rows).toHaveLength(1000);
      expect(versionsOf(rows).size).toBe(1);
    }
    thing.after = () => {};
    expect(thing.version).toBe(4);
    await source.mutate({ start: 0, end: Number.POSITIVE_INFINITY }, () => thing.replace());
    const latest = new Set([thing.version]);
    for (const rows of await Promise.all([query(0), query(3), query(6)])) expect(versionsOf(rows)).toEqual(latest);
  });
});

describe('chunkdSource', () => {
  const options = { url: new URL('memory:thing') };

  it('fetches what the package’s own source of a file fetches', async () => {
    const { thing, source } = open(parquetFile);
    const folder = await mkdtemp(join(tmpdir(), 'rangefence-'));
    const path = join(folder, 'thing.parquet');
    try {
      await writeFile(path, thing.bytes);
      const theirs = new SourceView(new SourceFile(pathToFileURL(path)));
      const ours = new SourceView(chunkdSource(source, options));
      const size = thing.bytes.length;
      const cases = [[0, 100], [5000, 9000], [-100], [size - 10, 50], [size - 10]] as [number, number?][];
      for (const [offset, length] of cases) expect(await ours.fetch(offset, length)).toEqual(await theirs.fetch(offset, length));
      expect((await ours.head()).size).toBe((await theirs.head()).size);
      expect([ours.type, ours.url.href]).toEqual(['rangefence', 'memory:thing']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('finds out the size anew at each head, where the package’s own keeps the first', async () => {
    let length = 10;
    const { thing, source } = open(() => new Uint8Array(length));
    const chunks = chunkdSource(source, { ...options, type: 'mine' });
    expect(chunks.metadata).toBeUndefined();
    expect(await chunks.head()).toEqual({ size: 10 });
    length = 20;
    thing.replace();
    await source.invalidate();
    expect(chunks.metadata).toEqual({ size: 10 });
    expect(await chunks.head()).toEqual({ size: 20 });
    expect([chunks.metadata, chunks.type]).toEqual([{ size: 20 }, 'mine']);
    expect((await chunks.fetch(15)).byteLength).toBe(5);
  });

  it('takes the signal out of what the package hands down, and leaves the rest to the package', async () => {
    const { source } = open(plain);
    const handed = { signal: AbortSignal.abort(new Error('enough')), headers: { accept: '*/*' } };
    const ours = chunkdSource(source, options);
    await expect(ours.head(handed)).rejects.toThrow('enough');
    await expect(ours.fetch(0, 4, handed)).rejects.toThrow('enough');
    const others = { signal: new AbortController().signal, headers: {} };
    expect((await ours.fetch(0, 4, others)).byteLength).toBe(4);
    expect((await ours.fetch(0, undefined, others)).byteLength).toBe((await ours.head(others)).size);
  });

  it('refuses a negative offset with a length, and a name that is no URL', async () => {
    const { source } = open(plain);
    expect(await failure(chunkdSource(source, options).fetch(-4, 2))).toBeInstanceOf(InvalidArgumentError);
    expect(() => chunkdSource(source, { url: 'memory:thing' as never })).toThrow('url is "memory:thing"; expected a URL');
  });

  it('gives up a fetch with its signal', async () => {
    const { thing, source } = open(plain);
    const controller = new AbortController();
    thing.after = () => controller.abort(new Error('enough'));
    const { signal } = controller;
    await expect(chunkdSource(source, options).fetch(0, 10, { signal })).rejects.toThrow('enough');
    await expect(chunkdSource(source, options).head({ signal })).rejects.toThrow('enough');
  });
});

describe('perVersion', () => {
  it('makes one object for all queries of a version, and another one after a change', async () => {
    const { thing, source } = open(plain);
    let made = 0;
    const query = perVersion(source, async (reader) => {
      made++;
      return { made, first: (await reader.read(0, 1))[0] };
    });
    const both = await Promise.all([query((object) => object), query((object) => object)]);
    expect(both[0]).toBe(both[1]);
    expect(await soon(query(({ first }) => first))).toBe(1);
    expect(made).toBe(1);
    thing.replace();
    await source.invalidate();
    expect(await soon(query((object) => object))).toEqual({ made: 2, first: 2 });
  });

  it('runs a query again, with a new object, if what only the object has read changes meanwhile', async () => {
    const { thing, source } = open(plain);
    const query = perVersion(source, (reader) => reader.read(0, 1));
    let runs = 0;
    const seen: (number | undefined)[] = [];
    await soon(query(() => 0));
    const value = await soon(
      query(async ([first]) => {
        seen.push(first);
        if (++runs === 1) await source.mutate({ start: 0, end: 1 }, () => thing.replace());
        return first;
      }),
    );
    expect([value, ...seen]).toEqual([2, 1, 2]);
  });

  it('lets go of an object whose query has failed, and of one that could not be made', async () => {
    const { thing, source } = open(plain);
    let made = 0;
    const query = perVersion(source, (reader) => {
      made++;
      return reader.read(0, 1);
    });
    thing.failures = 1;
    await expect(query(() => 0)).rejects.toThrow('the network is gone');
    await expect(
      query(() => {
        throw new Error('mine');
      }),
    ).rejects.toThrow('mine');
    expect(await soon(query(([first]) => first))).toBe(1);
    expect(made).toBe(3);
  });

  it('does not take the object of others with it when an older query fails', async () => {
    const { thing, source } = open(plain);
    let made = 0;
    const query = perVersion(source, () => ++made);
    let fail = () => {};
    const failing = query(
      () =>
        new Promise((_resolve, reject) => {
          fail = () => reject(new Error('late'));
        }),
      { whenExhausted: 'throw', maxAttempts: 1 },
    );
    const failed = failure(failing);
    await soon(query(() => 0));
    thing.replace();
    await source.invalidate();
    expect(await soon(query((object) => object))).toBe(2);
    fail();
    expect(await soon(failed)).toMatchObject({ code: 'RANGEFENCE_RETRY_LIMIT' });
    expect(await soon(query((object) => object))).toBe(2);
  });

  it('refuses the view of a query, and what is no function', async () => {
    const { source } = open(plain);
    await source.consistent((view) => expect(() => perVersion(view as never, () => 0)).toThrow(InvalidArgumentError));
    expect(() => perVersion(source, 1 as never)).toThrow('make is 1; expected a function');
  });
});

describe('consistentAll', () => {
  it('returns what was current in all sources at one moment', async () => {
    const a = open(plain);
    const b = open(plain);
    const sources = new Map([['a', a.source] as const, ['b', b.source] as const]);
    let runs = 0;
    const values = await consistentAll(sources, async (views) => {
      const first = (await views.get('a')!.read(0, 1))[0];
      // Both go on together, after a was read and before b is.
      if (++runs === 1)
        for (const { thing, source } of [a, b]) await source.mutate({ start: 0, end: 100 }, () => thing.replace());
      return [first, (await views.get('b')!.read(0, 1))[0]];
    });
    expect([runs, values]).toEqual([2, [2, 2]]);
  });

  it('runs again although only the outermost has changed, after it was read', async () => {
    const a = open(plain);
    const b = open(plain);
    let runs = 0;
    const sources = new Map([['a', a.source] as const, ['b', b.source] as const]);
    const values = await consistentAll(sources, async (views) => {
      const first = (await views.get('a')!.read(0, 1))[0];
      if (++runs === 1) await a.source.mutate({ start: 0, end: 100 }, () => a.thing.replace());
      return [first, (await views.get('b')!.read(0, 1))[0]];
    });
    expect([runs, values]).toEqual([2, [2, 1]]);
  });

  it('takes thousands of sources, and none', async () => {
    const { source } = open(plain);
    const many = new Map(Array.from({ length: 3000 }, (_, i) => [i, source] as const));
    expect(await consistentAll(many, (views) => views.size)).toBe(3000);
    expect(await consistentAll(new Map(), (views) => views.size)).toBe(0);
  });
});
