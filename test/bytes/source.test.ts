import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { bounded, pause } from '../../lib/bytes/bounded.js';
import { type ByteReader, ByteSource, SourceError } from '../../lib/bytes/index.js';
import { Question } from '../../lib/bytes/question.js';
import {
  ClosedError,
  CollisionError,
  InvalidArgumentError,
  InvalidRangeError,
  isRangefenceError,
  RangeTracker,
  RetryLimitError,
  TimeoutError,
} from '../../lib/index.js';
import { BLOCK, blocks, versionsOf } from '../support/bytes/content.js';
import { Desk } from '../support/bytes/memory.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { ManualClock } from '../support/model/clock.js';
import { deferred, failure, Outcome, soon, turns } from '../support/turns.js';

const SIZE = 20 * BLOCK;

/** Some turns more than one query of three reads takes. */
const settled = () => turns(120);

describe('read', () => {
  it('resolves with exactly the bytes, whatever the pages are', async () => {
    const { source, backend } = new Desk();
    for (const [offset, length] of [
      [0, 1],
      [0, 32],
      [31, 2],
      [32, 32],
      [5, 200],
      [319, 1],
      [0, SIZE],
    ] as const)
      expect(await soon(source.read(offset, length))).toEqual(backend.content.slice(offset, offset + length));
  });

  it('cuts off at the end, and is empty behind it', async () => {
    for (const size of [0, 1, 31, 32, 33, 320]) {
      const content = blocks(1, 20).slice(0, size);
      for (const [offset, length] of [
        [0, 1000],
        [size, 1],
        [size + 500, 10],
        [Math.max(0, size - 1), 5],
      ] as const) {
        const { source } = new Desk({}, content);
        expect(await soon(source.read(offset, length))).toEqual(content.slice(offset, offset + length));
        expect(await soon(source.read(offset, length))).toEqual(content.slice(offset, offset + length));
      }
    }
  });

  it('takes Infinity for "to the end", known or not', async () => {
    const { source, backend } = new Desk();
    expect(await source.read(40, Number.POSITIVE_INFINITY)).toEqual(backend.content.slice(40));
    expect(await source.read(0, Number.POSITIVE_INFINITY)).toEqual(backend.content);
  });

  it('asks nothing for no bytes', async () => {
    const { source, backend } = new Desk();
    expect(await soon(source.read(7, 0))).toEqual(new Uint8Array(0));
    expect(backend.calls).toHaveLength(0);
  });

  it('gives out copies: what a caller does with them nobody else sees', async () => {
    const { source, backend } = new Desk();
    for (const length of [16, 32, 64]) {
      const bytes = await soon(source.read(0, length));
      bytes.fill(0);
      expect(bytes.buffer.byteLength).toBe(length);
      expect(await soon(source.read(0, length))).toEqual(backend.content.slice(0, length));
    }
  });

  it('finds the new end of a thing that has grown while it was read', async () => {
    const { source, backend } = new Desk({}, blocks(1, 3));
    await soon(source.read(0, 16));
    backend.put(blocks(2, 9));
    expect(await source.read(0, 1000)).toEqual(blocks(2, 9));
  });

  it('behind the end gets all that has come while it waited', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, SIZE));
    const gate = deferred();
    const growing = source.mutate({ start: SIZE, end: SIZE + 48 }, async () => {
      await gate.promise;
      backend.put(blocks(1, 23));
    });
    await settled();
    const reading = source.read(SIZE + 33, 40);
    await settled();
    gate.resolve();
    await growing;
    expect(await reading).toEqual(blocks(1, 23).slice(SIZE + 33));
  });

  it('rejects what is no place in bytes', async () => {
    const { source } = new Desk();
    for (const [offset, length] of [
      [-1, 1],
      [0.5, 1],
      [0, -1],
      [0, 1.5],
      [Number.NaN, 1],
      [0, Number.NaN],
      [Number.POSITIVE_INFINITY, 1],
    ] as const)
      expect(await failure(source.read(offset, length))).toBeInstanceOf(InvalidRangeError);
    expect(await failure(source.read('0' as never, 1))).toBeInstanceOf(InvalidRangeError);
  });
});

