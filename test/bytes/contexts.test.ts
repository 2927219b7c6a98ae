/**
 * Every function of a user's runs in the asynchronous context of the call that it serves, whoever has woken it: with a token in
 * an `AsyncLocalStorage`, no request goes out with the token of another.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { type ByteBackend, ByteSource, openUrl, type UrlOptions } from '../../lib/bytes/index.js';
import { RangeTracker } from '../../lib/index.js';
import { RangeMirror, type RangeMirrorOptions } from '../../lib/mirror/index.js';
import { blocks } from '../support/bytes/content.js';
import { MemoryBackend } from '../support/bytes/memory.js';
import { ByteServer } from '../support/bytes/server.js';
import { ManualClock } from '../support/model/clock.js';
import { type Deferred, deferred, turns } from '../support/turns.js';

const who = new AsyncLocalStorage<string>();
const as = <T>(name: string, work: () => T): T => who.run(name, work);
const me = (): string => who.getStore() ?? 'nobody';

/** A mirror of numbers whose loads wait until they are let go. */
class Shelf {
  readonly tracker = new RangeTracker();
  readonly log: string[] = [];
  readonly gates: Deferred<void>[] = [];
  readonly mirror: RangeMirror<number>;

  constructor(options: Partial<RangeMirrorOptions<number>> = {}) {
    this.mirror = new RangeMirror<number>({
      tracker: this.tracker,
      pageSize: 1,
      load: async (first, count) => {
        this.log.push(`load ${first} by ${me()}`);
        const gate = deferred();
        this.gates.push(gate);
        await gate.promise;
        this.log.push(`loaded ${first} by ${me()}`);
        return Array.from({ length: count }, (_, i) => first + i);
      },
      onDrop: (_page, index) => {
        this.log.push(`drop ${index} by ${me()}`);
      },
      ...options,
    });
  }

  /** Lets all loads go that have been started, and what follows from them. */
  async go(): Promise<void> {
    await turns(20);
    as('keeper of the gate', () => {
      for (const gate of this.gates.splice(0)) gate.resolve();
    });
    await turns(40);
  }

  hit(page: number, by = 'writer'): Promise<void> {
    return as(by, () => this.tracker.mutate({ start: page, end: page + 1 }, () => {}));
  }
}

describe('a load of a mirror', () => {
  it('that is repeated after a hit runs in the context of the reader', async () => {
    const shelf = new Shelf();
    const read = as('reader', () => shelf.mirror.read({ start: 0, end: 1 }));
    await turns(5);
    await shelf.hit(0);
    await shelf.go();
    await shelf.go();
    expect(await read).toEqual([0]);
    expect(shelf.log).toEqual(['load 0 by reader', 'load 0 by reader', 'loaded 0 by reader', 'loaded 0 by reader']);
  });

  it('that was hit again and again, and holds in the end, does so, too', async () => {
    const shelf = new Shelf();
    const read = as('reader', () => shelf.mirror.read({ start: 0, end: 1 }));
    for (let round = 0; round < 5; round++) {
      await turns(10);
      void shelf.hit(0, `writer ${round}`);
      await turns(30);
    }
    for (let round = 0; round < 8; round++) await shelf.go();
    expect(await read).toEqual([0]);
    expect(shelf.log.filter((line) => line.startsWith('load')).length).toBeGreaterThan(2);
    expect(shelf.log.filter((line) => line.startsWith('load') && !line.endsWith('by reader'))).toEqual([]);
  });

  it('that waited for a section runs in the context of the reader, and not of who has ended it', async () => {
    const shelf = new Shelf();
    const section = await as('writer', () => begun(shelf.tracker, 0));
    const read = as('reader', () => shelf.mirror.read({ start: 0, end: 2 }));
    await turns(10);
    as('somebody else', () => section.end());
    await shelf.go();
    await shelf.go();
    expect(await read).toEqual([0, 1]);
    expect(shelf.log.filter((line) => line.startsWith('load ')).every((line) => line.endsWith('by reader'))).toBe(true);
  });

  it('is each reader’s own once the first has left and a change has hit what they shared', async () => {
    const shelf = new Shelf();
    const controller = new AbortController();
    const first = as('first', () => shelf.mirror.read({ start: 0, end: 1 }, { signal: controller.signal })).catch(() => 'left');
    const second = as('second', () => shelf.mirror.read({ start: 0, end: 1 }));
    await turns(5);
    as('somebody else', () => controller.abort());
    expect(await first).toBe('left');
    await shelf.hit(0);
    await shelf.go();
    await shelf.go();
    expect(await second).toEqual([0]);
    expect(shelf.log.filter((line) => line.startsWith('load '))).toEqual(['load 0 by first', 'load 0 by second']);
  });

  it('of a prefetch belongs to who has asked for it', async () => {
    const shelf = new Shelf();
    as('asker', () => shelf.mirror.prefetch({ start: 0, end: 1 }));
    await turns(5);
    await shelf.hit(0);
    await shelf.go();
    await shelf.go();
    expect(shelf.log.filter((line) => line.startsWith('load '))).toEqual(['load 0 by asker', 'load 0 by asker']);
  });

  it('that what it has observed gave up runs in the context of the reader', async () => {
    const shelf = new Shelf({
      load: async (first, _count, { observe }) => {
        shelf.log.push(`load ${first} by ${me()}`);
        observe({ start: 100, end: 101 });
        const gate = deferred();
        shelf.gates.push(gate);
        await gate.promise;
        return [first];
      },
    });
    const read = as('reader', () => shelf.mirror.read({ start: 0, end: 1 }));
    await turns(5);
    await shelf.hit(100);
    await shelf.go();
    await shelf.go();
    expect(await read).toEqual([0]);
    expect(shelf.log.filter((line) => line.startsWith('load '))).toEqual(['load 0 by reader', 'load 0 by reader']);
  });
});

