/**
 * Servers that are mistaken about their own versions: whatever they answer, a thing that does not change costs a handful of
 * requests, with growing pauses, and then either works or is an error that says what was seen.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteSource, openUrl, SourceError, type UrlOptions } from '../../lib/bytes/index.js';
import { blocks, versionsOf } from '../support/bytes/content.js';
import { ByteServer, type Script } from '../support/bytes/server.js';
import { ManualClock } from '../support/model/clock.js';
import { Outcome } from '../support/turns.js';

const PAGE = 160;
/** What may be sent for a query of three pages before it works or gives up. */
const HANDFUL = 24;

let server: ByteServer;
let clock: ManualClock;
const opened: ByteSource[] = [];

beforeEach(async () => {
  server = await ByteServer.start(blocks(1, 40));
  clock = new ManualClock();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((source) => source.close()));
  await server.stop();
});

function open(options: UrlOptions = {}): ByteSource {
  const source = openUrl(server.url, { pageSize: PAGE, maxRunPages: 1, clock, ...options });
  opened.push(source);
  return source;
}

/** Runs to its end. Time passes only while nobody waits for the server. */
async function ended<T>(promise: Promise<T>): Promise<Outcome<T>> {
  const outcome = new Outcome(promise);
  while (outcome.state === 'pending') {
    await new Promise((resolve) => setImmediate(resolve));
    if (server.idle) clock.advance(5);
  }
  return outcome;
}

const query = (source: ByteSource, revalidate = false) =>
  source.consistent(
    async (view) => {
      const versions = new Set<number>();
      for (let page = 0; page < 3; page++)
        for (const version of versionsOf(await view.read(page * PAGE, PAGE), page * 10)) versions.add(version);
      return [...versions];
    },
    { revalidate, holdMs: 60_000 },
  );

/** Each answer from the next of several machines, whose contents are the same. */
function machines(tags: readonly string[], etag: 'strong' | 'weak' | 'none' = 'strong'): void {
  server.etag = etag;
  let turn = 0;
  server.always = () => {
    const tag = tags[turn++ % tags.length];
    server.fixedTag = () => tag;
    return false;
  };
}

function expectUnsteady(error: unknown, ...seen: string[]): void {
  expect(error).toBeInstanceOf(SourceError);
  expect((error as Error).message).toContain('does not keep to one version');
  for (const text of seen) expect((error as Error).message).toContain(text);
}

describe('a server that refuses its own validators', () => {
  const refuses: Script = (request, response) => {
    const isConditional = request.headers['if-match'] !== undefined || request.headers['if-unmodified-since'] !== undefined;
    return isConditional ? response.writeHead(412).end() : false;
  };

  it.each(['strong', 'weak', 'none'] as const)('is asked without them from then on: ETag %s', async (etag) => {
    server.etag = etag;
    server.modified = Date.UTC(2026, 0, 1);
    server.always = refuses;
    const source = open();
    const answer = await ended(query(source));
    expect([answer.value, answer.error]).toEqual([[1], undefined]);
    expect(server.log.length).toBeLessThan(10);
    const before = server.log.length;
    expect(versionsOf((await ended(source.read(3 * PAGE, PAGE))).value!, 30)).toEqual([1]);
    expect([server.log.length - before, server.statuses.at(-1)]).toEqual([1, 206]);
    server.put(blocks(2, 40));
    server.modified += 10_000;
    expect(versionsOf((await ended(source.read(0, 4 * PAGE, { revalidate: true }))).value!)).toEqual([2]);
  });

  it('is believed by all who read at the same time', async () => {
    server.always = refuses;
    const source = open();
    const answers = await Promise.all(Array.from({ length: 10 }, () => ended(query(source))));
    expect(answers.map(({ value }) => value)).toEqual(Array.from({ length: 10 }, () => [1]));
    expect(server.log.length).toBeLessThan(HANDFUL);
  });
});

