/**
 * Trackers of a shared space in one thread: what is published and how it is read, and what happens at the limits. Two of them that
 * must take each other for those of other threads have buffers of their own over the same memory (`apart`).
 */
import { afterEach, describe, expect, test } from 'vitest';
import { InvalidArgumentError, RangeTracker, type RangeTrackerOptions } from '../../lib/index.js';
import { CapacityError, SharedSpace, type SharedSpaceOptions, type ThreadHandle, ThreadOwner } from '../../lib/threads/index.js';
import { COUNT, VERSION, Words } from '../../lib/threads/words.js';

const PAGE = { start: 0, end: 8 };
const NEXT = { start: 8, end: 16 };
const EVERYTHING = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

const spaces: SharedSpace[] = [];
afterEach(() => {
  for (const space of spaces.splice(0)) space.close();
});

function made(options?: SharedSpaceOptions): SharedSpace {
  const space = SharedSpace.create(options);
  spaces.push(space);
  return space;
}

const apart = (handle: ThreadHandle): ThreadHandle => ({ ...handle, buffer: structuredClone(handle.buffer) });

function pair(options?: SharedSpaceOptions, first?: RangeTrackerOptions) {
  const space = made(options);
  const one = new RangeTracker({ ...first, space: apart(space.connect()) });
  const other = new RangeTracker({ label: 'other', space: apart(space.connect()) });
  return { space, one, other };
}

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));

describe('what is published', () => {
  test('several ranges of a section collide each, and nothing between them', () => {
    const { one, other } = pair();
    const section = other.tryBegin([PAGE, { start: 20, end: 24 }, { start: 100, end: Number.POSITIVE_INFINITY }])!;
    expect(one.inspect().sections).toMatchObject([{ ranges: section.ranges }]);
    expect(one.tryReadBegin(NEXT)).toBe(1);
    expect(one.tryReadBegin({ start: 23, end: 30 })).toBeUndefined();
    expect(one.tryReadBegin({ start: 1e9, end: 2e9 })).toBeUndefined();
    section.end();
    expect(one.tryReadBegin(EVERYTHING)).toBe(2);
  });

  test('more ranges than an eighth of the table are known elsewhere by fewer, which cover them', () => {
    const { one, other } = pair({ sections: 16 });
    const ranges = [0, 10, 20, 30].map((start) => ({ start, end: start + 1 }));
    const section = other.tryBegin(ranges)!;
    expect(section.ranges).toEqual(ranges);
    expect(one.inspect().sections[0]!.ranges).toEqual([
      { start: 0, end: 11 },
      { start: 20, end: 31 },
    ]);
    section.end();
    expect(one.activeCount).toBe(0);
  });

  test('kind, label and an owner that is a text or a number; another owner is a ThreadOwner elsewhere, and only there', () => {
    const { one, other } = pair();
    const seen: unknown[] = [];
    const ignore = ({ kind, label, owner }: { kind: string; label: string | undefined; owner: unknown }) => {
      seen.push([kind, label, owner instanceof ThreadOwner ? owner.thread : owner]);
      return false;
    };
    const own = {};
    for (const owner of ['importer', '7', 7, -0.5, own, undefined]) {
      const section = other.tryBegin(PAGE, { kind: 'unmäp', label: 'Größe 😀', owner })!;
      expect(one.tryReadBegin(PAGE, { ignore })).toBeUndefined();
      expect(other.tryReadBegin(PAGE, { ignore: (info) => info.owner === owner })).toBeDefined();
      section.end();
    }
    expect(seen).toEqual(['importer', '7', 7, -0.5, 1, undefined].map((owner) => ['unmäp', 'Größe 😀', owner]));
  });

  test('counters of the memory wrap', () => {
    const space = made({ events: 16 });
    const handles = [space.connect(), space.connect()];
    const words = new Words(handles[0]!.buffer, handles[0]!.shape);
    words.store(VERSION, -3);
    words.store(words.of(1) + COUNT, -5);
    const [one, other] = handles.map((handle) => new RangeTracker({ space: apart(handle) })) as [RangeTracker, RangeTracker];
    for (let i = 0; i < 20; i++) {
      const section = other.tryBegin(i % 3 === 0 ? [PAGE, { start: 50, end: 60 }] : PAGE)!;
      expect(one.tryReadBegin(PAGE)).toBeUndefined();
      section.end();
      expect(one.tryReadBegin(PAGE)).toBe(2 * i + 2);
    }
  });
});

