import type { GeoTIFF as Tiff } from 'geotiff';
import { describe, expect, it } from 'vitest';
import * as zarr from 'zarrita';
import {
  type ByteSource,
  consistentAll,
  geotiffClient,
  geotiffSource,
  perVersion,
  type ZarritaReaders,
  zarritaStore,
} from '../../lib/bytes/index.js';
import { InvalidArgumentError } from '../../lib/index.js';
import {
  CHUNK_VALUES,
  CHUNKS,
  PIXELS,
  pixel,
  tiffFile,
  zarrChunk,
  zarrMetadata,
  zarrShard,
  zarrValue,
} from '../packages/archives.js';
import { geotiff } from '../packages/geotiff.js';
import { exactly, open, type Thing } from '../packages/thing.js';

const { fromArrayBuffer, fromCustomClient, GeoTIFF, writeArrayBuffer } = geotiff;

/** A store as the package has several: what is there is read when it is asked for. */
function unfenced(thing: Thing): zarr.AsyncReadable {
  const metadata = zarrMetadata(true);
  return {
    get: async (key) => (key === '/zarr.json' ? metadata : key === '/c/0' ? thing.slice(0, thing.bytes.length) : undefined),
    getRange: async (key, range) => {
      if (key !== '/c/0') return undefined;
      if ('suffixLength' in range) return thing.slice(thing.bytes.length - range.suffixLength, thing.bytes.length);
      return thing.slice(range.offset, range.offset + range.length);
    },
  };
}

/** The same over readers: metadata that does not change, and the shard. */
function readers(shard: Parameters<typeof geotiffSource>[0]): ZarritaReaders {
  return new Map([
    ['/zarr.json', open(() => zarrMetadata(true)).source],
    ['/c/0', shard],
  ]);
}

async function values(store: zarr.Readable): Promise<number[]> {
  return valuesOf(await zarr.open.v3(store, { kind: 'array' }));
}

async function valuesOf(array: zarr.Array<zarr.DataType, zarr.Readable>): Promise<number[]> {
  return Array.from((await zarr.get(array)).data as Int32Array);
}

function expected(version: number): number[] {
  return Array.from({ length: CHUNKS * CHUNK_VALUES }, (_, i) => zarrValue(version, i));
}

/** Compared as text: several times as fast, where arrays are long. */
function expectValues(found: ArrayLike<number>, version: number, wanted: (version: number) => number[] = expected): void {
  expect(Array.from(found).join() === wanted(version).join(), `version ${version}`).toBe(true);
}