describe('a thing whose ETag is never the same twice in a row', () => {
  const kinds: [string, () => void, string[]][] = [
    ['two machines in turn', () => machines(['"a"', '"b"']), ['"a" 640', '412 to if-match "a"']],
    ['two machines in turn, weak', () => machines(['W/"a"', 'W/"b"'], 'weak'), ['W/"a" - 640', 'W/"b" - 640']],
    ['three machines in turn', () => machines(['"a"', '"b"', '"c"']), ['"a"', '"b"', '"c"']],
    ['a new one for each response', () => machines(Array.from({ length: 999 }, (_, i) => `"${i}"`)), ['412 to if-match']],
    [
      'a new weak one for each response',
      () =>
        machines(
          Array.from({ length: 999 }, (_, i) => `W/"${i}"`),
          'weak',
        ),
      ['W/"2"'],
    ],
    [
      'dates that alternate',
      () => {
        server.etag = 'none';
        let turn = 0;
        server.always = () => {
          server.modified = Date.UTC(2026, 0, 1, 0, turn++ % 2);
          return false;
        };
      },
      ['00:00:00 GMT', '00:01:00 GMT'],
    ],
    [
      'totals that alternate',
      () => {
        let turn = 0;
        server.always = () => {
          server.content = blocks(1, 40 + (turn++ % 2));
          server.fixedTag = () => 'W/"one"';
          return false;
        };
      },
      ['- 640', '- 656'],
    ],
  ];

  it.each(kinds)('is given up after a handful of requests, and the error says what was seen: %s', async (_name, start, seen) => {
    start();
    const { error } = await ended(query(open()));
    expectUnsteady(error, ...seen, server.url);
    expect(server.log.length).toBeLessThanOrEqual(HANDFUL);
  });

  it.each(kinds)('is given up by a read of several requests, too: %s', async (_name, start) => {
    start();
    const { error } = await ended(open().read(0, 3 * PAGE));
    expectUnsteady(error);
    expect(server.log.length).toBeLessThanOrEqual(HANDFUL);
  });

  it.each(kinds)('is given up by a query that revalidates, of one page even: %s', async (_name, start) => {
    start();
    const source = open();
    const { error } = await ended(source.consistent((view) => view.read(0, 1), { revalidate: true, holdMs: 60_000 }));
    expectUnsteady(error);
    expect(server.log.length).toBeLessThanOrEqual(HANDFUL);
  });

  it('is waited for longer each time', async () => {
    machines(
      Array.from({ length: 999 }, (_, i) => `W/"${i}"`),
      'weak',
    );
    const sentAt: number[] = [];
    const fetch: UrlOptions['fetch'] = (url, request) => {
      sentAt.push(clock.now());
      return globalThis.fetch(url, request) as ReturnType<NonNullable<UrlOptions['fetch']>>;
    };
    await ended(query(open({ fetch })));
    const gaps = sentAt.slice(1).map((at, i) => at - sentAt[i]!);
    const pauses = gaps.filter((ms) => ms >= 50).map((ms) => Math.round(Math.log2(ms / 50)));
    expect(pauses).toEqual([0, 1, 2, 3]);
  });

  it('can be read where one request is enough', async () => {
    machines(['"a"', '"b"']);
    const source = open();
    for (let round = 0; round < 5; round++) expect(versionsOf((await ended(source.read(0, PAGE))).value!)).toEqual([1]);
    expect(server.log).toHaveLength(1);
  });

  it('works again when the server has come to its senses', async () => {
    machines(['"a"', '"b"']);
    const source = open();
    expectUnsteady((await ended(query(source))).error);
    server.always = undefined;
    server.fixedTag = undefined;
    expect((await ended(query(source))).value).toEqual([1]);
  });
});

describe('a thing that does change', () => {
  it('is read although it goes back and forth between two contents, each for as long as a query takes', async () => {
    const contents = [blocks(1, 40), blocks(2, 40)];
    let answers = 0;
    server.always = () => {
      const which = Math.floor(answers++ / 6) % 2;
      server.content = contents[which]!;
      server.fixedTag = () => `"${which}"`;
      return false;
    };
    const source = open();
    for (let round = 0; round < 20; round++) {
      const { value } = await ended(query(source, true));
      expect(value).toHaveLength(1);
    }
  });

  it('is read when it has come to rest, however many versions a query has met, each of them confirmed', async () => {
    let answers = 0;
    server.always = () => {
      const version = 1 + Math.min(8, Math.floor(answers++ / 2));
      server.content = blocks(version, 40);
      server.fixedTag = () => `W/"${version}"`;
      return false;
    };
    const { value } = await ended(query(open()));
    expect(value).toEqual([9]);
  });

  it('and goes back once is no reason for an error', async () => {
    const source = open();
    for (const version of [1, 2, 1, 3, 1]) {
      server.content = blocks(version, 40);
      server.fixedTag = () => `"${version}"`;
      expect((await ended(query(source, true))).value).toEqual([version]);
    }
  });

  it('is no unrest when somebody says so: invalidate costs no pause, however often', async () => {
    const source = open();
    for (let round = 0; round < 20; round++) {
      await source.invalidate();
      expect(versionsOf(await source.read(0, PAGE))).toEqual([1]);
    }
    expect(clock.pending).toBe(0);
  });
});

describe('a wait between two changes', () => {
  it('ends with the signal of the caller, and leaves nothing', async () => {
    machines(
      Array.from({ length: 999 }, (_, i) => `W/"${i}"`),
      'weak',
    );
    const controller = new AbortController();
    const source = open();
    const answer = new Outcome(source.read(0, 3 * PAGE, { signal: controller.signal }));
    while (clock.pending === 0 || !server.idle) await new Promise((resolve) => setImmediate(resolve));
    controller.abort('enough');
    await new Promise((resolve) => setImmediate(resolve));
    expect(answer.error).toBe('enough');
    expect(clock.pending).toBe(0);
  });
});