describe('what another thread has begun', () => {
  test('cannot be ended here, nor enclose a section of here', async () => {
    const { one, other } = pair();
    let theirs: { end(): void } | undefined;
    one.subscribe(PAGE, {
      invalidate: (invalidation) => {
        theirs = invalidation;
        expect(() => invalidation.end()).toThrow(InvalidArgumentError);
        expect(() => one.tryBegin(PAGE, { within: invalidation })).toThrow('an active invalidation of the same tracker');
      },
    });
    await other.invalidate(PAGE, { label: 'theirs' });
    expect(one.activeCount).toBe(0);
    theirs!.end(); // over: nothing to do
  });

  test('fires the signal of an attempt, and tells subscribers of its begin before it is done, and of its end', async () => {
    const { one, other } = pair();
    const told: string[] = [];
    const subscription = one.subscribe(PAGE, {
      invalidate: () => void told.push('begin'),
      end: () => void told.push('end'),
    });
    const section = await other.begin(PAGE);
    expect(told).toEqual(['begin']);
    section.end();
    while (told.length === 1) await turn();
    expect(told).toEqual(['begin', 'end']);
    subscription.close();
    let attempts = 0;
    const read = one.lookup(PAGE, async ({ signal }) => {
      if (++attempts > 1) return 'read';
      const fired = new Promise((resolve) => signal.addEventListener('abort', resolve));
      await turn();
      other.tryBegin(PAGE)!.end();
      await fired;
      return 'old';
    });
    expect(await read).toBe('read');
  });

  test('and ended before somebody subscribed is no end to him', async () => {
    const { one, other } = pair();
    other.tryBegin(PAGE)!.end();
    const told: string[] = [];
    one.subscribe(PAGE, { invalidate: () => void told.push('begin'), end: () => void told.push('end') });
    await turn();
    expect(told).toEqual([]);
  });

  test('fails if a subscriber here cannot let go, and says why', async () => {
    const { one, other } = pair();
    one.subscribe(PAGE, { invalidate: () => Promise.reject(new Error('the device hangs')) });
    await expect(other.begin(PAGE)).rejects.toThrow('the device hangs');
    expect(other.activeCount).toBe(0);
  });

  test('is not moved by an observer that looks while it is noted', () => {
    const seqs: number[][] = [];
    const observer = {
      begin: (event: { seq: number; tracker: { seq: number } }) => {
        if (seqs.length === 0) other.tryBegin(NEXT)!.end();
        seqs.push([event.seq, event.tracker.seq]);
      },
    };
    const { one, other } = pair(undefined, { observer });
    one.tryBegin(PAGE)!.end();
    expect(seqs[0]).toEqual([1, 1]);
    expect(one.seq).toBeGreaterThanOrEqual(4);
  });

  test('hits a fetch that has thrown: that is a collision, and no error', async () => {
    const { one, other } = pair();
    for (const options of [{}, { signal: new AbortController().signal }]) {
      let attempts = 0;
      const read = one.lookup(
        PAGE,
        async () => {
          if (++attempts > 1) return 'read';
          other.tryBegin(PAGE)!.end();
          throw new Error('torn');
        },
        options,
      );
      expect(await read).toBe('read');
    }
  });

  test('of a tracker that is closed goes on until it is ended, and then the place is free', async () => {
    const { space, one, other } = pair({ threads: 2 });
    const section = other.tryBegin(PAGE)!;
    await other.close();
    expect(one.tryReadBegin(PAGE)).toBeUndefined();
    expect(() => space.connect()).toThrow(CapacityError);
    section.end();
    expect(one.tryReadBegin(PAGE)).toBeDefined();
    for (let i = 0; i < 100; i++) await turn();
    expect(space.connect().thread).toBe(1);
    expect(space.stats.deaths).toBe(0);
  });
});

