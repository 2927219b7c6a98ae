/**
 * The space against a table of plain bytes and words, one operation after the other; and against itself, many at once: what a
 * lookup commits is what is there in that turn.
 */
import { expect, test } from 'vitest';
import { ClosedError, type Range, RangeTracker } from '../../lib/index.js';
import {
  AllocationError,
  createSharedObject,
  PageFault,
  type Protection,
  SimulatedAddressSpace,
} from '../../lib/testing/index.js';
import { Watcher } from '../support/address-space.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { ManualClock } from '../support/model/clock.js';
import { Random, seeds } from '../support/model/random.js';
import { Scheduler } from '../support/model/scheduler.js';

const SIZE = 8;
const PAGES = 24;
/** Pages are remapped to behind the others. */
const PLACES = PAGES + 8;
/** Pages of the object that is shared. */
const OBJECT = 8;
const DEVICES = [{ name: 'one' }, { name: 'two' }, { name: 'three', coherent: true }];

/** What a page is, in the simplest words: its mapping, one byte for its content, and whether it was stored to. */
interface Plain {
  protection: Protection;
  byte: number;
}

/** A space, and the table that it must be the same as. */
interface Pair {
  readonly space: SimulatedAddressSpace;
  readonly plain: Map<number, Plain>;
}

class Model {
  readonly random: Random;
  readonly pairs: Pair[];
  #bytes = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    const stores = this.random.pick(['announced', 'silent'] as const);
    this.pairs = [{ space: new SimulatedAddressSpace({ pageSize: SIZE, hugePages: 4, stores }), plain: new Map() }];
  }

  /** One random operation, on the space and on the table; the table changes only if the space says that it has changed. */
  async step(): Promise<void> {
    const { random } = this;
    const pair = random.pick(this.pairs);
    if (random.chance(0.1)) pair.space.failAllocations(1);
    const change = await this.#operate(pair).catch((error) => {
      if (!(error instanceof AllocationError || error instanceof PageFault)) throw error;
      return undefined;
    });
    change?.();
    pair.space.failAllocations(0);
  }

  async #operate(pair: Pair): Promise<(() => void) | undefined> {
    const { random } = this;
    const { space, plain } = pair;
    const first = random.below(PAGES);
    const count = 1 + random.below(Math.min(8, PAGES - first));
    const range = space.pages(first, count);
    const pages = Array.from({ length: count }, (_, i) => first + i);
    const all = pages.every((page) => plain.has(page));
    const protection = random.pick(['none', 'read', 'read-write', 'read-write'] as const);
    switch (random.below(14)) {
      case 0:
        await space.map(range, { protection, huge: random.chance(0.5) });
        return () => each(pages, (page) => plain.set(page, { protection, byte: 0 }));
      case 1:
        await space.unmap(range);
        return () => each(pages, (page) => plain.delete(page));
      case 2:
        await space.protect(range, protection);
        expect(all).toBe(true);
        return () => each(pages, (page) => Object.assign(plain.get(page)!, { protection }));
      case 3: {
        const to = first < PAGES / 2 ? PAGES : 0; // out of the way, or to the front
        if (to < first + count && first < to + count) return undefined;
        const keep = random.chance(0.3);
        await space.remap(range, to * SIZE, { keep });
        expect(all).toBe(true);
        return () => {
          const moved = pages.map((page) => plain.get(page)!);
          for (const [i, page] of pages.entries()) {
            if (keep) plain.set(page, { ...moved[i]!, byte: 0 });
            else plain.delete(page);
          }
          for (const [i, one] of moved.entries()) plain.set(to + i, one);
        };
      }
      case 4:
      case 5: {
        const byte = ++this.#bytes % 251;
        await space.write(range.start, new Uint8Array(count * SIZE).fill(byte));
        expect(pages.every((page) => plain.get(page)?.protection === 'read-write')).toBe(true);
        return () => each(pages, (page) => Object.assign(plain.get(page)!, { byte }));
      }
      case 6:
        if (this.pairs.length > 2) await this.#exit(pair);
        this.pairs.push({
          space: await space.fork(),
          plain: new Map([...plain].map(([page, one]) => [page, { ...one }])),
        });
        return undefined;
      default:
        await this.#innocent(space, range);
        return undefined;
    }
  }

  /** Ends one of the other processes. */
  async #exit(pair: Pair): Promise<void> {
    const at = this.random.pick([0, 1, 2].filter((i) => this.pairs[i] !== pair));
    await this.pairs.splice(at, 1)[0]!.space.release();
  }

  /** What changes nothing that can be read. */
  async #innocent(space: SimulatedAddressSpace, range: { start: number; end: number }): Promise<unknown> {
    const device = this.random.pick(DEVICES);
    return this.random.pick([
      () => space.migrate(range, device),
      () => space.migrateBack(range, device),
      () => space.makeExclusive(range, device),
      () => space.collapse(range),
      () => space.split(range),
      () => space.swapOut(range),
      () => space.clearSoftDirty(),
      () => space.fault(range, { owner: device, write: this.random.chance(0.5) }),
      () => space.read(range.start, 1),
    ])();
  }

  /** Every page of every space is what its table says, and huge pages are whole. */
  async check(): Promise<void> {
    const numbers = Array.from({ length: PAGES + 8 }, (_, page) => page);
    for (const { space, plain } of this.pairs) {
      expect(await Promise.all(numbers.map((page) => describePage(space, page)))).toEqual(
        numbers.map((page) => describePlain(plain.get(page))),
      );
      const huge = space.snapshot(space.pages(0, numbers.length)).map((page) => page?.flags.huge ?? false);
      for (let first = 0; first < huge.length; first += 4) {
        if (huge.slice(first, first + 4).some((one) => one !== huge[first])) throw new Error(`the run at ${first} is half huge`);
      }
      expectNothingLeft(space.tracker);
    }
  }
}