describe('requests', () => {
  it('are one for a hundred readers of one page', async () => {
    const { source, backend } = new Desk();
    const reads = await Promise.all(Array.from({ length: 100 }, (_, i) => source.read(i % 16, 16)));
    expect(reads).toHaveLength(100);
    expect(backend.asked).toEqual(['0-32']);
    expect(source.stats).toMatchObject({ requests: 1, bytes: 32, joined: 99, misses: 100 });
  });

  it('are one for adjacent missing pages, and as many as maxRunPages says for a scan', async () => {
    const { source, backend } = new Desk({ maxRunPages: 4 });
    await soon(source.read(96, 10)); // page 3
    await soon(source.read(0, SIZE));
    expect(backend.asked).toEqual(['96-128', '0-96', '128-256', '256-320']);
    const scan = new Desk({ maxRunPages: 4 });
    for (let at = 0; at < SIZE; at += 16) await soon(scan.source.read(at, 16));
    expect(scan.backend.asked).toHaveLength(10); // block by block: one for each page
    for (let at = 0; at < SIZE; at += 16) await soon(scan.source.read(at, 16));
    expect(scan.backend.calls).toHaveLength(10);
    expect(scan.source.stats.hits).toBe(30);
  });

  it('are aborted when the last reader has left, and not before', async () => {
    const { source, backend } = new Desk();
    backend.held = true;
    const [first, second] = [new AbortController(), new AbortController()];
    const reads = [first, second].map(({ signal }) => new Outcome(source.read(0, 16, { signal })));
    await settled();
    first.abort('enough');
    await settled();
    expect([reads[0]!.error, reads[1]!.state, backend.calls[0]!.signal.aborted]).toEqual(['enough', 'pending', false]);
    second.abort('enough, too');
    await settled();
    expect(backend.calls[0]!.signal.aborted).toBe(true);
    expect([first, second].map(({ signal }) => getEventListeners(signal, 'abort').length)).toEqual([0, 0]);
  });

  it('are aborted when a change has hit them, and what they bring is not used', async () => {
    const { source, backend } = new Desk();
    backend.held = true;
    const reading = new Outcome(source.read(0, 16));
    await settled();
    const mutation = source.mutate({ start: 0, end: 16 }, () => backend.put(blocks(2, 20)));
    await settled();
    expect(backend.calls[0]!.signal.aborted).toBe(true);
    backend.held = false;
    for (const call of backend.calls) call.go();
    await mutation;
    await settled();
    expect(versionsOf(reading.value!)).toEqual([2]);
  });

  it('that fail are told to all who wait, not kept, and followed by good ones', async () => {
    const { source, backend } = new Desk();
    backend.held = true;
    const reads = [0, 1].map(() => new Outcome(source.read(0, 16)));
    await settled();
    const error = new Error('line is down');
    backend.calls[0]!.fail(error);
    await settled();
    expect(reads.map((read) => read.error)).toEqual([error, error]);
    backend.held = false;
    expect(versionsOf(await soon(source.read(0, 16)))).toEqual([1]);
    expect(source.stats.failed).toBe(1);
  });

  it('that bring another length than the version has are errors that name both', async () => {
    const { source, backend } = new Desk();
    backend.read = async () => ({ version: backend.version, bytes: new Uint8Array(5) });
    const error = await failure(source.read(0, 16));
    expect(error).toBeInstanceOf(SourceError);
    expect(error).toMatchObject({ source: 'memory', range: { start: 0, end: 32 }, expected: '32 bytes', got: '5 bytes' });
    backend.read = async () => ({ version: undefined, bytes: undefined });
    expect(String(await failure(source.read(0, 16)))).toContain('any version would have done');
  });
});

describe('size', () => {
  it('costs one question, and none after a read', async () => {
    const { source, backend } = new Desk();
    const sizes = Promise.all(Array.from({ length: 20 }, () => source.size()));
    expect(new Set(await soon(sizes))).toEqual(new Set([SIZE]));
    expect(backend.asked).toEqual(['?']);
    const other = new Desk();
    await soon(other.source.read(0, 1));
    expect(await soon(other.source.size())).toBe(SIZE);
    expect(other.backend.asked).toEqual(['0-32']);
  });

  it('is asked for again after everything has changed', async () => {
    const { source, backend } = new Desk();
    await soon(source.size());
    backend.put(blocks(2, 3));
    expect(await soon(source.size())).toBe(SIZE);
    expect(await soon(source.size({ revalidate: true }))).toBe(48);
    backend.put(blocks(3, 4));
    await soon(source.invalidate());
    expect(await soon(source.size())).toBe(64);
  });
});