describe('a commit', () => {
  /** Lookups that take the fast lane, and the slow one. */
  const LANES = { fast: {}, slow: { timeoutMs: 60_000 } };

  test.each(Object.entries(LANES))('keeps off begins of other threads while it runs: %s', async (_lane, options) => {
    const { one, other } = pair({ grain: 8 });
    const refused = await one.lookup(PAGE, async () => 1, { ...options, commit: () => other.tryBegin(PAGE) === undefined });
    expect(refused).toBe(true);
    other.tryBegin(PAGE)!.end();
    const elsewhere = await one.lookup(PAGE, async () => 1, { ...options, commit: () => other.tryBegin(NEXT) });
    elsewhere!.end();
  });

  test.each(Object.entries(LANES))('in what it has observed, too: %s', async (_lane, options) => {
    const { one, other } = pair({ grain: 8 });
    const refused = await one.lookup(
      PAGE,
      async (attempt) => {
        attempt.observe(NEXT);
      },
      { ...options, commit: () => other.tryBegin(NEXT) === undefined },
    );
    expect(refused).toBe(true);
  });

  test('inside of which another one runs keeps them off until both are over', async () => {
    const { one, other } = pair({ grain: 8 });
    const seen: unknown[] = [];
    const inner = { commit: () => void seen.push(other.tryBegin(PAGE), other.tryBegin(NEXT)) };
    await one.lookup(PAGE, () => 1, {
      commit: () => {
        void one.lookup(NEXT, () => 2, inner);
        seen.push(other.tryBegin(PAGE));
      },
    });
    expect(seen).toEqual([undefined, undefined, undefined]);
    other.tryBegin(PAGE)!.end();
  });

  test('by hand keeps them off until the microtasks of its turn have run', async () => {
    const { one, other } = pair();
    const token = one.tryReadBegin(PAGE)!;
    expect(one.readRetry(PAGE, token)).toBe(false);
    expect(other.tryBegin(PAGE)).toBeUndefined();
    await turn();
    other.tryBegin(PAGE)!.end();
    expect(one.readRetry(PAGE, token)).toBe(true);
  });

  test('of another tracker of the same thread keeps nobody off: that is this turn', async () => {
    const space = made();
    const [one, other] = [0, 1].map(() => new RangeTracker({ space: space.connect() })) as [RangeTracker, RangeTracker];
    const token = one.tryReadBegin(PAGE)!;
    expect(one.readRetry(PAGE, token)).toBe(false);
    other.tryBegin(PAGE)!.end();
    expect(one.readRetry(PAGE, token)).toBe(true);
  });
});

describe('a thread that is too far behind', () => {
  test('takes over what is open, and has lost the history of its tokens', async () => {
    const { one, other } = pair({ events: 16 });
    const token = one.tryReadBegin(PAGE)!;
    const held = other.tryBegin([NEXT, { start: 40, end: 48 }], { kind: 'unmap', label: 'long' })!;
    const gone = other.tryBegin({ start: 60, end: 61 })!;
    expect(one.activeCount).toBe(2);
    gone.end();
    for (let i = 0; i < 20; i++) other.tryBegin({ start: 1000, end: 1001 })!.end();
    const late = other.tryBegin(
      [
        { start: 80, end: 81 },
        { start: 90, end: 91 },
      ],
      { label: 'late' },
    )!;
    expect(one.inspect().sections.map(({ label }) => label)).toEqual(['long', 'late']);
    expect(one.inspect().sections[1]!.ranges).toEqual(late.ranges);
    expect(one.collision(PAGE, token)).toMatchObject({ reason: 'history-lost' });
    expect(one.tryReadBegin({ start: 44, end: 45 })).toBeUndefined();
    const fresh = one.tryReadBegin(PAGE)!;
    held.end();
    late.end();
    expect([one.readRetry(PAGE, fresh), one.readRetry(NEXT, fresh)]).toEqual([false, true]);
    expect([one.activeCount, one.stats.begins, one.stats.ends]).toEqual([0, 3, 3]);
  });

  test('has no hold that vouches for what it has missed', async () => {
    const { one, other } = pair({ events: 16 });
    let attempts = 0;
    const read = one.lookup(
      PAGE,
      async () => {
        if (++attempts <= 3) for (let i = 0; i < 12; i++) other.tryBegin(PAGE)!.end();
        return attempts;
      },
      { maxAttempts: 1 },
    );
    expect(await read).toBe(4);
  });
});

