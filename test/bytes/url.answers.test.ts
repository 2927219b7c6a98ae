/**
 * What servers answer that is not quite what the RFC has, and means the same: empty things, values in another case, wholes in
 * place of parts. And what looks like it and must not be taken.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteSource, openUrl, SourceError, type UrlOptions } from '../../lib/bytes/index.js';
import { BLOCK, blocks, versionsOf } from '../support/bytes/content.js';
import { ByteServer, type Logged } from '../support/bytes/server.js';

const PAGE = 10 * BLOCK;
let server: ByteServer;
const opened: ByteSource[] = [];

beforeEach(async () => {
  server = await ByteServer.start(blocks(1, 100));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
  await server.stop();
});

function open(options: UrlOptions = {}): ByteSource {
  const source = openUrl(server.url, { pageSize: PAGE, ...options });
  opened.push(source);
  return source;
}

/** All requests are answered so; a body may depend on the request. */
function reply(status: number, headers: OutgoingHttpHeaders, body?: (logged: Logged) => Uint8Array): void {
  server.always = (_request, response, logged) => response.writeHead(status, headers).end(body?.(logged) ?? '');
}

describe('an empty thing', () => {
  const empties: [string, () => void][] = [
    ['416 with bytes */0', () => reply(416, { 'content-range': 'bytes */0' })],
    ['416 with Bytes */0', () => reply(416, { 'content-range': 'Bytes */0' })],
    ['416 without Content-Range', () => reply(416, {})],
    [
      '416 with an ETag and a text, without Content-Range',
      () => reply(416, { etag: '"e"', 'content-length': 2 }, () => new Uint8Array(2)),
    ],
    ['200 with Content-Length 0', () => reply(200, { 'content-length': 0 })],
    ['200 with an empty chunked body', () => reply(200, { 'transfer-encoding': 'chunked', etag: '"e"' })],
    ['204', () => reply(204, { etag: '"e"' })],
    ['206 with bytes */0', () => reply(206, { 'content-range': 'bytes */0', etag: '"e"' })],
    ['206 with bytes 0-0/0', () => reply(206, { 'content-range': 'bytes 0-0/0', etag: '"e"', 'content-length': 0 })],
    ['206 with bytes 0--1/0', () => reply(206, { 'content-range': 'bytes 0--1/0', etag: '"e"', 'content-length': 0 })],
    ['206 with Content-Length 0 alone', () => reply(206, { 'content-length': 0, etag: '"e"' })],
  ];

  it.each(empties)('has the size 0, and no bytes: %s', async (_name, start) => {
    start();
    expect(await open().size()).toBe(0);
    expect(await open().read(0, 10)).toEqual(new Uint8Array(0));
    expect(await open().read(0, Number.POSITIVE_INFINITY)).toEqual(new Uint8Array(0));
    const source = open();
    expect(await source.size({ revalidate: true })).toBe(0);
    expect(
      await source.consistent(async (view) => [await view.size(), (await view.read(0, 5)).length], { revalidate: true }),
    ).toEqual([0, 0]);
  });

  it.each(empties)('is noticed where there was something, and the other way round: %s', async (_name, start) => {
    const source = open();
    expect(versionsOf(await source.read(0, PAGE))).toEqual([1]);
    start();
    expect(await source.read(0, 10, { revalidate: true })).toEqual(new Uint8Array(0));
    server.always = undefined;
    expect(versionsOf(await source.read(0, PAGE, { revalidate: true }))).toEqual([1]);
  });

  it('is not made of an error: 404, 500 and 403 without a body', async () => {
    for (const status of [404, 500, 403]) {
      reply(status, { 'content-length': 0 });
      await expect(open().size()).rejects.toBeInstanceOf(SourceError);
    }
  });
});

describe('a server that takes no one-byte question', () => {
  it('is asked for two bytes', async () => {
    server.always = (request, response) => {
      if (request.headers.range !== 'bytes=0-0') return false;
      return response.writeHead(200, { etag: server.currentTag, 'content-length': server.content.length }).end(server.content);
    };
    const source = open();
    expect(await source.size()).toBe(1600);
    server.put(blocks(2, 100));
    expect(versionsOf(await source.read(0, PAGE, { revalidate: true }))).toEqual([2]);
  });

  it('and none that reaches beyond the end is asked for less', async () => {
    server.put(new Uint8Array([7]));
    server.always = (request, response) => {
      const last = Number(/-(\d+)$/.exec(request.headers.range!)![1]);
      const { length } = server.content;
      return last < length ? false : response.writeHead(416, { 'content-range': `bytes */${length}` }).end();
    };
    expect(await open().size()).toBe(1);
    expect([...(await open().read(0, 10))]).toEqual([7]);
    server.put(blocks(1, 15));
    const source = open();
    expect(versionsOf(await source.read(0, PAGE))).toEqual([1]);
    expect(versionsOf(await source.read(PAGE, PAGE), 10)).toEqual([1]);
    expect(await source.size()).toBe(240);
  });

  it('that sends more or less than two bytes has said how long the thing is', async () => {
    for (const last of [0, 99, 1599]) {
      reply(206, { etag: '"1"', 'content-range': `bytes 0-${last}/1600` }, () => blocks(1, 100).slice(0, last + 1));
      expect(await open().size()).toBe(1600);
    }
  });
});