describe('a replacement that nobody was told of', () => {
  it('is noticed by the next request, and drops everything: no read returns both', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 64));
    backend.put(blocks(2, 20));
    expect(versionsOf(await soon(source.read(0, 64)))).toEqual([1]); // all of one version, and nobody has asked
    expect(versionsOf(await source.read(32, 64), 2)).toEqual([2]);
    expect(versionsOf(await soon(source.read(0, 32)))).toEqual([2]);
    expect(source.stats.changes).toBe(1);
    expect(source.version).toEqual({ key: '2', size: SIZE });
  });

  it('is noticed by revalidate before the read, which a hundred share', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 64));
    backend.put(blocks(2, 20));
    const reads = await Promise.all(Array.from({ length: 100 }, () => source.read(0, 64, { revalidate: true })));
    expect(new Set(reads.flatMap((bytes) => versionsOf(bytes)))).toEqual(new Set([2]));
    expect(backend.asked).toEqual(['0-64', '?', '0-64']);
    await soon(source.read(0, 64, { revalidate: true }));
    expect(backend.asked.slice(3)).toEqual(['?']);
  });

  it('is noticed when it comes while the version is being asked for: who comes later asks again', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 32));
    backend.held = true;
    const early = new Outcome(source.read(0, 32, { revalidate: true }));
    await settled();
    const late = new Outcome(source.read(0, 32, { revalidate: true }));
    backend.held = false;
    backend.calls[1]!.go();
    await Promise.resolve().then(() => {});
    await settled();
    expect(backend.asked).toEqual(['0-32', '?', '?']);
    expect([early.state, late.state]).toEqual(['resolved', 'resolved']);
  });

  it('is noticed when the backend pushes, and one that has gone is not given out any more', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 32));
    expect(backend.watches).toBe(1);
    backend.changed!();
    await settled();
    expect(source.stats.changes).toBe(0);
    backend.put(blocks(2, 20));
    backend.changed!();
    await settled();
    expect(source.stats).toMatchObject({ changes: 1, dropped: 1 });
    await soon(source.read(0, 32));
    backend.identify = () => Promise.reject(new Error('gone'));
    backend.changed!();
    await settled();
    expect(source.version).toBeUndefined();
    expect(source.stats.dropped).toBe(2);
  });

  it('hits the load that has found it although a read holds its range', async () => {
    const { source, backend, tracker } = new Desk({ maxAttempts: 1 });
    await soon(source.read(0, 32));
    for (let version = 2; version < 6; version++) {
      backend.held = true;
      const reading = new Outcome(source.read(32 * version, 32));
      for (let round = 0; round < 4; round++) {
        await settled();
        backend.put(blocks(version * 10 + round, 20));
        backend.calls.at(-1)!.go();
      }
      await settled();
      backend.held = false;
      backend.calls.at(-1)!.go();
      await settled();
      expect(versionsOf(reading.value!, 2 * version)).toEqual([version * 10 + 3]);
    }
    expect(tracker.stats.holds).toBeGreaterThan(0);
  });

  it('is a change even if a subscriber of the tracker does not comply', async () => {
    const { source, backend, tracker } = new Desk();
    await soon(source.read(0, 32));
    const broken = tracker.subscribe({ start: 0, end: 1 }, { invalidate: () => Promise.reject(new Error('no')) });
    backend.put(blocks(2, 20));
    expect(versionsOf(await source.read(0, 64))).toEqual([2]);
    expect(tracker.stats.subscriberErrors).toBe(1);
    broken.close();
  });
});