describe('onDrop of a mirror', () => {
  it('runs in the context of the begin that drops, also of one that had to wait for a hold', async () => {
    const shelf = new Shelf();
    const read = as('reader', () => shelf.mirror.read({ start: 0, end: 1 }));
    await shelf.go();
    await read;
    const held = deferred();
    const holder = as('holder', () => {
      let attempts = 0;
      return shelf.tracker.lookup(
        { start: 0, end: 1 },
        async (attempt) => {
          attempts = attempt.number;
          if (attempts === 1) await shelf.hit(0, 'first writer');
          else await held.promise;
        },
        { maxAttempts: 1, holdMs: 60_000 },
      );
    });
    await turns(40);
    const again = as('reader', () => shelf.mirror.read({ start: 0, end: 1 }));
    await shelf.go();
    await again;
    const hit = shelf.hit(0, 'second writer');
    await turns(10);
    as('somebody else', () => held.resolve());
    await holder;
    await hit;
    expect(shelf.log.filter((line) => line.startsWith('drop'))).toEqual(['drop 0 by first writer', 'drop 0 by second writer']);
  });

  it('of a page over the budget runs in the context of the read that needed the room', async () => {
    const shelf = new Shelf({ maxPages: 1 });
    const first = as('first', () => shelf.mirror.read({ start: 0, end: 1 }));
    await shelf.go();
    await first;
    const second = as('second', () => shelf.mirror.read({ start: 5, end: 6 }));
    await shelf.go();
    await second;
    expect(shelf.log.filter((line) => line.startsWith('drop'))).toEqual(['drop 0 by second']);
  });

  it('of pages that were kept in for a read that was given up runs in the context of that read', async () => {
    const shelf = new Shelf({ maxPages: 1, maxRunPages: 1 });
    const controller = new AbortController();
    const read = as('reader', () => shelf.mirror.read({ start: 0, end: 3 }, { signal: controller.signal })).catch(() => 'left');
    await turns(20);
    shelf.gates[0]!.resolve();
    shelf.gates[1]!.resolve();
    await turns(40);
    as('somebody else', () => controller.abort());
    expect(await read).toBe('left');
    await turns(10);
    expect(shelf.log.filter((line) => line.startsWith('drop'))).toEqual(['drop 0 by reader']);
    expect(shelf.mirror.size).toBe(1);
  });

  it('of close runs in the context of who closes', async () => {
    const shelf = new Shelf();
    const read = as('reader', () => shelf.mirror.read({ start: 0, end: 1 }));
    await shelf.go();
    await read;
    as('closer', () => shelf.mirror.close());
    expect(shelf.log.at(-1)).toBe('drop 0 by closer');
  });
});

/** Logs by whom it is asked. */
class Named implements ByteBackend {
  readonly name = 'named';
  readonly inner = new MemoryBackend(blocks(1, 20));
  readonly log: string[] = [];

  identify(context: Parameters<ByteBackend['identify']>[0]) {
    this.log.push(`identify by ${me()}`);
    return this.inner.identify(context);
  }

  read(...[range, context]: Parameters<ByteBackend['read']>) {
    this.log.push(`read ${range.start} by ${me()}`);
    return this.inner.read(range, context);
  }

  watch(changed: () => void) {
    this.log.push(`watch by ${me()}`);
    return this.inner.watch(changed);
  }

  close() {
    this.log.push(`close by ${me()}`);
  }
}

