/**
 * Random schedules of readers, queries, announced writers and replacements of which nobody is told, over a backend that reads in
 * two steps. What comes out must be what was there, whole, at one moment not before the call's.
 */
import { describe, expect, test } from 'vitest';
import type { Range } from '../../lib/base/vocabulary.js';
import {
  type ByteBackend,
  type ByteReadContext,
  type ByteReader,
  type ByteReading,
  ByteSource,
  type ByteVersion,
} from '../../lib/bytes/index.js';
import { RangeTracker } from '../../lib/index.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { ManualClock } from '../support/model/clock.js';
import { Random, seeds } from '../support/model/random.js';
import { Scheduler } from '../support/model/scheduler.js';

const PAGE = 4;

const RUNS = 60;

/** One state of the thing in which somebody could have found it. */
interface State {
  readonly bytes: Uint8Array;
  /** What was being written just then: no result may reach in there. */
  readonly active: readonly Range[];
}

/** The thing, all its states, and the backend that reads it. */
class World implements ByteBackend {
  readonly name = 'world';
  readonly states: State[] = [];
  /** Announced, or about to be. */
  readonly planned: Set<Range> = new Set();
  /** Being written. */
  readonly active: Set<Range> = new Set();
  flying = 0;
  #bytes: Uint8Array = Uint8Array.from([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  #key = 1;
  #stamp = 1;
  readonly #scheduler: Scheduler;
  readonly #random: Random;

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.note();
  }

  get now(): number {
    return this.states.length - 1;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** No byte is ever written twice with the same value (in the length of a test). */
  stamp(): number {
    this.#stamp = (this.#stamp % 250) + 1;
    return this.#stamp;
  }

  set(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#key++;
    this.note();
  }

  write(range: Range, value: number): void {
    const bytes = new Uint8Array(Math.max(this.#bytes.length, range.end));
    bytes.set(this.#bytes);
    bytes.fill(value, range.start, range.end);
    this.set(bytes);
  }

  note(): void {
    this.states.push({ bytes: this.#bytes.slice(), active: [...this.active] });
  }

  async identify(): Promise<ByteVersion> {
    return this.#flight(async () => {
      await this.#scheduler.pause();
      const version = { key: String(this.#key), size: this.#bytes.length };
      await this.#scheduler.pause();
      return version;
    });
  }

  async read(range: Range, { expected }: ByteReadContext): Promise<ByteReading> {
    return this.#flight(async () => {
      await this.#scheduler.pause();
      const before = { key: String(this.#key), size: this.#bytes.length };
      if (expected !== undefined && expected.key !== before.key && this.#random.chance(0.5))
        return { version: this.#random.chance(0.5) ? before : undefined, bytes: undefined };
      const middle = Math.floor((range.start + Math.min(range.end, this.#bytes.length)) / 2);
      const first = this.#bytes.slice(range.start, middle);
      await this.#scheduler.pause();
      const bytes = Uint8Array.from([...first, ...this.#bytes.slice(Math.max(range.start, middle), range.end)]);
      return { version: before.key === String(this.#key) ? before : undefined, bytes };
    });
  }

  /** The state that all of these parts were in, at or after `since`; undefined if there was none. */
  find(parts: readonly Part[], since: number): State | undefined {
    return this.states.slice(since).find(({ bytes, active }) =>
      parts.every(({ start, end, found, size }) => {
        if (active.some((range) => range.start < end && start < range.end)) return false;
        if (size !== undefined) return bytes.length === size;
        return equal(found, bytes.subarray(start, end));
      }),
    );
  }

  async #flight<T>(work: () => Promise<T>): Promise<T> {
    this.flying++;
    try {
      return await work();
    } finally {
      this.flying--;
    }
  }
}

/** Something that was found. */
interface Part extends Range {
  readonly found: Uint8Array;
  /** If it was the length that was asked for. */
  readonly size?: number;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** One run. Throws on whatever is wrong. */
async function run(seed: number): Promise<{ commits: number; changes: number; attempts: number; holds: number }> {
  const random = new Random(seed);
  const clock = new ManualClock();
  const scheduler = new Scheduler(random, clock);
  const tracker = new RangeTracker({ clock });
  const world = new World(scheduler, random);
  const source = new ByteSource({
    backend: world,
    tracker,
    clock,
    pageSize: PAGE,
    maxPages: 1 + random.below(6),
    maxRunPages: 1 + random.below(3),
    maxAttempts: 1 + random.below(3),
    holdMs: 1e9,
  });
  /** The last state that everybody must know of. */
  let known = 0;
  let mutating = 0;
  let attempts = 0;
  let commits = 0;
  let left = 0;

  const place = () => ({ offset: random.below(14), length: 1 + random.below(random.chance(0.2) ? 30 : 9) });
  const part = (offset: number, length: number, found: Uint8Array): Part => ({ start: offset, end: offset + length, found });
  const demand = (parts: readonly Part[], since: number, what: string) => {
    commits++;
    if (world.find(parts, since) === undefined) {
      const got = parts.map(({ start, found, size }) => size ?? `${start}: ${[...found].join(' ')}`).join(' | ');
      const was = world.states
        .slice(since)
        .map(({ bytes }) => bytes.join(' '))
        .join('\n');
      throw new Error(`seed ${seed}: ${what} got ${got}; there was, from state ${since} on,\n${was}`);
    }
  };
  const tolerant = async (signal: AbortSignal, work: Promise<void>) => {
    await work.catch((error: unknown) => {
      if (!signal.aborted || error !== signal.reason) throw error;
      left++;
    });
  };
  const bounds = () => {
    const controller = new AbortController();
    if (random.chance(0.15)) void scheduler.pause().then(() => controller.abort(new Error('left')));
    return controller.signal;
  };

  const reader = async () => {
    for (let i = 0; i < 4; i++) {
      await scheduler.pause();
      const { offset, length } = place();
      const signal = bounds();
      const revalidate = random.chance(0.3) && mutating === 0;
      const since = revalidate ? world.now : known;
      const read = source.read(offset, length, { signal, revalidate });
      await tolerant(
        signal,
        read.then((found) => demand([part(offset, length, found)], since, 'read')),
      );
    }
  };
  const query = async () => {
    for (let i = 0; i < 3; i++) {
      await scheduler.pause();
      const signal = bounds();
      const revalidate = random.chance(0.3) && mutating === 0;
      const since = revalidate ? world.now : known;
      const places = Array.from({ length: 1 + random.below(3) }, place);
      if (random.chance(0.5)) places.push(places[0]!); // what was read before must still be so
      const wantsSize = random.chance(0.4);
      const ask = async (view: ByteReader) => {
        attempts++;
        const parts: Part[] = [];
        for (const { offset, length } of places) {
          parts.push(part(offset, length, await view.read(offset, length)));
          if (random.chance(0.5)) await scheduler.pause();
        }
        if (wantsSize) {
          const size = await view.size();
          parts.push({ start: Math.max(0, size - 1), end: size + 1, found: new Uint8Array(0), size });
        }
        return parts;
      };
      const asked = source.consistent(ask, { signal, revalidate });
      await tolerant(
        signal,
        asked.then((parts) => demand(parts, since, 'query')),
      );
    }
  };
  const writer = async () => {
    for (let i = 0; i < 3; i++) {
      await scheduler.pause();
      const grows = random.chance(0.3);
      const start = grows ? world.bytes.length : random.below(world.bytes.length);
      const end = grows ? start + 1 + random.below(5) : Math.min(world.bytes.length, start + 1 + random.below(5));
      // Two that grow at once would have to agree on where; and nobody else may replace what is being written.
      if (start >= end || [...world.planned].some((range) => range.end > Math.min(start, world.bytes.length - 1))) continue;
      const range = { start, end };
      mutating++;
      world.planned.add(range);
      await source.mutate(range, async () => {
        world.active.add(range);
        const value = world.stamp();
        world.write({ start, end: Math.ceil((start + end) / 2) }, value);
        await scheduler.pause();
        world.write(range, value);
        world.active.delete(range);
        world.note();
      });
      world.planned.delete(range);
      mutating--;
      known = Math.max(known, world.now);
    }
  };
  const replacer = async () => {
    for (let i = 0; i < 4; i++) {
      // Whoever mutates vouches that nobody does this meanwhile.
      do await scheduler.pause();
      while (mutating > 0);
      world.set(new Uint8Array(random.below(16)).fill(world.stamp()));
      const now = world.now;
      if (!random.chance(0.3)) continue;
      await source.invalidate();
      known = Math.max(known, now);
    }
  };

  let running = 0;
  const failures: unknown[] = [];
  const changing = random.chance(0.5) ? [writer, writer, replacer] : [replacer, replacer];
  for (const party of [reader, reader, query, query, ...changing]) {
    running++;
    party()
      .catch((error) => failures.push(error))
      .finally(() => running--);
  }
  await scheduler.run(
    () => running === 0 || failures.length > 0,
    () => {},
  );
  if (failures.length > 0) throw failures[0];
  const last = source
    .read(0, 100, { revalidate: true })
    .then((found) => demand([part(0, 100, found)], world.now, 'the last read'));
  let isDone = false;
  void last
    .finally(() => {
      isDone = true;
    })
    .catch(() => {});
  await scheduler.run(
    () => isDone && world.flying === 0,
    () => {},
  );
  await last;
  const { changes } = source.stats;
  await source.close();
  expectNothingLeft(tracker);
  expect(clock.pending).toBe(0);
  expect(left).toBeLessThanOrEqual(14);
  return { commits, changes, attempts, holds: tracker.stats.holds };
}

describe('readers, queries, writers and replacements in any order', () => {
  test('give out nothing of two versions, nothing older than the last change before the call, and leave nothing', {
    timeout: 60_000,
  }, async () => {
    const sum = { commits: 0, changes: 0, attempts: 0, holds: 0 };
    for (const seed of seeds(RUNS)) {
      const one = await run(seed);
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += one[name];
    }
    // The schedules do what they are for.
    expect(sum.commits).toBeGreaterThan(RUNS * 8);
    expect(sum.changes).toBeGreaterThan(RUNS);
    expect(sum.attempts).toBeGreaterThan(RUNS * 7);
    expect(sum.holds).toBeGreaterThan(RUNS / 4);
  });
});