describe('mutate', () => {
  it('drops what it announces and nothing else, and takes over the version', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, SIZE));
    const result = await source.mutate({ start: 64, end: 96 }, () => {
      backend.content.set(blocks(2, 2, 4), 64);
      backend.key++;
      return 'written';
    });
    expect(result).toBe('written');
    expect(source.stats).toMatchObject({ dropped: 1, changes: 0 });
    expect(versionsOf(await soon(source.read(0, SIZE)))).toEqual([1, 2]);
    expect(backend.asked).toEqual(['0-320', '?', '?', '64-96']);
    backend.put(blocks(3, 20));
    expect(versionsOf(await soon(source.read(0, SIZE, { revalidate: true })))).toEqual([3]);
  });

  it('may let the thing grow and shrink where it has said so', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 400));
    await source.mutate({ start: SIZE, end: SIZE + 32 }, () => backend.put(blocks(1, 22)));
    expect(await soon(source.size())).toBe(SIZE + 32);
    expect(await soon(source.read(300, 100))).toEqual(blocks(1, 22).slice(300, 400));
    await source.mutate({ start: 40, end: Number.POSITIVE_INFINITY }, () => backend.put(blocks(1, 3).slice(0, 40)));
    expect(await soon(source.read(0, 400))).toEqual(blocks(1, 3).slice(0, 40));
    expect(source.stats.changes).toBe(0);
  });

  it('is a change of everything if the length has changed elsewhere', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, SIZE));
    await source.mutate({ start: 0, end: 16 }, () => backend.put(blocks(2, 21)));
    expect(source.stats).toMatchObject({ changes: 1, dropped: 10 });
    expect(await soon(source.size())).toBe(21 * BLOCK);
  });

  it('lets several write side by side, each with its own range', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, SIZE));
    const [first, second] = [deferred(), deferred()];
    const growing = source.mutate({ start: SIZE, end: SIZE + 32 }, () => first.promise);
    const writing = source.mutate({ start: 0, end: 32 }, () => second.promise);
    await settled();
    backend.content.set(blocks(2, 2), 0);
    backend.key++;
    second.resolve();
    await settled();
    backend.put(Uint8Array.from([...backend.content, ...blocks(3, 2, 20)]));
    first.resolve();
    await Promise.all([growing, writing]);
    expect(source.stats).toMatchObject({ changes: 0, dropped: 1 });
    expect(versionsOf(await soon(source.read(0, 1000)))).toEqual([2, 1, 3]);
  });

  it('lets others read what it does not change, missing pages, too, also from inside', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 32));
    const bytes = await source.mutate({ start: 0, end: 32 }, async () => {
      backend.content.set(blocks(2, 1), 0);
      backend.key++;
      const read = await source.read(64, 32);
      backend.content.set(blocks(2, 1, 1), 16);
      backend.key++;
      return read;
    });
    expect(versionsOf(bytes, 4)).toEqual([1]);
    expect(versionsOf(await soon(source.read(0, 96)))).toEqual([2, 1]);
    expect(source.stats.changes).toBe(0);
  });

  it('notices first what somebody else has done before', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, SIZE));
    backend.put(blocks(2, 20));
    await source.mutate({ start: 0, end: 16 }, () => {
      backend.content.set(blocks(3, 1), 0);
      backend.key++;
    });
    expect(source.stats.changes).toBe(1);
    expect(versionsOf(await soon(source.read(0, SIZE)))).toEqual([3, 2]);
  });

  it('passes on what the write throws, and has changed what it has changed', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 64));
    const error = new Error('disk full');
    const writing = source.mutate({ start: 0, end: 16 }, () => {
      backend.content.set(blocks(2, 1), 0);
      backend.key++;
      throw error;
    });
    expect(await failure(writing)).toBe(error);
    expect(versionsOf(await soon(source.read(0, 64)))).toEqual([2, 1]);
  });

  it('may make the thing, and is a change of everything if nobody can say what came of it', async () => {
    const { source, backend } = new Desk();
    const identify = backend.identify.bind(backend);
    backend.identify = () => Promise.reject(new Error('not there'));
    await source.mutate({ start: 0, end: 1 }, () => {
      backend.identify = identify;
    });
    expect(source.stats.changes).toBe(1);
    await soon(source.read(0, 64));
    await source.mutate({ start: 0, end: 1 }, () => {
      backend.identify = () => Promise.reject(new Error('gone'));
    });
    expect(source.version).toBeUndefined();
    expect(source.stats.changes).toBe(2);
  });

  it('asks again for a version that was asked for while others were still writing', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, SIZE));
    const [first, second] = [deferred(), deferred()];
    const writes = [first, second].map((gate, i) =>
      source.mutate({ start: i * 32, end: i * 32 + 32 }, async () => {
        await gate.promise;
        backend.key++;
      }),
    );
    await settled();
    backend.held = true;
    first.resolve();
    await settled();
    const asked = backend.calls.length;
    second.resolve(); // while the first is asking
    await settled();
    for (let i = asked - 1; i < backend.calls.length; i++) {
      backend.calls[i]!.go();
      await settled();
    }
    await Promise.all(writes);
    expect(source.version?.key).toBe(String(backend.key));
    backend.held = false;
    await soon(source.read(0, SIZE));
    expect(source.stats.changes).toBe(0);
  });
});