describe('functions of a backend', () => {
  it('run in the context of the read, the first of its loads and those after a hit', async () => {
    const backend = new Named();
    const source = as('owner', () => new ByteSource({ backend, pageSize: 32 }));
    backend.inner.held = true;
    const read = as('reader', () => source.read(0, 40));
    await turns(10);
    await as('writer', () => source.tracker.mutate({ start: 0, end: 1 }, () => {}));
    backend.inner.held = false;
    for (const call of backend.inner.calls) as('somebody else', () => call.go());
    await read;
    expect(backend.log).toEqual(['watch by owner', 'read 0 by reader', 'read 0 by reader']);
    await as('closer', () => source.close());
    expect(backend.log.at(-1)).toBe('close by closer');
  });

  it('that find the thing replaced tell of it in one context, and each query goes on in its own', async () => {
    const backend = new Named();
    const source = as('owner', () => new ByteSource({ backend, pageSize: 32 }));
    const query = (name: string) =>
      as(name, () =>
        source.consistent(async (view) => {
          await view.read(0, 10);
          await turns(30);
          return [me(), (await view.read(64, 10)).length];
        }),
      );
    const queries = [query('a'), query('b')];
    await turns(20);
    backend.inner.put(blocks(2, 20));
    expect(await Promise.all(queries)).toEqual([
      ['a', 10],
      ['b', 10],
    ]);
    expect(backend.log.filter((line) => !/by (a|b|owner)$/.test(line))).toEqual([]);
    await source.close();
  });

  it('that are asked for the version by a crowd run in the context of the first who still waits', async () => {
    const backend = new Named();
    const source = as('owner', () => new ByteSource({ backend, pageSize: 32 }));
    await as('early', () => source.read(0, 10));
    backend.inner.held = true;
    backend.log.length = 0;
    const controller = new AbortController();
    const bounds = { revalidate: true, signal: controller.signal };
    const first = as('first', () => source.read(0, 10, { revalidate: true }));
    await turns(10);
    const leaver = as('leaver', () => source.read(0, 10, bounds)).catch(() => 'left');
    const stayer = as('stayer', () => source.read(0, 10, { revalidate: true }));
    await turns(10);
    as('somebody else', () => controller.abort());
    expect(await leaver).toBe('left');
    as('somebody else', () => backend.inner.calls.at(-1)!.go());
    await first;
    await turns(20);
    as('somebody else', () => backend.inner.calls.at(-1)!.go());
    await stayer;
    expect(backend.log).toEqual(['identify by first', 'identify by stayer']);
    await source.close();
  });

  it('that are asked because the thing has pushed run in the context in which the source was made', async () => {
    const backend = new Named();
    const source = as('owner', () => new ByteSource({ backend, pageSize: 32 }));
    await as('reader', () => source.read(0, 10));
    backend.log.length = 0;
    backend.inner.put(blocks(2, 20));
    as('somebody else', () => backend.inner.changed!());
    await turns(40);
    expect([backend.log, source.stats.changes]).toEqual([['identify by owner'], 1]);
    await source.close();
  });
});

describe('headers and fetch of a URL', () => {
  let server: ByteServer;
  afterEach(() => server.stop());

  it('are called for the reader: its requests go out with its token, whoever has hit them', async () => {
    server = await ByteServer.start(blocks(1, 100));
    const seen: string[] = [];
    const fetch: UrlOptions['fetch'] = (url, request) => {
      seen.push(me());
      return globalThis.fetch(url, request) as ReturnType<NonNullable<UrlOptions['fetch']>>;
    };
    server.scripts.push(() => {}, undefined); // the first is never answered
    const headers = () => new Headers({ authorization: me() });
    const source = as('owner', () => openUrl(server.url, { pageSize: 160, headers, fetch }));
    const read = as('reader', () => source.read(0, 10));
    await server.until(() => server.log.length === 1);
    await as('writer', () => source.tracker.mutate({ start: 0, end: 1 }, () => {}));
    await read;
    expect(server.log.map((logged) => logged.headers.authorization)).toEqual(['reader', 'reader']);
    expect(seen).toEqual(['reader', 'reader']);
    await source.close();
  });

  it('are called for it after a wait for a settled date, too', async () => {
    server = await ByteServer.start(blocks(1, 100));
    server.modified = server.date!;
    const clock = new ManualClock();
    const source = as('owner', () => openUrl(server.url, { pageSize: 160, clock, headers: () => ({ authorization: me() }) }));
    const read = as('reader', () => source.read(0, 10));
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    server.date! += 2_000;
    as('somebody else', () => clock.advance(2_000));
    await read;
    expect(server.log.map((logged) => logged.headers.authorization)).toEqual(['reader', 'reader']);
    await source.close();
  });
});

/** A section over one page. */
async function begun(tracker: RangeTracker, page: number): Promise<{ end(): void }> {
  const started = deferred();
  const ended = deferred();
  void tracker.mutate({ start: page, end: page + 1 }, () => {
    started.resolve();
    return ended.promise;
  });
  await started.promise;
  return { end: () => ended.resolve() };
}