function each<T>(items: readonly T[], apply: (item: T) => unknown): void {
  for (const item of items) apply(item);
}

function describePlain(plain: Plain | undefined): string {
  if (plain === undefined) return 'no-mapping';
  return plain.protection === 'none' ? 'not-readable' : `${plain.byte}`;
}

/** What a page shows. Looking should not change what is looked at: only what is not resident is faulted in. */
async function describePage(space: SimulatedAddressSpace, page: number): Promise<string> {
  const resident = space.snapshot(space.pages(page))[0];
  try {
    return [...new Set(resident?.read() ?? (await space.read(page * SIZE, SIZE)))].join(' and ');
  } catch (error) {
    if (error instanceof PageFault) return error.reason;
    throw error;
  }
}

test.each(seeds(20))('one after the other, operations do what a plain table does, or nothing (seed %i)', async (seed) => {
  const model = new Model(seed);
  for (let i = 0; i < 120; i++) {
    await model.step();
    await model.check();
  }
});

/** Spaces that share memory by forks and by an object, and what everybody may know of their pages. */
class World {
  readonly random: Random;
  readonly clock = new ManualClock();
  readonly scheduler: Scheduler;
  readonly object = createSharedObject({ pages: OBJECT });
  readonly spaces: SimulatedAddressSpace[] = [];
  readonly #watchers = new Map<SimulatedAddressSpace, Watcher>();
  #bytes = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.scheduler = new Scheduler(this.random, this.clock);
    // Two that are strangers: they have nothing in common but the object.
    for (let i = 0; i < 2; i++)
      this.#add(
        new SimulatedAddressSpace({
          tracker: this.#tracker(),
          pageSize: SIZE,
          hugePages: 4,
          pause: () => this.scheduler.pause(),
        }),
      );
  }

  check(): void {
    for (const watcher of this.#watchers.values()) watcher.check(PLACES);
  }

  range(space: SimulatedAddressSpace): { first: number; count: number; range: Range } {
    const first = this.random.below(PAGES);
    const count = 1 + this.random.below(Math.min(6, PAGES - first));
    return { first, count, range: space.pages(first, count) };
  }

  /** One random operation. */
  async operate(): Promise<void> {
    const { random, object } = this;
    const space = random.pick(this.spaces);
    const { range, count } = this.range(space);
    const device = random.pick(DEVICES);
    const store = () => space.write(range.start, new Uint8Array(range.end - range.start).fill(++this.#bytes));
    const offset = random.below(OBJECT - count + 1);
    const operation = random.pick([
      () => space.map(range),
      () => space.map(space.pages(0, PAGES / 2), { huge: true }),
      () => space.map(range, { object, offset, shared: random.chance(0.5) }),
      () => space.unmap(range),
      () => space.protect(range, random.pick(['none', 'read', 'read-write'])),
      () => space.protect(range, 'read-write'),
      store,
      store,
      store,
      () => space.read(range.start, range.end - range.start),
      () => space.migrate(range, device),
      () => space.migrateBack(range, device),
      () => space.makeExclusive(range, device),
      () => space.tracker.lookup(range, () => space.fault(range, { owner: device, write: random.chance(0.5) })),
      () => space.collapse(range),
      () => space.collapse(space.pages(0, PAGES)),
      () => space.split(range),
      () => space.swapOut(range),
      () => space.clearSoftDirty(),
      () => object.truncate(1 + random.below(OBJECT)),
      () => this.#fork(space),
      () => space.remap(range, PAGES * SIZE, { keep: random.chance(0.3) }),
    ]);
    await operation().catch(expectFault);
  }

  /** A lookup commits what is there in that turn. */
  async read(): Promise<boolean> {
    const space = this.random.pick(this.spaces);
    const { first, count, range } = this.range(space);
    let committed = false;
    const commit = (copies: Awaited<ReturnType<typeof space.readPages>>) => {
      const now = space.snapshot(range);
      expect(copies.map(({ generation }) => generation)).toEqual(now.map((page) => page?.generation));
      expect(copies.every(({ bytes }) => new Set(bytes).size === 1)).toBe(true);
      committed = true;
    };
    await space.tracker.lookup(range, () => space.readPages(first, count), { commit }).catch(expectFault);
    return committed;
  }

  async #fork(space: SimulatedAddressSpace): Promise<void> {
    if (this.spaces.length > 3) {
      const [old] = this.spaces.splice(2, 1);
      this.#watchers.delete(old!);
      await old!.release();
      return;
    }
    const child = await space.fork({ tracker: this.#tracker() });
    this.#add(child);
  }

  #add(space: SimulatedAddressSpace): void {
    this.spaces.push(space);
    this.#watchers.set(space, new Watcher(space));
  }

  #tracker(): RangeTracker {
    return new RangeTracker({ clock: this.clock });
  }
}

test.each(seeds(60))('many at once, nothing changes unannounced, and what a lookup commits is whole (seed %i)', async (seed) => {
  const world = new World(seed);
  const { scheduler, spaces } = world;
  let committed = 0;
  let running = 0;
  const party = async (step: () => Promise<boolean | void>) => {
    for (let i = 0; i < 12; i++) {
      await scheduler.pause();
      if ((await step()) === true) committed++;
    }
  };
  const operate = () => world.operate();
  const read = () => world.read();
  const work = async () => {
    await Promise.all(spaces.map((space) => space.map(space.pages(0, PAGES))));
    await Promise.all([operate, operate, operate, operate, read, read].map(party));
  };
  running++;
  const all = work().finally(() => running--);
  all.catch(() => {}); // it is awaited below
  // A fault outlives the lookup that gave up on it: it has to come to its end, too.
  await scheduler.run(
    () => running === 0 && spaces.every((space) => space.tracker.activeCount === 0),
    () => world.check(),
  );
  await all;
  expect(committed).toBeGreaterThan(0);
  // One of them is the watcher's.
  for (const space of spaces) expectNothingLeft(space.tracker, { clock: world.clock, subscribed: 1 });
});

function expectFault(error: unknown): void {
  // A hold that its own fault had to wait for ran out: see the contract.
  if (error instanceof Error && error.name === 'RetryLimitError') return;
  if (error instanceof ClosedError) return;
  expect(error).toBeInstanceOf(PageFault);
  expect((error as PageFault).reason).not.toBe('freed');
  expect((error as PageFault).reason).not.toBe('torn');
}