describe('invalidate', () => {
  it('drops the bytes that are named, or everything and the length', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, SIZE));
    await soon(source.invalidate({ start: 0, end: 33 }));
    expect(source.stats).toMatchObject({ dropped: 2, changes: 0 });
    expect(source.version).toBeDefined();
    await soon(source.invalidate());
    expect(source.stats).toMatchObject({ dropped: 10, changes: 1 });
    expect(source.version).toBeUndefined();
    await soon(source.read(0, 1));
    expect(backend.asked).toEqual(['0-320', '0-32']);
  });

  it('is not taken for a change that another has found before, and that is still being announced', async () => {
    const { source, backend, tracker } = new Desk();
    await soon(source.read(0, 64));
    const slow = deferred();
    const subscription = tracker.subscribe({ start: 0, end: 1 }, { invalidate: () => slow.promise });
    backend.put(blocks(2, 20));
    const finding = source.read(0, 64, { revalidate: true });
    await settled();
    backend.put(blocks(3, 3));
    const telling = source.invalidate();
    await settled();
    subscription.close();
    slow.resolve();
    await telling;
    expect(source.version).toBeUndefined();
    expect(versionsOf(await finding)).toEqual([3]);
    expect(source.stats.changes).toBe(2);
  });

  it('reaches subscribers of the tracker', async () => {
    const { source, tracker } = new Desk();
    const told: string[] = [];
    tracker.subscribe({ start: 100, end: 101 }, { invalidate: ({ label }) => void told.push(label!) });
    await soon(source.invalidate());
    expect(told).toEqual(['memory has changed']);
  });
});

