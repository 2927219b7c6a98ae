import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openUrl, SourceError, type UrlFetch, type UrlOptions } from '../../lib/bytes/index.js';
import { InvalidArgumentError, TimeoutError } from '../../lib/index.js';
import { BLOCK, blocks, versionsOf } from '../support/bytes/content.js';
import { ByteServer } from '../support/bytes/server.js';
import { ManualClock } from '../support/model/clock.js';
import { deferred, Outcome } from '../support/turns.js';

/** Pages of ten blocks, ten of them. */
const PAGE = 10 * BLOCK;
const FULL = 100;

let server: ByteServer;
const opened: ReturnType<typeof openUrl>[] = [];

beforeEach(async () => {
  server = await ByteServer.start(blocks(1, FULL));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
  await server.stop();
});

function open(options: UrlOptions = {}) {
  const source = openUrl(server.url, { pageSize: PAGE, ...options });
  opened.push(source);
  return source;
}

async function caught(promise: Promise<unknown>): Promise<SourceError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SourceError);
  return error as SourceError;
}

describe('requests', () => {
  it('are one for each run of a scan, counted by the server', async () => {
    const source = open({ maxRunPages: 4 });
    for (let at = 0; at < FULL * BLOCK; at += 4 * PAGE) await source.read(at, 4 * PAGE);
    expect(server.ranges).toEqual(['bytes=0-639', 'bytes=640-1279', 'bytes=1280-1759']);
    await source.read(0, Number.POSITIVE_INFINITY);
    expect([server.log.length, source.stats.requests]).toEqual([3, 3]);
  });

  it('are one for a hundred readers of one page', async () => {
    const source = open();
    await Promise.all(Array.from({ length: 100 }, () => source.read(17, 50)));
    expect(server.ranges).toEqual(['bytes=0-159']);
  });

  it('ask for the version that is there, by its strong ETag', async () => {
    const source = open();
    await source.read(0, 1);
    await source.read(PAGE, 1);
    expect(server.log.map(({ ifMatch }) => ifMatch)).toEqual([undefined, '"1"']);
  });

  it('carry the headers of the caller, and those of the range', async () => {
    let calls = 0;
    const source = open({ headers: () => ({ authorization: `token ${++calls}` }) });
    await source.read(0, 1);
    await source.read(PAGE, 1);
    expect(server.log.map(({ headers }) => headers.authorization)).toEqual(['token 1', 'token 2']);
    await open({ headers: { 'x-mine': 'a', range: 'bytes=7-8' } }).read(0, 1);
    expect(server.log[2]).toMatchObject({ range: 'bytes=0-159', headers: { 'x-mine': 'a' } });
  });

  it('go through the fetch of the caller', async () => {
    const asked: string[] = [];
    const fetch: UrlFetch = (url, request) => {
      asked.push(`${url} ${request.headers.range} ${request.cache}`);
      return globalThis.fetch(url, request) as ReturnType<UrlFetch>;
    };
    expect(versionsOf(await open({ fetch }).read(0, 160))).toEqual([1]);
    expect(asked).toEqual([`${server.url} bytes=0-159 no-store`]);
  });

  it('are aborted at the server when the last reader leaves', async () => {
    server.always = () => {}; // never answers
    const source = open();
    const controllers = [new AbortController(), new AbortController()];
    const reads = controllers.map(({ signal }) => new Outcome(source.read(0, 1, { signal })));
    await server.until(() => server.log.length === 1);
    controllers[0]!.abort('first');
    controllers[1]!.abort('second');
    await server.until(() => server.log[0]!.aborted);
    expect(reads.map(({ error }) => error)).toEqual(['first', 'second']);
  });

  it('are aborted at the server when a change overtakes them', async () => {
    server.scripts.push(() => {}, undefined);
    const source = open();
    const reading = source.read(0, 160);
    await server.until(() => server.log.length === 1);
    server.put(blocks(2, FULL));
    await source.invalidate();
    expect(versionsOf(await reading)).toEqual([2]);
    await server.until(() => server.log[0]!.aborted);
    expect(server.log).toHaveLength(2);
  });

  it('are aborted while a slow body is coming', async () => {
    server.scripts.push((_request, response, logged) => {
      response.writeHead(206, { etag: '"1"', 'content-range': 'bytes 0-159/1600', 'content-length': 160 });
      response.write('abc');
      logged.status = 206;
    });
    const controller = new AbortController();
    const fetched = deferred();
    const fetch: UrlFetch = async (url, request) => {
      const response = await globalThis.fetch(url, request);
      fetched.resolve();
      return response as Awaited<ReturnType<UrlFetch>>;
    };
    const source = open({ fetch });
    const read = new Outcome(source.read(0, 1, { signal: controller.signal }));
    await fetched.promise;
    controller.abort('too slow');
    await server.until(() => server.log[0]!.aborted);
    expect(read.error).toBe('too slow');
    expect(versionsOf(await source.read(0, 160))).toEqual([1]);
  });

  it('end with the time limit of the caller', async () => {
    const clock = new ManualClock();
    server.scripts.push(() => {});
    const source = open({ clock });
    const read = source.read(0, 1, { timeoutMs: 100 }).catch((error: unknown) => error);
    await server.until(() => server.log.length === 1);
    clock.advance(100);
    expect(await read).toBeInstanceOf(TimeoutError);
    await server.until(() => server.log[0]!.aborted);
    expect(clock.pending).toBe(0);
  });
});