describe('the whole thing', () => {
  it('is taken if it is no longer than what was asked for', async () => {
    const small = blocks(1, 3);
    for (const headers of [{ 'content-length': small.length }, { 'transfer-encoding': 'chunked' }]) {
      reply(200, { etag: '"1"', ...headers }, () => small);
      expect(await open().read(0, 1000)).toEqual(small);
      expect(await open().read(17, 20)).toEqual(small.slice(17, 37));
    }
  });

  it('is refused if it is longer, whether it says so or not', async () => {
    for (const headers of [{ 'content-length': 1600 }, { 'transfer-encoding': 'chunked' }]) {
      reply(200, { etag: '"1"', ...headers }, () => blocks(1, 100));
      await expect(open().read(0, 10)).rejects.toThrow('no range support');
      await expect(open().size()).rejects.toThrow('no range support');
    }
  });
});

describe('values of headers', () => {
  const part = (logged: Logged) => {
    const [start, last] = /(\d+)-(\d+)/.exec(logged.range!)!.slice(1).map(Number) as [number, number];
    return server.content.slice(start, last + 1);
  };
  const respond = (headers: OutgoingHttpHeaders) => {
    server.always = (_request, response, logged) => {
      const bytes = part(logged);
      const start = Number(/=(\d+)/.exec(logged.range!)![1]);
      const range = `bytes ${start}-${start + bytes.length - 1}/${server.content.length}`;
      response.writeHead(206, { etag: '"1"', 'content-range': range, ...headers }).end(bytes);
    };
  };

  it.each(['', 'identity', 'Identity', ' IDENTITY ', 'aws-chunked', 'AWS-Chunked', 'aws-chunked, identity', 'utf-8', ','])(
    'that code nothing are no encoding: %j',
    async (coding) => {
      respond({ 'content-encoding': coding });
      expect(await open().size()).toBe(1600);
      expect(versionsOf(await open().read(0, PAGE))).toEqual([1]);
    },
  );

  it.each(['gzip', 'GZIP', 'br', 'aws-chunked, gzip', 'zstd', 'rot13'])('that may code something are one: %j', async (coding) => {
    respond({ 'content-encoding': coding });
    await expect(open({ fetch: undecoded() }).read(0, PAGE)).rejects.toThrow(`content-encoding ${coding}`);
  });

  it.each([
    'Bytes 0-159/1600',
    'BYTES 0-159/1600',
    'bytes  0-159/1600',
    'bytes 0 - 159 / 1600',
    'bytes=0-159/1600',
    'bytes 000-0159/01600',
  ])('say the same in any case, and with any spaces: %j', async (range) => {
    respond({ 'content-range': range });
    expect(versionsOf(await open().read(0, PAGE))).toEqual([1]);
  });

  it.each([
    'bytes 0-159/99999999999999999999',
    'bytes 0-159/9007199254740992',
    'bytes 0-159/100',
    'bytes 159-0/1600',
    'bytes 0-159/*',
    'bytes 0-159/-1',
    'bytes 0-159/1e9',
    'bytes 0x0-0x9f/0x640',
    'rows 0-159/1600',
    'bytes 0-159/1600, bytes 0-159/1600',
  ])('that cannot be true are refused: %j', async (range) => {
    respond({ 'content-range': range });
    const error = await open()
      .read(0, PAGE)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SourceError);
    expect((error as Error).message).toContain(range);
  });

  it('of an ETag are sent back only where they are one', async () => {
    for (const tag of ['w/"1"', 'unquoted', '"a", "b"', 'W/"1"', '"un']) {
      respond({ etag: tag });
      const source = open();
      await source.read(0, 1);
      await source.read(PAGE, 1);
      expect(server.log.at(-1)!.ifMatch).toBe(undefined);
    }
  });

  it('that say nothing are no version', async () => {
    for (const headers of [
      { etag: '""' },
      { etag: 'W/""' },
      { etag: '' },
      { etag: '', 'last-modified': 'yesterday' },
      { etag: '', 'last-modified': '0' },
    ]) {
      respond(headers);
      await expect(open().read(0, 1)).rejects.toThrow('came without a version');
    }
  });

  /** A fetch that decodes nothing, so that it is the header that is looked at. */
  function undecoded(): NonNullable<UrlOptions['fetch']> {
    return async (_url, { headers }) => {
      const bytes = server.content.slice(0, PAGE);
      const answer = new Map<string, string>();
      server.always?.(
        { headers } as never,
        {
          writeHead: (_: number, given: object) => {
            for (const [name, value] of Object.entries(given)) answer.set(name, String(value));
            return { end: () => {} };
          },
        } as never,
        { range: headers.range } as Logged,
      );
      return { status: 206, headers: { get: (name) => answer.get(name) ?? null }, arrayBuffer: async () => bytes.buffer };
    };
  }
});