describe('consistent', () => {
  const twoReads = async (view: ByteReader) => [...versionsOf(await view.read(0, 32)), ...versionsOf(await view.read(32, 32), 2)];

  it('runs the query again if another version is found on the way', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 32));
    backend.put(blocks(2, 20));
    let attempts = 0;
    const versions = await source.consistent((view) => {
      attempts++;
      return twoReads(view);
    });
    expect([versions, attempts]).toEqual([[2, 2], 2]);
  });

  it('without it, a query of two reads does mix versions', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 32));
    backend.put(blocks(2, 20));
    expect(await twoReads(source)).toEqual([1, 2]);
  });

  it('runs again if an announced change hits what it has read, and not for any other', async () => {
    const { source, backend } = new Desk();
    const hits: number[] = [];
    for (const start of [0, 40, 64, 200]) {
      let attempts = 0;
      await source.consistent(async (view) => {
        await view.read(0, 64);
        if (attempts++ === 0) await source.mutate({ start, end: start + 8 }, () => void backend.key++);
      });
      hits.push(attempts);
    }
    expect(hits).toEqual([2, 2, 1, 1]);
  });

  it('observes the length, and a read that was cut off observes what may come', async () => {
    const { source, backend } = new Desk();
    const grow = () =>
      source.mutate({ start: backend.content.length, end: backend.content.length + 16 }, () =>
        backend.put(blocks(1, backend.content.length / BLOCK + 1)),
      );
    for (const query of [
      (view: ByteReader) => view.size(),
      (view: ByteReader) => view.read(300, 1000).then((bytes) => 300 + bytes.length),
      (view: ByteReader) => view.read(300, Number.POSITIVE_INFINITY).then((bytes) => 300 + bytes.length),
    ]) {
      let attempts = 0;
      const size = await source.consistent(async (view) => {
        const found = await query(view);
        if (attempts++ === 0) await grow();
        return found;
      });
      expect([size, attempts]).toEqual([backend.content.length, 2]);
    }
    let attempts = 0;
    await source.consistent(async (view) => {
      await view.read(0, 32);
      if (attempts++ === 0) await grow();
    });
    expect(attempts).toBe(1);
  });

  it('gives what was there as a whole, perhaps not the newest, unless it is to revalidate', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 64));
    backend.put(blocks(2, 20));
    expect(await source.consistent(twoReads)).toEqual([1, 1]);
    expect(await source.consistent(twoReads, { revalidate: true })).toEqual([2, 2]);
  });

  it('revalidates at its end, too: what was replaced after the last read does not get through', async () => {
    const { source, backend } = new Desk();
    await soon(source.read(0, 64));
    let attempts = 0;
    const versions = await source.consistent(
      async (view) => {
        const found = await twoReads(view);
        if (attempts++ === 0) backend.put(blocks(2, 20));
        return found;
      },
      { revalidate: true },
    );
    expect([versions, attempts]).toEqual([[2, 2], 2]);
  });

  it('gives its requests up when the attempt is lost, and passes on its own errors only', async () => {
    const { source, backend } = new Desk();
    backend.held = true;
    const signals: AbortSignal[] = [];
    const query = new Outcome(
      source.consistent(async (view, attempt) => {
        signals.push(attempt.signal);
        return versionsOf(await view.read(0, 32));
      }),
    );
    await settled();
    const change = source.invalidate();
    await settled();
    expect(backend.calls[0]!.signal.aborted).toBe(true);
    expect(signals[0]!.reason).toBeInstanceOf(CollisionError);
    await change;
    for (const call of backend.calls) call.go();
    await settled();
    expect([query.value, signals.length]).toEqual([[1], 2]);
    const error = new Error('does not parse');
    expect(await failure(source.consistent(() => Promise.reject(error)))).toBe(error);
  });

  it('holds against announced changes after maxAttempts, and ends with RetryLimitError if the others cannot be held', async () => {
    const { source, backend, clock } = new Desk({ holdMs: 50 });
    let attempts = 0;
    const query = new Outcome(
      source.consistent(
        async (view) => {
          attempts++;
          await view.read(0, 32);
          clock.advance(20);
          backend.put(blocks(attempts, 20));
          await view.read(32 * attempts, 32);
        },
        { maxAttempts: 1 },
      ),
    );
    await turns(2000);
    expect(query.error).toBeInstanceOf(RetryLimitError);
    expect(attempts).toBeGreaterThan(1);
    let tries = 0;
    const refused = source.consistent(
      (view) => {
        tries++;
        return view.read(0, 1).then(() => source.invalidate());
      },
      { whenExhausted: 'throw', maxAttempts: 3 },
    );
    expect(await refused.catch((error: unknown) => error)).toBeInstanceOf(RetryLimitError);
    expect(tries).toBe(3);
  });

  it('goes on after a hold that replacements have foiled, and after ten of them gives up', async () => {
    for (const [replacements, limit, result] of [
      [6, undefined, 'done'],
      [Number.POSITIVE_INFINITY, undefined, RetryLimitError],
      [6, 1, RetryLimitError],
    ] as const) {
      const { source, backend, clock } = new Desk({ holdMs: 50 });
      let attempts = 0;
      const query = source.consistent(
        async (view) => {
          await view.read(0, 32);
          if (attempts++ < replacements) {
            clock.advance(60); // longer than a hold may last
            backend.put(blocks(1, 20));
          }
          await view.read(32 * (1 + (attempts % 8)), 32);
          return 'done';
        },
        { maxAttempts: limit },
      );
      const found = await query.catch((error: unknown) => (error as Error).constructor);
      expect(found).toBe(result);
      expect(attempts).toBeLessThan(60);
    }
  });

  it('listens once to the attempt, however many reads its query makes at once, and not at all afterwards', async () => {
    const { source } = new Desk();
    let signal: AbortSignal | undefined;
    await source.consistent(async (view, attempt) => {
      signal = attempt.signal;
      const reads = Array.from({ length: 30 }, (_, i) => view.read(i, 40));
      await turns(1);
      expect(getEventListeners(signal, 'abort').length).toBe(1);
      await Promise.all(reads);
    });
    expect(getEventListeners(signal!, 'abort').length).toBe(0);
  });

  it('ends with the bounds of the caller, and so do reads through its view', async () => {
    const { source, backend, clock, tracker } = new Desk();
    backend.held = true;
    const controller = new AbortController();
    const aborted = new Outcome(source.consistent((view) => view.read(0, 1), { signal: controller.signal }));
    const late = new Outcome(source.consistent((view) => view.size(), { timeoutMs: 10 }));
    const inner = new Outcome(source.consistent((view) => view.read(64, 1, { timeoutMs: 5 })));
    const own = new AbortController();
    const left = new Outcome(source.consistent((view) => view.read(96, 1, { signal: own.signal })));
    await settled();
    controller.abort('enough');
    own.abort('me, too');
    clock.advance(10);
    await settled();
    expect([aborted.error, left.error]).toEqual(['enough', 'me, too']);
    expect(late.error).toBeInstanceOf(TimeoutError);
    expect(inner.error).toBeInstanceOf(TimeoutError);
    expect(backend.calls.map(({ signal }) => signal.aborted)).not.toContain(false);
    await source.close();
    expectNothingLeft(tracker, { signals: [controller.signal, own.signal] });
    expect(clock.pending).toBe(0);
  });
});