describe('another version', () => {
  const kinds = [
    { etag: 'strong', modified: undefined, statuses: [206, 412, 206] },
    { etag: 'weak', modified: undefined, statuses: [206, 206, 206] },
    { etag: 'weak', modified: Date.UTC(2026, 0, 1), statuses: [206, 412, 206] },
    { etag: 'none', modified: Date.UTC(2026, 0, 1), statuses: [206, 412, 206] },
  ] as const;

  it.each(kinds)(
    'is found by a load, and drops everything: ETag $etag, modified $modified',
    async ({ etag, modified, statuses }) => {
      server.etag = etag;
      server.modified = modified;
      const source = open();
      await source.read(0, 320);
      server.put(blocks(2, FULL));
      if (modified !== undefined) server.modified = modified + 5_000;
      const bytes = await source.read(0, 480);
      expect(versionsOf(bytes)).toEqual([2]);
      expect(server.statuses).toEqual(statuses);
      expect(server.log[1]!.ifMatch).toBe(etag === 'strong' ? '"1"' : undefined);
      expect(source.stats.changes).toBe(1);
    },
  );

  it('is found by another total alone, where the server takes no notice of conditions', async () => {
    server.etag = 'none';
    const source = open({ allowUnversioned: true });
    await source.read(0, 320);
    server.put(blocks(2, FULL - 1));
    expect(versionsOf(await source.read(0, 480))).toEqual([2]);
  });

  it('is found by revalidate and by consistent, which asks before and after', async () => {
    const source = open();
    await source.read(0, 320);
    server.put(blocks(2, FULL));
    expect(versionsOf(await source.read(0, 320))).toEqual([1]);
    expect(versionsOf(await source.read(0, 320, { revalidate: true }))).toEqual([2]);
    let attempts = 0;
    const query = async () =>
      source.consistent(
        async (view) => {
          const first = versionsOf(await view.read(0, 160));
          if (attempts++ === 0) server.put(blocks(3, FULL));
          return [...first, ...versionsOf(await view.read(160, 160), 10), await view.size()];
        },
        { revalidate: true },
      );
    expect(await query()).toEqual([3, 3, FULL * BLOCK]);
    expect(attempts).toBe(2);
  });

  it('is found although the thing has shrunk below the range: 416', async () => {
    server.etag = 'weak'; // so that no condition is in the way
    const source = open();
    await source.read(0, 160);
    server.put(blocks(2, 15));
    expect(await source.read(800, 160)).toEqual(new Uint8Array(0));
    expect(versionsOf(await source.read(0, Number.POSITIVE_INFINITY))).toEqual([2]);
    expect(server.statuses).toContain(416);
    expect(await source.size()).toBe(15 * BLOCK);
  });

  it('that comes in the middle of a query makes it one of the new version', async () => {
    const source = open();
    let attempts = 0;
    const versions = await source.consistent(async (view) => {
      const found = new Set(versionsOf(await view.read(0, 160)));
      if (attempts++ === 0) server.put(blocks(2, FULL));
      for (let page = 1; page < 10; page++)
        for (const version of versionsOf(await view.read(page * PAGE, PAGE), page * 10)) found.add(version);
      return [...found];
    });
    expect([versions, attempts]).toEqual([[2], 2]);
  });

  it('pages read by hand, with a cache, do mix', async () => {
    const cache = new Map<number, Uint8Array>();
    const page = async (index: number) => {
      const range = `bytes=${index * PAGE}-${(index + 1) * PAGE - 1}`;
      const bytes = cache.get(index) ?? new Uint8Array(await (await fetch(server.url, { headers: { range } })).arrayBuffer());
      cache.set(index, bytes);
      return versionsOf(bytes, index * 10);
    };
    await page(0);
    server.put(blocks(2, FULL));
    expect([...(await page(0)), ...(await page(1))]).toEqual([1, 2]);
  });

  it('that our own write has made is taken over', async () => {
    const source = open();
    await source.read(0, FULL * BLOCK);
    await source.mutate({ start: 0, end: 16 }, () => {
      const content = server.content.slice();
      content.set(blocks(2, 1), 0);
      server.put(content);
    });
    expect(versionsOf(await source.read(0, FULL * BLOCK))).toEqual([2, 1]);
    expect(server.ranges).toEqual(['bytes=0-1599', 'bytes=0-1', 'bytes=0-1', 'bytes=0-159']);
  });

  it('is told from an equally dated one by waiting until the second is surely over', async () => {
    server.etag = 'none';
    server.modified = server.date!;
    const clock = new ManualClock();
    const source = open({ clock });
    const read = source.read(0, 160);
    await server.until(() => server.log[0]?.status === 206);
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    server.put(blocks(2, FULL)); // in the same second
    server.date! += 2_000;
    clock.advance(2_000);
    expect(versionsOf(await read)).toEqual([2]);
    expect(server.log).toHaveLength(2);
  });

  it('is waited for two seconds at most, whatever time the server believes it is', async () => {
    server.etag = 'none';
    server.modified = server.date! + 3_600_000;
    const clock = new ManualClock();
    const source = open({ clock });
    const read = source.read(0, 160);
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(2_000);
    expect(versionsOf(await read)).toEqual([1]);
    expect(versionsOf(await source.read(160, 160), 10)).toEqual([1]);
    server.date = undefined;
    expect(versionsOf(await source.read(320, 160), 20)).toEqual([1]);
    expect(server.log).toHaveLength(4);
  });
});