describe('zarritaStore', () => {
  it('gives the values that the package reads from the same bytes by itself', async () => {
    const { thing, source } = open(zarrShard);
    expectValues(await values(unfenced(thing)), 1);
    expectValues(await values(zarritaStore(readers(source))), 1);
    expectValues(await source.consistent((view) => values(zarritaStore(readers(view)))), 1);
    expectValues(await values(zarr.withRangeCoalescing(zarritaStore(readers(source)))), 1);
  });

  it('gets all of a key, ranges and ends of it, and nothing where nothing is', async () => {
    const { source } = open(() => Uint8Array.from([0, 1, 2, 3, 4]));
    const store = zarritaStore(async (key) => (key === '/a' ? source : undefined));
    const { signal } = new AbortController();
    expect(await store.get('/a', { signal })).toEqual(Uint8Array.from([0, 1, 2, 3, 4]));
    expect(await store.getRange('/a', { offset: 1, length: 2 }, { signal })).toEqual(Uint8Array.from([1, 2]));
    expect(await store.getRange('/a', { offset: 3, length: 9 })).toEqual(Uint8Array.from([3, 4]));
    expect(await store.getRange('/a', { suffixLength: 2 })).toEqual(Uint8Array.from([3, 4]));
    expect(await store.getRange('/a', { suffixLength: 9 })).toEqual(Uint8Array.from([0, 1, 2, 3, 4]));
    expect(await store.getRange('/a', { suffixLength: 0 })).toEqual(new Uint8Array(0));
    expect(await store.get('/b')).toBeUndefined();
    expect(await store.getRange('/b', { offset: 0, length: 1 })).toBeUndefined();
    await expect(store.get('/a', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  it('refuses what is neither a map nor a function, and what it finds if that is no reader', async () => {
    expect(() => zarritaStore({} as never)).toThrow(InvalidArgumentError);
    expect(() => zarritaStore(undefined as never)).toThrow(InvalidArgumentError);
    await expect(zarritaStore(() => ({}) as never).get('/a')).rejects.toThrow(InvalidArgumentError);
  });

  it('takes the end of a key from one version, although it changes between size and bytes', async () => {
    let length = 10_000;
    const { thing, source } = open((version) => new Uint8Array(length).fill(version));
    await source.size();
    thing.before = () => {
      if (thing.requests !== 1) return;
      length = 5000;
      thing.replace();
    };
    const end = await zarritaStore(new Map([['/a', source]])).getRange('/a', { suffixLength: 3 });
    expect(end).toEqual(Uint8Array.from([2, 2, 2]));
  });

  it('keeps nothing that was read before clear() or an announcement, where the package’s cache keeps it for ever', async () => {
    const { thing, source } = open(zarrShard);
    const cache = new Map<string, Uint8Array | undefined>();
    const theirs = zarr.withByteCaching(unfenced(thing), { cache });
    const ours = zarritaStore(readers(source));
    for (const [store, announce] of [
      [theirs, () => cache.clear()],
      [ours, () => source.invalidate()],
    ] as const) {
      const old = thing.version;
      let isChanged = false;
      thing.after = async () => {
        if (isChanged) return;
        isChanged = true;
        thing.replace(); // the bytes are on their way
        await announce();
      };
      const reading = store.get('/c/0');
      await reading;
      thing.after = () => {};
      const isOld = exactly((await store.get('/c/0'))!).byteLength > 0 && sameBytes(await store.get('/c/0'), zarrShard(old));
      expect(isOld).toBe(store === theirs);
      if (store === ours) expect(sameBytes(await reading, thing.bytes)).toBe(true);
    }
  });

  it('is not all: an array keeps the index of a shard, and finds old places in new bytes', async () => {
    const { thing, source } = open(zarrShard);
    const array = await zarr.open.v3(zarritaStore(readers(source)), { kind: 'array' });
    expectValues(await valuesOf(array), 1);
    await source.mutate({ start: 0, end: thing.bytes.length }, () => thing.replace());
    const mixed = await valuesOf(array);
    expect(mixed[0]).not.toBe(zarrValue(1, 0));
    expect(mixed[0]).not.toBe(zarrValue(2, 0));
  });

  it('is all inside of perVersion: one array for each version', async () => {
    const { thing, source } = open(zarrShard);
    let opened = 0;
    const query = perVersion(source, (reader) => {
      opened++;
      return zarr.open.v3(zarritaStore(readers(reader)), { kind: 'array' });
    });
    expectValues(await query(valuesOf), 1);
    expectValues(await query(valuesOf), 1);
    await source.mutate({ start: 0, end: thing.bytes.length }, () => thing.replace());
    thing.after = () => {
      if (thing.version === 2) thing.replace(); // and once more, behind the index
    };
    expectValues(await query(valuesOf), 3);
    expect(opened).toBe(3);
  });

  it('gives one version over a file for each chunk, inside of consistentAll', async () => {
    const chunks = Array.from({ length: CHUNKS }, (_, chunk) => open((version) => zarrChunk(version, chunk)));
    const sources = new Map<string, ByteSource>(chunks.map(({ source }, chunk) => [`/c/${chunk}`, source]));
    sources.set('/zarr.json', open(() => zarrMetadata(false)).source);
    const write = async () => {
      for (const { thing, source } of chunks) await source.mutate({ start: 0, end: 4000 }, () => thing.replace());
    };
    let written: Promise<void> | undefined;
    chunks[3]!.thing.after = () => {
      written ??= write();
    };
    const torn = await values(zarritaStore(sources)); // without: some chunks were read before, some after
    await written;
    expect(new Set(torn.map((value) => Math.floor(value / 1_000_000)))).toEqual(new Set([1, 2]));

    written = undefined;
    for (const { source } of chunks) await source.invalidate();
    const whole = await consistentAll(sources, (views) => values(zarritaStore(views)));
    await written;
    expectValues(whole, Math.floor(whole[0]! / 1_000_000));
    expectValues(await consistentAll(sources, (views) => values(zarritaStore(views))), 3);
  });
});

function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.from(a).equals(b);
}

/** All pixels, row by row. */
async function pixels(tiff: Tiff): Promise<number[]> {
  const image = await tiff.getImage();
  return Array.from((await image.readRasters({ interleave: true })) as unknown as Uint16Array);
}

function expectedPixels(version: number): number[] {
  return Array.from({ length: PIXELS * PIXELS }, (_, i) => pixel(version, i % PIXELS, Math.floor(i / PIXELS)));
}

/** Which its types do not know, and its documentation does: `fromCustomClient` with a cache of blocks. */
const BLOCKS = { headers: {}, blockSize: 4096 };

const EVERYTHING = { start: 0, end: Number.POSITIVE_INFINITY };

describe('geotiffSource and geotiffClient', () => {
  it('give the pixels that the package reads from the same bytes by itself', async () => {
    const { thing, source } = open(tiffFile);
    expectValues(await pixels(await fromArrayBuffer(exactly(thing.bytes))), 1, expectedPixels);
    expectValues(await pixels(await GeoTIFF.fromSource(geotiffSource(source))), 1, expectedPixels);
    for (const options of [{}, BLOCKS, { maxRanges: 4 }]) {
      expectValues(await pixels(await fromCustomClient(geotiffClient(source), options)), 1, expectedPixels);
    }
    const viewed = await source.consistent(async (view) => pixels(await GeoTIFF.fromSource(geotiffSource(view))));
    expectValues(viewed, 1, expectedPixels);
  });

  it('read what the package writes', async () => {
    const written = writeArrayBuffer(new Uint8Array([1, 2, 3, 4]), { height: 2, width: 2 });
    const { source } = open(() => new Uint8Array(written));
    const tiff = await GeoTIFF.fromSource(geotiffSource(source));
    expect(await pixels(tiff)).toEqual([1, 2, 3, 4]);
    expect(await tiff.close()).toBeUndefined();
  });

  it('answer slices in their order, with no size, and requests with a range and a length', async () => {
    const { source } = open(() => Uint8Array.from([0, 1, 2, 3, 4]));
    const slices = geotiffSource(source);
    const found = await slices.fetch([
      { offset: 3, length: 9 },
      { offset: 0, length: 2 },
    ]);
    expect(found.map((data) => [...new Uint8Array(data)])).toEqual([
      [3, 4],
      [0, 1],
    ]);
    expect(slices.fileSize).toBeNull();
    const client = geotiffClient(source, { url: 'memory:thing' });
    const response = await client.request({ headers: { Range: 'bytes=1-2,4-4' } });
    expect([client.url, response.ok, response.status]).toEqual(['memory:thing', true, 206]);
    expect(response.getHeader('Content-Range')).toBe('bytes 1-2/5');
    expect([response.getHeader('content-length'), response.getHeader('content-type')]).toEqual(['2', undefined]);
    expect([...new Uint8Array(await response.getData())]).toEqual([1, 2]);
  });

  it('refuse a request without a range of bytes, and give up with the signal', async () => {
    const { source } = open(() => new Uint8Array(5));
    const client = geotiffClient(source);
    for (const options of [undefined, {}, { headers: { Range: 'lines=1-2' } }, { headers: { Range: 'bytes=-5' } }]) {
      await expect(client.request(options)).rejects.toThrow(InvalidArgumentError);
    }
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(client.request({ headers: { Range: 'bytes=0-1' }, signal })).rejects.toThrow('enough');
    await expect(geotiffSource(source).fetchSlice({ offset: 0, length: 1 }, signal)).rejects.toThrow('enough');
  });

  it('keep nothing of an old version themselves, where blocks of the package keep it for ever', async () => {
    const { thing, source } = open(tiffFile);
    const blocked = await fromCustomClient(geotiffClient(source), BLOCKS);
    expectValues(await pixels(blocked), 1, expectedPixels);
    await source.mutate(EVERYTHING, () => thing.replace());
    expectValues(await pixels(blocked), 1, expectedPixels);
    expectValues(await pixels(await GeoTIFF.fromSource(geotiffSource(source))), 2, expectedPixels);
    expectValues(await pixels(await fromCustomClient(geotiffClient(source))), 2, expectedPixels);
  });

  it('are not all: a GeoTIFF keeps its directory, and finds old places in new bytes', async () => {
    const { thing, source } = open(tiffFile);
    const tiff = await GeoTIFF.fromSource(geotiffSource(source));
    await pixels(tiff);
    await source.mutate(EVERYTHING, () => thing.replace());
    const mixed = (await pixels(tiff)).join();
    expect([expectedPixels(1).join() === mixed, expectedPixels(2).join() === mixed]).toEqual([false, false]);
  });

  it.each([
    ['fromSource', geotiffSource, undefined],
    ['fromCustomClient with blocks', undefined, BLOCKS],
  ] as const)('are all inside of perVersion: %s', async (_name, slices, blocks) => {
    const { thing, source } = open(tiffFile);
    let made = 0;
    const query = perVersion(source, (reader) => {
      made++;
      if (slices !== undefined) return GeoTIFF.fromSource(slices(reader));
      return fromCustomClient(geotiffClient(reader), blocks);
    });
    expectValues(await query(pixels), 1, expectedPixels);
    await source.mutate(EVERYTHING, () => thing.replace());
    thing.after = () => {
      if (thing.version === 2) thing.replace(); // and once more, behind the header
    };
    expectValues(await query(pixels), 3, expectedPixels);
    expect(made).toBe(3);
    thing.replace();
    thing.failures = 1;
    await source.invalidate();
    await expect(query(pixels)).rejects.toThrow();
    expectValues(await query(pixels), 4, expectedPixels);
  });
});