describe('close', () => {
  it('rejects what waits, aborts what loads, lets go of the backend, and leaves nothing', async () => {
    const { source, backend, tracker, clock } = new Desk();
    backend.held = true;
    const waiting = [source.read(0, 1), source.size(), source.read(0, 64, { timeoutMs: 100 })].map(
      (read: Promise<unknown>) => new Outcome(read),
    );
    await settled();
    const closing = source.close();
    expect(source.close()).toBe(closing);
    await soon(closing);
    await settled();
    for (const { error } of waiting) expect(error).toBeInstanceOf(ClosedError);
    expect(backend.calls.map(({ signal }) => signal.aborted)).toEqual([true, true, true]); // page 0 is shared
    expect([backend.closed, backend.watches, clock.pending, tracker.closed, source.closed]).toEqual([1, 0, 0, false, true]);
    for (const late of [
      source.read(0, 1),
      source.size(),
      source.consistent(() => 1),
      source.invalidate(),
      source.mutate({ start: 0, end: 1 }, () => 1),
    ])
      expect(await failure(late)).toBeInstanceOf(ClosedError);
    expectNothingLeft(tracker);
  });

  it('ends a tracker of its own, and queries with it', async () => {
    const { backend } = new Desk();
    const source = new ByteSource({ backend });
    const query = new Outcome(
      source.consistent(
        (_view, { signal }) => new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ),
    );
    source[Symbol.dispose]();
    await settled();
    expect(query.error).toBeInstanceOf(ClosedError);
    expect([source.closed, source.tracker.closed]).toEqual([true, true]);
  });

  it('of the tracker closes the source', async () => {
    const { source, tracker, backend } = new Desk();
    backend.held = true;
    const read = new Outcome(source.read(0, 1));
    await settled();
    await soon(tracker.close());
    await settled();
    expect(read.error).toBeInstanceOf(ClosedError);
    expect(source.closed).toBe(true);
    backend.changed!();
    await settled();
  });
});

