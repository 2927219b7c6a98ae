/**
 * What is not there, for packages that have their own word for it: `undefined` for zarrita, an error of the code 416 for
 * @chunkd/source.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SourceError as ChunkdError, type SourceCallback, type SourceRequest, SourceView } from '@chunkd/source';
import { afterEach, describe, expect, it } from 'vitest';
import * as zarr from 'zarrita';
import {
  type ByteReader,
  ByteSource,
  ChunkdRangeError,
  chunkdSource,
  consistentAll,
  openFile,
  openUrl,
  SourceError,
  zarritaStore,
} from '../../lib/bytes/index.js';
import { MemoryBackend } from '../support/bytes/memory.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** An array of six numbers in three chunks, the middle one of which was never written. */
async function written(): Promise<Map<string, Uint8Array>> {
  const bytes = new Map<string, Uint8Array>();
  const array = await zarr.create(bytes, { shape: [6], chunkShape: [2], dtype: 'int8', codecs: [], fillValue: 9 });
  await zarr.set(array, null, { data: Int8Array.from([1, 2, 3, 4, 5, 6]), shape: [6], stride: [1] });
  bytes.delete('/c/1');
  return bytes;
}

/** Serves what is there, and answers `status` to what is not. */
async function serve(bytes: ReadonlyMap<string, Uint8Array>, status = 404): Promise<string> {
  const server = createServer((request, response) => {
    const content = bytes.get(request.url!);
    if (content === undefined) return response.writeHead(status).end();
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const [start, last] =
      match === null ? [0, content.length - 1] : [Number(match[1]), Math.min(Number(match[2]), content.length - 1)];
    const range = `bytes ${start}-${last}/${content.length}`;
    return response
      .writeHead(match === null ? 200 : 206, { etag: '"1"', 'content-range': range })
      .end(content.subarray(start, last + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function folderOf(bytes: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rangefence-'));
  closing.push(() => rm(folder, { recursive: true }));
  for (const [key, content] of bytes) {
    await mkdir(dirname(join(folder, key)), { recursive: true });
    await writeFile(join(folder, key), content);
  }
  return folder;
}

function kept(open: (key: string) => ByteSource): (key: string) => ByteSource {
  const sources = new Map<string, ByteSource>();
  return (key) => {
    const source = sources.get(key) ?? open(key);
    if (!sources.has(key)) closing.push(() => source.close());
    sources.set(key, source);
    return source;
  };
}

async function numbersOf(store: zarr.AsyncReadable): Promise<number[]> {
  const array = await zarr.open(store, { kind: 'array' });
  const { data } = (await zarr.get(array)) as { data: Int8Array };
  return Array.from(data);
}

describe('zarritaStore', () => {
  const NUMBERS = [1, 2, 9, 9, 5, 6];

  it('of URLs opens what zarrita’s own store of URLs opens, and fills in the chunk that is not there', async () => {
    for (const status of [404, 410]) {
      const base = await serve(await written(), status);
      if (status === 404) expect(await numbersOf(new zarr.FetchStore(base))).toEqual(NUMBERS);
      expect(await numbersOf(zarritaStore(kept((key) => openUrl(base + key))))).toEqual(NUMBERS);
    }
  });

  it('of files does so, too: also where a part of the path is no folder', async () => {
    const folder = await folderOf(await written());
    const store = zarritaStore(kept((key) => openFile(join(folder, key), { watch: false })));
    expect(await numbersOf(store)).toEqual(NUMBERS);
    expect(await store.get('/zarr.json/inner')).toBeUndefined();
    expect(await store.getRange('/c/1', { offset: 0, length: 1 })).toBeUndefined();
    expect(await store.getRange('/c/1', { suffixLength: 1 })).toBeUndefined();
  });

  it('of views does so, in a query over all of them', async () => {
    const folder = await folderOf(await written());
    const keys = ['/zarr.json', '/c/0', '/c/1', '/c/2', '/.zattrs'];
    const open = kept((key) => openFile(join(folder, key), { watch: false }));
    const sources = new Map(keys.map((key) => [key, open(key)] as const));
    expect(await consistentAll(sources, (views) => numbersOf(zarritaStore(views as ReadonlyMap<string, ByteReader>)))).toEqual(
      NUMBERS,
    );
  });

  it('of a backend of one’s own takes the errors of the host, and of the browser’s file system, for it', async () => {
    for (const error of [
      Object.assign(new Error('x'), { code: 'ENOENT' }),
      new DOMException('x', 'NotFoundError'),
      new SourceError('x', 'is gone', { missing: true }),
    ]) {
      const backend = {
        name: 'own',
        identify: () => Promise.reject(error),
        read: () => Promise.reject(error),
      };
      expect(await zarritaStore(kept(() => new ByteSource({ backend }))).get('/zarr.json')).toBeUndefined();
    }
  });

  it('takes nothing else for it: 403, 500, a folder, a broken line', async () => {
    for (const status of [403, 500, 503]) {
      const base = await serve(new Map(), status);
      await expect(zarritaStore((key) => openUrl(base + key)).get('/zarr.json')).rejects.toMatchObject({ missing: false });
    }
    const folder = await folderOf(await written());
    await expect(zarritaStore(kept((key) => openFile(folder + key))).get('/c')).rejects.toThrow('got something else');
    await expect(zarritaStore(() => openUrl('http://127.0.0.1:1/')).get('/c')).rejects.toMatchObject({ missing: false });
  });

  it('does not give out what was there before it was gone', async () => {
    const bytes = await written();
    const base = await serve(bytes);
    const source = kept((key) => openUrl(base + key))('/c/0');
    expect([...(await source.read(0, 2))]).toEqual([1, 2]);
    bytes.delete('/c/0');
    await expect(source.size({ revalidate: true })).rejects.toMatchObject({ missing: true });
    expect(await zarritaStore(() => source).get('/c/0')).toBeUndefined();
    bytes.set('/c/0', Uint8Array.of(7, 8));
    expect([...(await zarritaStore(() => source).get('/c/0'))!]).toEqual([7, 8]);
  });
});

/** What the middleware of @chunkd does: cuts a request into chunks, and puts them together as if each were full. */
class Chunks {
  readonly name = 'chunks';
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  async fetch(request: SourceRequest, next: SourceCallback): Promise<ArrayBuffer> {
    const { offset, length, source } = request;
    if (offset < 0 || length == null) return next(request);
    const known = source.metadata?.size;
    if (known !== undefined && offset + length > known) throw new ChunkdError('outside of bounds', 416, source);
    const first = Math.floor(offset / this.#size);
    const count = Math.ceil((offset + length) / this.#size) - first;
    const chunk = (index: number) => {
      const end = Math.min((index + 1) * this.#size, known ?? Number.POSITIVE_INFINITY);
      return next({ ...request, offset: index * this.#size, length: end - index * this.#size });
    };
    const from = offset - first * this.#size;
    if (count === 1) return (await chunk(first)).slice(from, from + length);
    const output = new Uint8Array(count * this.#size);
    const chunks = await Promise.all(Array.from({ length: count }, (_, i) => chunk(first + i)));
    for (const [i, bytes] of chunks.entries()) output.set(new Uint8Array(bytes), i * this.#size);
    return output.buffer.slice(from, from + length);
  }
}

describe('chunkdSource', () => {
  const TEN = Uint8Array.from({ length: 10 }, (_, i) => i + 1);
  const url = new URL('memory:thing');

  function opened(content = TEN) {
    const backend = new MemoryBackend(content);
    const source = new ByteSource({ backend, pageSize: 4 });
    closing.push(() => source.close());
    return { backend, source, chunkd: chunkdSource(source, { url }) };
  }

  it('allows a read past the end that starts within, and knows the size from then on', async () => {
    const { chunkd } = opened();
    expect(new Uint8Array(await chunkd.fetch(0, 1024))).toEqual(TEN);
    expect(chunkd.metadata?.size).toBe(10);
    expect([...new Uint8Array(await chunkd.fetch(6, 10))]).toEqual([7, 8, 9, 10]);
  });

  it('refuses a read that starts behind the end, as the package’s own sources do', async () => {
    const { chunkd } = opened();
    for (const [offset, length] of [[1024, 2048], [11, 1], [11], [10, 5]] as [number, number?][]) {
      const error = await chunkd.fetch(offset, length).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ChunkdRangeError);
      expect(ChunkdError.is(error)).toBe(true);
      expect(error).toMatchObject({ code: 416, url, source: chunkd, name: 'SourceError' });
      expect((error as Error).message).toContain(`bytes from ${offset}`);
      expect((error as Error).message).toContain('there are 10');
    }
  });

  /** Every byte that comes is one of the file. */
  async function tried(view: SourceView, offset: number, length: number): Promise<number | number[]> {
    try {
      const bytes = [...new Uint8Array(await view.fetch(offset, length))];
      expect(bytes).toEqual([...TEN.slice(offset, offset + bytes.length)]);
      return bytes;
    } catch (error) {
      if (!ChunkdError.is(error)) throw error;
      return error.code;
    }
  }

  const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 64];
  it.each(SIZES)('gives no byte behind chunks of %i that the file does not have', async (size) => {
    for (let offset = 0; offset < 14; offset++) {
      for (const length of [1, 4, 10]) {
        const isWithin = offset + length <= 10;
        const { chunkd } = opened();
        const view = new SourceView(chunkd, [new Chunks(size)]);
        await tried(view, offset, length);
        if (chunkd.metadata === undefined) await chunkd.head(); // a read that was full says nothing about the end
        expect(await tried(view, offset, length)).toEqual(isWithin ? [...TEN.slice(offset, offset + length)] : 416);
      }
    }
  });

  it('refuses a read beyond the end behind chunks, whether the size is known or not', async () => {
    for (const size of [4, 8]) {
      const { chunkd } = opened();
      const view = new SourceView(chunkd, [new Chunks(size)]);
      expect(await tried(view, 6, 10)).toBe(416);
      expect(await tried(view, 6, 10)).toBe(416);
      expect(await tried(view, 6, 4)).toEqual([7, 8, 9, 10]);
    }
  });

  it('tells the size of now, and no other, after a change', async () => {
    const { chunkd, backend, source } = opened();
    await chunkd.head();
    backend.put(Uint8Array.from({ length: 20 }, (_, i) => i));
    await source.size({ revalidate: true });
    expect(chunkd.metadata).toEqual({ size: 20 });
    expect((await new SourceView(chunkd, [new Chunks(8)]).fetch(12, 8)).byteLength).toBe(8);
    backend.put(Uint8Array.from([1, 2, 3, 4, 5]));
    await source.invalidate();
    expect(await new SourceView(chunkd, [new Chunks(4)]).fetch(4, 4).catch((error) => error.code)).toBe(416);
  });

  it('does the same over the view of a query', async () => {
    const { source } = opened();
    const got = await source.consistent(async (reader) => {
      const chunkd = chunkdSource(reader, { url });
      const code = await chunkd.fetch(20, 4).catch((error) => error.code);
      await chunkd.head();
      return [code, chunkd.metadata, [...new Uint8Array(await chunkd.fetch(8, 4))]];
    });
    expect(got).toEqual([416, { size: 10 }, [9, 10]]);
  });
});
