/** A server over a source, read by hand, by another source, and while the file is being replaced. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteSource, openFile, openUrl } from '../../lib/bytes/index.js';
import { blocks, versionsOf } from '../support/bytes/content.js';
import { type Serving, serve } from '../support/bytes/serve.js';

const COUNT = 4_000;
let folder: string;
let path: string;
let file: ByteSource;
let serving: Serving;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rangefence-'));
  path = join(folder, 'data');
  await replace(1);
  file = openFile(path, { pageSize: 1_024 });
  serving = await serve(file);
});

afterEach(async () => {
  await serving.stop();
  await file.close();
  await rm(folder, { recursive: true });
});

async function replace(version: number, count = COUNT): Promise<void> {
  await writeFile(`${path}.new`, blocks(version, count));
  await rename(`${path}.new`, path);
}

async function get(headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(serving.url, { headers, method });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const header = (name: string) => response.headers.get(name);
  return {
    status: response.status,
    etag: header('etag')!,
    range: header('content-range'),
    length: header('content-length'),
    bytes,
  };
}

describe('a server over a source', () => {
  const content = blocks(1, COUNT);
  const total = content.length;

  it('sends the whole, and parts', async () => {
    const cases: [Record<string, string>, string, number, string | null, Uint8Array][] = [
      [{}, 'GET', 200, null, content],
      [{}, 'HEAD', 200, null, new Uint8Array(0)],
      [{ range: 'bytes=5-2000' }, 'GET', 206, `bytes 5-2000/${total}`, content.slice(5, 2001)],
      [{ range: `bytes=${total - 5}-` }, 'GET', 206, `bytes ${total - 5}-${total - 1}/${total}`, content.slice(-5)],
      [{ range: 'bytes=-7' }, 'GET', 206, `bytes ${total - 7}-${total - 1}/${total}`, content.slice(-7)],
      [{ range: `bytes=10-${total * 2}` }, 'GET', 206, `bytes 10-${total - 1}/${total}`, content.slice(10)],
      [{ range: `bytes=${total}-` }, 'GET', 416, `bytes */${total}`, new Uint8Array(0)],
      [{ range: 'bytes=7-3' }, 'GET', 200, null, content],
    ];
    for (const [headers, method, status, range, bytes] of cases) {
      const got = await get(headers, method);
      expect([got.status, got.range]).toEqual([status, range]);
      expect(Buffer.compare(got.bytes, bytes)).toBe(0);
      if (method === 'HEAD') expect(got.length).toBe(String(total));
    }
  });

  it('keeps to the conditions of a request', async () => {
    const { etag } = await get();
    expect((await get({ 'if-none-match': etag })).status).toBe(304);
    expect((await get({ 'if-match': etag, range: 'bytes=0-9' })).status).toBe(206);
    await replace(2);
    expect((await get({ 'if-match': etag, range: 'bytes=0-9' })).status).toBe(412);
    expect(await get({ 'if-range': etag, range: 'bytes=0-9' })).toMatchObject({ status: 200, length: String(total) });
    const next = await get({ 'if-none-match': etag });
    expect([next.status, versionsOf(next.bytes)]).toEqual([200, [2]]);
    expect(next.etag).not.toBe(etag);
  });

  it('says 404 when the file is gone, and serves it again when it is back', async () => {
    await rm(path);
    expect((await get()).status).toBe(404);
    await replace(3, 10);
    const { status, bytes } = await get();
    expect([status, versionsOf(bytes)]).toEqual([200, [3]]);
  });

  it('is what another source can read from: its ETags are the versions', async () => {
    const url = openUrl(serving.url, { pageSize: 1_024 });
    expect(Buffer.compare(await url.read(0, Number.POSITIVE_INFINITY), content)).toBe(0);
    await replace(2);
    expect(versionsOf(await url.read(0, Number.POSITIVE_INFINITY, { revalidate: true }))).toEqual([2]);
    const versions = await url.consistent(async (view) => [
      view.version.includes('~22~'),
      ...versionsOf(await view.read(0, 2_048)),
    ]);
    expect(versions).toEqual([true, 2]);
    await url.close();
  });

  it('never sends bytes of two versions, however often the file is replaced: a response is whole, or broken off', {
    timeout: 30_000,
  }, async () => {
    let isOver = false;
    let version = 1;
    const writer = async () => {
      while (!isOver) {
        await replace(++version);
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    };
    const byTag = new Map<string, number>();
    let whole = 0;
    const reader = async () => {
      for (let round = 0; round < 25; round++) {
        const got = await get().catch(() => undefined); // broken off
        if (got === undefined || got.status !== 200) continue;
        const [only, ...others] = versionsOf(got.bytes);
        expect(others).toEqual([]);
        expect(byTag.get(got.etag) ?? only).toBe(only);
        byTag.set(got.etag, only!);
        whole++;
      }
    };
    const writing = writer();
    await Promise.all([reader(), reader(), reader()]);
    isOver = true;
    await writing;
    expect(whole).toBeGreaterThan(0);
  });
});