describe('a source', () => {
  it('checks its options, and says what it got', () => {
    const { backend } = new Desk();
    const wrong: [object, string][] = [
      [{ backend: {} }, 'backend is an object; expected an object with name, identify and read'],
      [{ backend, tracker: {} }, 'tracker is an object; expected a RangeTracker'],
      [{ backend, clock: {} }, 'clock is an object; expected an object with now, setTimeout and clearTimeout'],
      [{ backend, label: 1 }, 'label is 1; expected a string'],
      [{ backend, pageSize: 0 }, 'pageSize is 0; expected a positive whole number'],
      [{ backend, maxPages: 0 }, 'maxPages is 0; expected a whole number from 1 to 2^24'],
      [{ backend, maxRunPages: 0 }, 'maxRunPages is 0; expected a whole number of at least 1'],
    ];
    for (const [options, message] of wrong) {
      expect(() => new ByteSource(options as never)).toThrow(InvalidArgumentError);
      expect(() => new ByteSource(options as never)).toThrow(message);
    }
    expect(() => new ByteSource(null as never)).toThrow('options is null; expected an object');
  });

  it('rejects arguments that are no functions', async () => {
    const { source } = new Desk();
    expect(await failure(source.consistent(1 as never))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(source.mutate({ start: 0, end: 1 }, 1 as never))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(source.read(0, 1, { timeoutMs: -1 }))).toBeInstanceOf(InvalidArgumentError);
  });

  it('has a name, and shows it', () => {
    const { source, tracker } = new Desk({ label: 'tiles' });
    expect([source.label, source.tracker]).toEqual(['tiles', tracker]);
    expect(String(source)).toMatch(/^ByteSource \{ label: "tiles", closed: false, stats: \{ requests: 0/);
    expect(JSON.parse(JSON.stringify(source))).toMatchObject({ label: 'tiles', closed: false, stats: { requests: 0 } });
    expect(new Desk().source.label).toBe('memory');
  });

  it('keeps within maxPages', async () => {
    const { source, backend } = new Desk({ maxPages: 2 });
    for (const at of [0, 32, 64, 0]) await soon(source.read(at, 1));
    expect(backend.calls).toHaveLength(4);
    expect(source.stats.evicted).toBe(2);
  });
});

describe('SourceError', () => {
  it('says what, where, what was expected, what came, and why', () => {
    const cause = new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
    const error = new SourceError('http://a/b', 'broke off', { range: { start: 3, end: 9 }, cause });
    expect(error.message).toBe('http://a/b: bytes [3, 9) broke off: fetch failed (ECONNRESET)');
    expect([error.code, error.name, error.cause, isRangefenceError(error)]).toEqual([
      'RANGEFENCE_SOURCE',
      'SourceError',
      cause,
      true,
    ]);
    const other = new SourceError('/a', 'came cut', { expected: '9 bytes', got: '3 bytes' });
    expect(other.message).toBe('/a: came cut: got 3 bytes; expected 9 bytes');
    expect([other.range, 'cause' in other]).toEqual([undefined, false]);
  });
});

describe('what several share', () => {
  it('a question that everybody has left is aborted, and the next one is asked anew', async () => {
    const signals: AbortSignal[] = [];
    const answers = [deferred<number>(), deferred<number>()];
    const question = new Question<number>((signal) => {
      signals.push(signal);
      return answers[signals.length - 1]!.promise;
    });
    const [one, two] = [new AbortController(), new AbortController()];
    const leaving = [new Outcome(question.answer(one.signal)), new Outcome(question.answer(two.signal))];
    await settled();
    one.abort('one');
    expect(signals[0]!.aborted).toBe(false);
    two.abort('two');
    await settled();
    expect(leaving.map(({ error }) => error)).toEqual(['one', 'two']);
    expect(signals[0]!.aborted).toBe(true);
    const late = new AbortController();
    const never = new Outcome(question.answer(late.signal));
    late.abort('before it was sent');
    const next = new Outcome(question.answer());
    expect(await failure(question.answer(late.signal))).toBe('before it was sent');
    answers[0]!.reject(new Error('aborted'));
    answers[1]!.resolve(7);
    await settled();
    expect([never.error, next.value, signals.length]).toEqual(['before it was sent', 7, 2]);
    expect([one, two, late].map(({ signal }) => getEventListeners(signal, 'abort').length)).toEqual([0, 0, 0]);
  });

  it('a pause ends with its time or with its signal, and leaves neither timer nor listener', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const done = new Outcome(pause(clock, 10, controller.signal));
    clock.advance(10);
    await turns(5);
    expect(done.state).toBe('resolved');
    const cut = new Outcome(pause(clock, 10, controller.signal));
    controller.abort('enough');
    await turns(5);
    expect([cut.error, await failure(pause(clock, 10, controller.signal))]).toEqual(['enough', 'enough']);
    expect([clock.pending, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
  });

  it('steps under one time limit end together', async () => {
    const clock = new ManualClock();
    let inner: AbortSignal | undefined;
    const work = new Outcome(
      bounded(clock, { timeoutMs: 5 }, 'work', (signal) => {
        inner = signal;
        return new Promise(() => {});
      }),
    );
    clock.advance(5);
    await turns(5);
    expect(work.error).toBeInstanceOf(TimeoutError);
    expect([inner!.aborted, clock.pending]).toEqual([true, 0]);
    expect(await failure(bounded(clock, { signal: AbortSignal.abort('gone') }, 'work', async () => 1))).toBe('gone');
    expect(new RangeTracker().closed).toBe(false);
  });
});