describe('a thing', () => {
  it('that is empty has the size 0, whether the server says so with 416 or with 200', async () => {
    server.put(new Uint8Array(0));
    const source = open();
    expect([await source.size(), await source.read(0, 10)]).toEqual([0, new Uint8Array(0)]);
    expect([await open().read(5, 10), await open().read(0, Number.POSITIVE_INFINITY)]).toEqual([
      new Uint8Array(0),
      new Uint8Array(0),
    ]);
    server.always = (_request, response) => response.writeHead(200, { 'content-length': 0 }).end();
    expect([await open().size(), await open().read(0, 10)]).toEqual([0, new Uint8Array(0)]);
  });

  it('is empty behind its end', async () => {
    const source = open();
    expect(await source.read(10_000, 10)).toEqual(new Uint8Array(0));
    expect(await source.size()).toBe(1600);
    expect(server.statuses).toEqual([416, 206]);
    expect(await source.read(20_000, 10)).toEqual(new Uint8Array(0));
    expect(server.log).toHaveLength(2);
  });
});

describe('an answer that does not fit', () => {
  const part = { etag: '"1"', 'content-range': 'bytes 0-159/1600' };
  const reply = (status: number, headers: Record<string, string | number>, body: Uint8Array | string = '') => {
    server.scripts.push((_request, response) => response.writeHead(status, headers).end(body));
  };
  const full = blocks(1, 10);

  const wrong: [string, () => void, Partial<Record<'expected' | 'got', string>>, string][] = [
    [
      '200',
      () => reply(200, { etag: '"1"' }, blocks(1, FULL)),
      { expected: '206 (partial content)', got: '200, the whole thing: the server has no range support' },
      'were not sent',
    ],
    ['404', () => reply(404, {}), { got: '404' }, 'were not sent'],
    ['412 without a condition', () => reply(412, {}), { got: '412' }, 'were not sent'],
    [
      'another start',
      () => reply(206, { ...part, 'content-range': 'bytes 16-159/1600' }, full),
      { expected: 'bytes 0-159/1600', got: 'bytes 16-159/1600' },
      'another range',
    ],
    [
      'another end',
      () => reply(206, { ...part, 'content-range': 'bytes 0-99/1600' }, full),
      { expected: 'bytes 0-159/1600', got: 'bytes 0-99/1600' },
      'another range',
    ],
    [
      'no end',
      () => reply(206, { ...part, 'content-range': 'bytes 0-159/*' }, full),
      { got: 'bytes 0-159/*' },
      'without a usable Content-Range',
    ],
    [
      'no Content-Range',
      () => reply(206, { etag: '"1"' }, full),
      { got: 'none (or one that the server does not expose to this origin)' },
      'Content-Range',
    ],
    ['too few bytes', () => reply(206, part, full.slice(0, 100)), { expected: '160 bytes', got: '100 bytes' }, 'another length'],
    [
      'too many bytes',
      () => reply(206, part, blocks(1, 50)),
      { expected: '160 bytes', got: 'more than 160 bytes' },
      'another length',
    ],
    ['an encoding', () => reply(206, { ...part, 'content-encoding': 'br' }), { got: 'content-encoding br' }, 'encoded'],
    [
      'no version',
      () => reply(206, { 'content-range': 'bytes 0-159/1600' }, full),
      { expected: 'ETag or Last-Modified, or allowUnversioned' },
      'without a version',
    ],
    [
      'a refusal of what is there',
      () => reply(416, { 'content-range': 'bytes */1600' }),
      { got: '416 (range not satisfiable)', expected: 'a range within 1600 bytes' },
      'refused',
    ],
  ];

  it.each(wrong)('is an error that names both, and is not kept: %s', async (_name, script, payload, message) => {
    const source = open();
    script();
    const error = await caught(source.read(0, 160));
    expect(error).toMatchObject({ source: server.url, range: { start: 0, end: 160 }, ...payload });
    for (const text of [server.url, '[0, 160)', message, payload.got ?? '', payload.expected ?? ''])
      expect(error.message).toContain(text);
    expect(versionsOf(await source.read(0, 160))).toEqual([1]);
  });

  it('is an error when only the version was asked for, too', async () => {
    reply(200, { etag: '"1"' }, blocks(1, FULL));
    const source = open();
    expect((await caught(source.size())).got).toContain('no range support');
    expect(await source.size()).toBe(1600);
  });

  it('is one that breaks off: cut bodies and resets name the range, and the next read works', async () => {
    const source = open();
    await source.read(0, 1);
    server.scripts.push((_request, response) => {
      response.writeHead(206, { ...part, 'content-range': 'bytes 160-319/1600', 'content-length': 160 });
      response.write('v00001', () => response.destroy());
    });
    const cut = await caught(source.read(160, 160));
    expect(cut).toMatchObject({ range: { start: 160, end: 320 }, source: server.url });
    expect(cut.message).toContain('broke off');
    expect(cut.cause).toBeInstanceOf(Error);
    server.scripts.push((request) => request.socket.destroy());
    const reset = await caught(source.read(160, 160));
    expect(reset.message).toMatch(/\[160, 320\) could not be requested: .*\(/);
    expect(versionsOf(await source.read(160, 160), 10)).toEqual([1]);
    expect(versionsOf(await source.read(0, 160))).toEqual([1]);
    expect(source.stats).toMatchObject({ failed: 2, changes: 0 });
  });

  it('of a fetch without streams is read as a whole', async () => {
    const bytes = blocks(1, 10);
    const headers = { get: (name: string) => (part as Record<string, string>)[name] ?? null };
    const fetch: UrlFetch = async () => ({ status: 206, headers, arrayBuffer: async () => bytes.buffer as ArrayBuffer });
    expect(await open({ fetch }).read(0, 160)).toEqual(bytes);
  });

  it('of a headers function that throws is the error of the request', async () => {
    const headers = () => {
      throw new Error('no token');
    };
    expect((await caught(open({ headers }).read(0, 1))).message).toContain('could not be requested: no token');
  });
});

describe('openUrl', () => {
  it('takes a URL object, and sends nothing before the first read', async () => {
    const source = openUrl(new URL(server.url));
    expect([source.label, server.log.length]).toEqual([server.url, 0]);
    await source.close();
  });

  it('checks its arguments', () => {
    const wrong: [unknown, unknown, string][] = [
      ['', {}, 'url is ""; expected a URL'],
      [undefined, {}, 'url is undefined; expected a URL'],
      ['a', null, 'options is null; expected an object'],
      ['a', { fetch: 1 }, 'fetch is 1; expected a function'],
      [
        'a',
        { headers: 'x' },
        'headers is "x"; expected a record of headers, a Headers object, an array of pairs, or a function that returns one',
      ],
      ['a', { allowUnversioned: 1 }, 'allowUnversioned is 1; expected a boolean'],
    ];
    for (const [url, options, message] of wrong) {
      expect(() => openUrl(url as string, options as UrlOptions)).toThrow(InvalidArgumentError);
      expect(() => openUrl(url as string, options as UrlOptions)).toThrow(message);
    }
  });
});