describe('a space without room', () => {
  test('for one more thread refuses to connect', () => {
    const space = made({ threads: 1 });
    space.connect();
    expect(() => space.connect()).toThrow('there is no room for one more thread; the space has threads: 1');
  });

  test('for one more section lets a begin wait, refuses one that does not wait, and fails a nested one', async () => {
    const { one, other } = pair({ sections: 8 });
    const open = [0, 1, 2, 3, 4, 5].map((start) => other.tryBegin({ start, end: start + 1 })!);
    expect(other.tryBegin(PAGE)).toBeUndefined();
    const waiting = other.begin(PAGE, { label: 'waiting' });
    await turn();
    expect(other.inspect().sections.at(-1)!.subscribers).toMatchObject([{ label: 'room in the shared space' }]);
    expect(one.activeCount).toBe(6);
    const nested = [0, 1].map(() => other.tryBegin(PAGE, { within: open[0]! })!);
    expect(one.activeCount).toBe(8);
    expect(() => other.tryBegin(PAGE, { within: open[0]! })).toThrow(CapacityError);
    await expect(other.begin(PAGE, { within: open[0]! })).rejects.toMatchObject({ option: 'sections', limit: 8 });
    for (const section of nested) section.end();
    await expect(other.begin(PAGE, { signal: AbortSignal.timeout(5) })).rejects.toThrow();
    open[0]!.end();
    const section = await waiting;
    expect(one.inspect().sections.at(-1)!.label).toBe('waiting');
    for (const each of [...open, section]) each.end();
    expect([one.activeCount, other.activeCount]).toEqual([0, 0]);
  });

  test('for one more text leaves labels out, and fails a begin of a new kind or owner before anything has changed', () => {
    const { one, other } = pair({ textBytes: 80 });
    const labels = ['first', 'second', 'third'].map((label) => {
      const section = other.tryBegin(PAGE, { label })!;
      const seen = one.inspect().sections[0]!.label;
      section.end();
      return seen;
    });
    expect(labels).toEqual(['first', undefined, undefined]);
    other.tryBegin(PAGE, { kind: 'unmap', owner: 'importer' })!.end();
    const seq = other.seq;
    expect(() => other.tryBegin(PAGE, { kind: 'a kind of its own' })).toThrow(
      'there is no room for the kind "a kind of its own"',
    );
    expect(() => other.tryBegin(PAGE, { owner: 'somebody else' })).toThrow('there is no room for the owner "somebody else"');
    expect([other.seq, other.activeCount]).toEqual([seq, 0]);
    other.tryBegin(PAGE, { kind: 'unmap', owner: 'importer' })!.end();
  });
});

describe('a handle', () => {
  test('is for one tracker', () => {
    const handle = made().connect();
    new RangeTracker({ space: handle });
    expect(() => new RangeTracker({ space: handle })).toThrow('expected a handle that no other tracker was made with');
  });

  test('is what connect() returns, and nothing else', () => {
    for (const space of [null, 'x', {}, made()]) {
      expect(() => new RangeTracker({ space: space as never })).toThrow('from connect() of a SharedSpace of rangefence/threads');
    }
  });

  test('is of a space whose options are checked', () => {
    const wrong: [object, string][] = [
      [{ grian: 1 }, 'did you mean "grain"?'],
      [{ grain: 0 }, 'grain is 0; expected a positive number of units'],
      [{ threads: 32 }, 'threads is 32; expected a whole number from 1 to 31'],
      [{ sections: 7 }, 'sections is 7; expected a whole number from 8 to 65536'],
      [{ events: 1.5 }, 'events is 1.5; expected a whole number from 16 to 1048576'],
      [{ textBytes: -1 }, 'textBytes is -1; expected a whole number from 0 to 262140'],
      [{ onDeath: 1 }, 'onDeath is 1; expected a function'],
    ];
    for (const [options, message] of wrong) expect(() => SharedSpace.create(options)).toThrow(message);
  });
});
