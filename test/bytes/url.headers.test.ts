/** Headers of the caller: in any form that `fetch` takes, each of them is sent. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openUrl, SourceError, type UrlOptions } from '../../lib/bytes/index.js';
import { InvalidArgumentError } from '../../lib/index.js';
import { blocks } from '../support/bytes/content.js';
import { ByteServer } from '../support/bytes/server.js';

let server: ByteServer;

beforeEach(async () => {
  server = await ByteServer.start(blocks(1, 100));
});

afterEach(() => server.stop());

async function sent(headers: unknown): Promise<Record<string, unknown>> {
  const source = openUrl(server.url, { pageSize: 160, headers: headers as UrlOptions['headers'] });
  try {
    await source.read(0, 1);
    await source.read(160, 1);
    const [first, second] = server.log.slice(-2);
    expect([first!.range, second!.range]).toEqual(['bytes=0-159', 'bytes=160-319']);
    expect(second!.headers['x-mine']).toBe(first!.headers['x-mine']);
    return second!.headers;
  } finally {
    await source.close();
  }
}

const pairs: [string, string][] = [['X-Mine', 'a']];
const forms: [string, () => unknown][] = [
  ['a record', () => ({ 'X-Mine': 'a' })],
  ['a Headers object', () => new Headers({ 'X-Mine': 'a' })],
  ['pairs', () => pairs],
  ['a Map', () => new Map(pairs)],
  [
    'something that can be listed once',
    function* () {
      yield* pairs;
    },
  ],
  ['the headers of a Request', () => new Request('http://localhost/', { headers: pairs }).headers],
];

describe('headers of the caller', () => {
  it.each(forms)('are sent with every request: %s', async (_name, make) => {
    expect(await sent(make())).toMatchObject({ 'x-mine': 'a' });
  });

  it.each(forms)('are sent if a function returns them, or a promise of them: %s', async (_name, make) => {
    expect(await sent(() => make())).toMatchObject({ 'x-mine': 'a' });
    expect(await sent(async () => make())).toMatchObject({ 'x-mine': 'a' });
  });

  it.each<[string, unknown]>([
    ['a record', { Range: 'bytes=7-8', 'IF-MATCH': '"other"' }],
    ['a Headers object', new Headers({ Range: 'bytes=7-8', 'If-Match': '"other"' })],
    [
      'pairs',
      [
        ['RANGE', 'bytes=7-8'],
        ['If-Match', '"other"'],
      ],
    ],
  ])('do not stand beside those of the request, in whatever case: %s', async (_name, headers) => {
    expect(await sent(() => headers).catch(String)).toContain('412'); // theirs is sent where the request has none
    const range =
      headers instanceof Headers || Array.isArray(headers) ? new Headers({ Range: 'bytes=7-8' }) : { Range: 'bytes=7-8' };
    expect(await sent(range)).toMatchObject({ range: 'bytes=160-319', 'if-match': '"1"' });
  });

  it('of one name are sent as a list, and those that are undefined not at all', async () => {
    const list = [...pairs, ['x-mine', 'b']];
    expect(await sent(list)).toMatchObject({ 'x-mine': 'a, b' });
    expect(await sent({ 'x-mine': ['a', 'b'] })).toMatchObject({ 'x-mine': 'a, b' });
    expect(await sent({ 'x-mine': undefined, 'x-other': null })).not.toHaveProperty('x-mine');
  });

  it('are looked at for each request', async () => {
    const headers = new Headers({ 'x-mine': 'a' });
    const source = openUrl(server.url, { pageSize: 160, headers });
    await source.read(0, 1);
    headers.set('x-mine', 'b');
    await source.read(160, 1);
    expect(server.log.map((logged) => logged.headers['x-mine'])).toEqual(['a', 'b']);
    await source.close();
  });

  it.each<[unknown, string]>([
    ['x: y', 'headers is "x: y"'],
    [7, 'headers is 7'],
    [null, 'headers is null'],
    [['x-mine', 'a'], 'headers is an array'],
    [[['x-mine']], 'headers is an array'],
    [{ 'x-mine': {} }, 'headers is an object'],
  ])('that are none are refused before anything is sent: %j', async (headers, message) => {
    expect(() => openUrl(server.url, { headers: headers as never })).toThrow(InvalidArgumentError);
    expect(() => openUrl(server.url, { headers: headers as never })).toThrow(message);
    const late = openUrl(server.url, { headers: (() => headers) as never });
    const error = await late.read(0, 1).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SourceError);
    expect((error as Error).message).toContain(message);
    expect(server.log).toEqual([]);
    await late.close();
  });

  it('that do not come are given up with the read', async () => {
    const source = openUrl(server.url, { headers: () => new Promise<never>(() => {}) });
    const controller = new AbortController();
    const read = source.read(0, 1, { signal: controller.signal });
    controller.abort('enough');
    await expect(read).rejects.toBe('enough');
    await source.close();
  });
});
