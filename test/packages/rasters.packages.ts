import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SourceFile } from '@chunkd/source-file';
import { fromFile, fromUrl, GeoTIFF } from 'geotiff';
import { describe, expect, it } from 'vitest';
import * as zarr from 'zarrita';
import {
  type ByteSource,
  chunkdSource,
  consistentAll,
  geotiffSource,
  openFile,
  openUrl,
  perVersion,
  zarritaStore,
} from '../../lib/bytes/index.js';
import { CHUNK_VALUES, CHUNKS, PIXELS, pixel, tiffFile, zarrChunk, zarrMetadata, zarrValue } from './archives.js';
import { inFolder, VersionedFile } from './files.js';
import { serve } from './host.js';
import { Thing } from './thing.js';

/** Versions of the Zarr array. */
const LAST = 12;

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, bytes);
  await rename(`${path}.new`, path);
}

/** The package's own store of URLs, over the files of a folder. */
function storeOf(folder: string): zarr.AsyncReadable {
  const fetch = async ({ url }: Request) => {
    const bytes = await readFile(join(folder, new URL(url).pathname)).catch(() => undefined);
    return bytes === undefined ? new Response(null, { status: 404 }) : new Response(bytes);
  };
  return new zarr.FetchStore('http://folder/', { fetch });
}

async function values(store: zarr.Readable): Promise<number[]> {
  const array = await zarr.open.v3(store, { kind: 'array' });
  return Array.from((await zarr.get(array)).data as Int32Array);
}

/** The versions of an array's values; also sees values in the wrong place. */
function versionsOf(found: readonly number[]): Set<number> {
  const versions = new Set<number>();
  found.forEach((value, i) => {
    const version = Math.floor(value / 1_000_000);
    versions.add(zarrValue(version, i) === value ? version : Number.NaN);
  });
  return versions;
}

describe('a Zarr array of a file for each chunk', () => {
  const keys = Array.from({ length: CHUNKS }, (_, chunk) => `c/${chunk}`);

  async function write(folder: string, version: number, written: (key: string) => void = () => {}): Promise<void> {
    for (const [chunk, key] of keys.entries()) {
      await replaceFile(join(folder, key), zarrChunk(version, chunk));
      written(key);
    }
  }

  it('is read by the package’s own store and by ours with the same values', async () => {
    await inFolder(async (folder) => {
      await replaceFile(join(folder, 'zarr.json'), zarrMetadata(false));
      await write(folder, 1);
      const sources = new Map(['zarr.json', ...keys].map((key) => [`/${key}`, openFile(join(folder, key))] as const));
      const theirs = await values(storeOf(folder));
      expect(await values(zarritaStore(sources))).toEqual(theirs);
      expect(versionsOf(theirs)).toEqual(new Set([1]));
      for (const source of sources.values()) await source.close();
    });
  });

  it('is rewritten chunk by chunk under many queries, and none of them mixes what was announced together', async () => {
    await inFolder(async (folder) => {
      await replaceFile(join(folder, 'zarr.json'), zarrMetadata(false));
      await write(folder, 1);
      const sources = new Map<string, ByteSource>(['zarr.json', ...keys].map((key) => [`/${key}`, openFile(join(folder, key))]));
      const chunks = keys.map((key) => sources.get(`/${key}`)!);
      const cache = new Map<string, Uint8Array | undefined>();
      // All chunks are announced before the first is written, and ended after the last.
      const rewrite = (version: number, depth = 0): Promise<void> => {
        const chunk = chunks[depth];
        if (chunk === undefined) return write(folder, version, (key) => cache.delete(`/${key}`));
        return chunk.mutate({ start: 0, end: Number.POSITIVE_INFINITY }, () => rewrite(version, depth + 1));
      };
      const cached = zarr.withByteCaching(storeOf(folder), { cache });
      const fenced = () => consistentAll(sources, (views) => values(zarritaStore(views)));

      let isOver = false;
      const count = async (query: () => Promise<number[]>) => {
        const tally = { queries: 0, mixed: 0 };
        for (; !isOver || tally.queries < 20; tally.queries++) {
          if (versionsOf(await query()).size > 1) tally.mixed++;
          await new Promise((resolve) => setImmediate(resolve)); // what is cached never leaves the microtasks
        }
        return tally;
      };
      const counting = Promise.all([count(() => values(cached)), ...Array.from({ length: 8 }, () => count(fenced))]);
      try {
        for (let version = 2; version <= LAST; version++) {
          await rewrite(version);
          await fenced();
        }
      } finally {
        isOver = true; // or the queries would go on for ever
      }
      const [theirs, ...all] = await counting;
      const ours = { queries: 0, mixed: 0 };
      for (const { queries, mixed } of all) {
        ours.queries += queries;
        ours.mixed += mixed;
      }
      console.log(`zarrita, a file for each chunk, rewritten ${LAST - 1} times:`);
      console.log(`  withByteCaching, each chunk deleted when it was written: ${theirs.mixed} of ${theirs.queries} mixed`);
      console.log(`  consistentAll: ${ours.mixed} of ${ours.queries} mixed`);
      expect(theirs.mixed).toBeGreaterThan(0);
      expect(ours.mixed).toBe(0);
      expect(versionsOf(await fenced())).toEqual(new Set([LAST]));
      for (const source of sources.values()) await source.close();
    });
  });

  it('stays old in the package’s cache after clear(), where a read was under way', async () => {
    await inFolder(async (folder) => {
      await replaceFile(join(folder, 'zarr.json'), zarrMetadata(false));
      await write(folder, 1);
      const cache = new Map<string, Uint8Array | undefined>();
      let arrive = () => {};
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      const files = storeOf(folder);
      const slow: zarr.AsyncReadable = {
        get: async (key) => {
          const bytes = await files.get(key);
          if (key === '/c/0') await arrived;
          return bytes;
        },
      };
      const store = zarr.withByteCaching(slow, { cache });
      const reading = store.get('/c/0');
      await files.get('/c/0'); // by now it has read, and is on its way
      await write(folder, 2);
      cache.clear();
      arrive();
      await reading;
      const first = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
      expect(first((await store.get('/c/0'))!)).toBe(zarrValue(1, 0));
      expect(first(new Uint8Array(await readFile(join(folder, 'c/0'))))).toBe(zarrValue(2, 0));
    });
  });
});

async function pixels(tiff: GeoTIFF): Promise<number[]> {
  const image = await tiff.getImage();
  return Array.from((await image.readRasters({ interleave: true })) as unknown as Uint16Array);
}

/** The versions whose image this is: none for a mix. */
function imagesLike(found: readonly number[], versions: number): number[] {
  const candidates = Array.from({ length: versions }, (_, i) => i + 1);
  return candidates.filter((version) => found.every((value, i) => value === pixel(version, i % PIXELS, Math.floor(i / PIXELS))));
}

describe('a GeoTIFF', () => {
  it('is read by fromFile and fromUrl, and through openFile and openUrl, with the same pixels', async () => {
    await inFolder(async (folder) => {
      const file = new VersionedFile(folder, tiffFile);
      await file.prepare(1);
      await file.replace();
      const host = await serve(new Thing(tiffFile));
      const sources = [openFile(file.path), openUrl(host.url)];
      const tiffs = [await fromFile(file.path), await fromUrl(host.url)];
      for (const source of sources) tiffs.push(await GeoTIFF.fromSource(geotiffSource(source)));
      for (const tiff of tiffs) expect(imagesLike(await pixels(tiff), 1)).toEqual([1]);
      await tiffs[0]!.close();
      for (const source of sources) await source.close();
      await host.close();
    });
  });

  it('is replaced on its server under two hundred queries: mixed or stale by itself, never through perVersion', async () => {
    const thing = new Thing(tiffFile);
    const host = await serve(thing);
    const source = openUrl(host.url, { pageSize: 1024 });
    const query = perVersion(source, (reader) => GeoTIFF.fromSource(geotiffSource(reader)));
    const blocks = { headers: {}, blockSize: 1024 }; // its types do not know the block size, its documentation does
    const theirs = await fromUrl(host.url, blocks);
    const tally = { mixed: 0, stale: 0, failed: 0 };
    for (let i = 0; i < 200; i++) {
      const announced = thing.version;
      const [found, ours] = await Promise.all([
        pixels(theirs).catch(() => undefined),
        query(pixels),
        i % 20 === 10 ? thing.replace() : undefined,
      ]);
      if (found === undefined) tally.failed++;
      else if (imagesLike(found, thing.version).length === 0) tally.mixed++;
      else if (imagesLike(found, thing.version)[0]! < announced) tally.stale++;
      const [version = 0] = imagesLike(ours, thing.version);
      expect(version).toBeGreaterThanOrEqual(announced);
      if (i % 20 === 10) await source.invalidate();
    }
    const { mixed, stale, failed } = tally;
    console.log(
      `geotiff, ten replacements: fromUrl with blocks ${mixed} mixed, ${stale} stale, ${failed} failed of 200; perVersion none`,
    );
    expect(mixed + stale + failed).toBeGreaterThan(0);
    await source.close();
    await host.close();
  });
});

it('chunks of a file that has grown: SourceFile of @chunkd/source-file keeps the first length, chunkdSource does not', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'thing');
    await replaceFile(path, new Uint8Array(1000).fill(1));
    const url = pathToFileURL(path);
    const source = openFile(path);
    const theirs = new SourceFile(url);
    const ours = chunkdSource(source, { url });
    expect(await ours.fetch(0)).toEqual(await theirs.fetch(0));
    await replaceFile(path, new Uint8Array(3 * CHUNK_VALUES).fill(2));
    await source.invalidate();
    expect((await theirs.fetch(0)).byteLength).toBe(1000); // of the new content: neither version
    expect(new Uint8Array(await ours.fetch(0))).toEqual(new Uint8Array(3000).fill(2));
    expect([(await theirs.head()).size, (await ours.head()).size]).toEqual([1000, 3000]);
    await source.close();
  });
});
