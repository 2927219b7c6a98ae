/**
 * Race: two devices and a host on one space, under a schedule that a seed decides. Small pages, so that a thousand runs take
 * seconds; every look at a page is compared, in its very turn, with what has to be there.
 */
import { expect } from 'vitest';
import { RangeTracker, RetryLimitError } from '../../../lib/index.js';
import { PageFault, SimulatedAddressSpace } from '../../../lib/testing/index.js';
import { ManualClock } from '../model/clock.js';
import { Random } from '../model/random.js';
import { Scheduler } from '../model/scheduler.js';
import { Device } from './device.js';
import { WINDOW } from './tables.js';

/** Bytes of a page: its content is its version, everywhere. */
const PAGE = 16;
/** Pages of the buffer: two windows. */
const PAGES = 2 * WINDOW;
/** Jitter, in steps of the schedule; in the kernel's suite, up to 32 µs. */
const JITTER = 32;

/** Counted over many runs, to see that the races were ones. */
export interface RaceCounts {
  /** Windows that a device saw whole. */
  seen: number;
  /** Windows that were gone. */
  gone: number;
  /** Pages got again because an invalidation hit them. */
  retries: number;
  /** Readers that had to wait. */
  waits: number;
  /** Accesses that held the pages, and whose own fault had to copy one: a begin that waits for its own hold, until it runs out. */
  limits: number;
}

/** All zero. */
export function newCounts(): RaceCounts {
  return { seen: 0, gone: 0, retries: 0, waits: 0, limits: 0 };
}

/** One run. */
export class Race {
  readonly space: SimulatedAddressSpace;
  readonly devices: readonly Device[];
  readonly random: Random;
  readonly counts: RaceCounts;
  /** The version that each page has in this very turn. */
  readonly versions: number[] = new Array(PAGES).fill(1);
  readonly #scheduler: Scheduler;

  constructor(seed: number, counts: RaceCounts) {
    const clock = new ManualClock();
    this.random = new Random(seed);
    this.#scheduler = new Scheduler(this.random, clock);
    const pause = () => this.pause();
    const tracker = new RangeTracker({ clock });
    this.space = new SimulatedAddressSpace({ tracker, pageSize: PAGE, hugePages: 16, stores: 'silent', pause });
    const memory = this.random.pick(['private', 'private', 'coherent'] as const);
    this.devices = [0, 1].map(() => new Device(this.space, { variant: 'retry', memory, pause }));
    this.counts = counts;
  }

  pause(): Promise<void> {
    return this.#scheduler.pause();
  }

  async jitter(): Promise<void> {
    for (let steps = this.random.below(JITTER); steps > 0; steps--) await this.pause();
  }

  /** A window at a random place of the buffer. */
  window(): { first: number; count: number } {
    const count = 1 + this.random.below(WINDOW);
    return { first: this.random.below(PAGES - count + 1), count };
  }

  /** Runs the parties to their ends, and looks that nothing is left. */
  async run(...parties: ((race: this) => Promise<void>)[]): Promise<void> {
    let settled = false;
    const fill = async () => {
      await this.space.map(this.space.pages(0, PAGES));
      await this.space.write(0, new Uint8Array(PAGES * PAGE).fill(1));
      await Promise.all(parties.map((party) => party(this)));
    };
    const all = fill().finally(() => {
      settled = true;
    });
    all.catch(() => {}); // it is awaited below
    // A fault outlives the access that gave up on it: it has to come to its end, too.
    await this.#scheduler.run(
      () => settled && this.space.tracker.inspect().sections.length === 0,
      () => {},
    );
    await all;
    const { sections, holds, waiting } = this.space.tracker.inspect();
    expect({ sections, holds, waiting }).toEqual({ sections: [], holds: [], waiting: 0 });
    this.counts.waits += this.space.tracker.stats.waits;
    for (const { table } of this.devices) this.counts.retries += table.retries;
  }

  /** A device looks at a window: what it sees is what is there, or nothing is. */
  async look(device: Device): Promise<boolean> {
    const { first, count } = this.window();
    return this.#access(() =>
      device.table.access({ range: this.space.pages(first, count), write: false }, (pages) => {
        for (const page of pages) {
          const version = this.versions[page.page]!;
          const bytes = page.read();
          if (!bytes.every((byte) => byte === version)) throw new Error(`page ${page.page} is ${bytes}; expected all ${version}`);
        }
      }),
    );
  }

  /** A device stores a version of its own to a window. */
  async store(device: Device, version: number): Promise<boolean> {
    const { first, count } = this.window();
    return this.#access(() =>
      device.table.access({ range: this.space.pages(first, count), write: true }, (pages) => {
        for (const page of pages) {
          page.write(new Uint8Array(PAGE).fill(version));
          this.versions[page.page] = version;
        }
      }),
    );
  }

  async #access(access: () => Promise<void>): Promise<boolean> {
    try {
      await access();
      this.counts.seen++;
      return true;
    } catch (error) {
      if (error instanceof RetryLimitError) {
        this.counts.limits++;
        return true;
      }
      if (!(error instanceof PageFault)) throw error;
      expect(['no-mapping', 'not-writable']).toContain(error.reason);
      this.counts.gone++;
      return false;
    }
  }
}

/** A device looks until nothing is left. */
export const reader = (at: number) => async (race: Race) => {
  const device = race.devices[at]!;
  for (let left = 0; left < 2; ) {
    await race.pause();
    if (!(await race.look(device))) left++;
  }
};

/** The host takes the buffer away: at once, or in pieces. */
export async function teardown(race: Race): Promise<void> {
  const { space, random } = race;
  const pieces = random.pick([1, 2, 8]);
  for (let i = 0; i < pieces; i++) {
    await race.jitter();
    await space.unmap(space.pages((i * PAGES) / pieces, PAGES / pieces));
  }
  for (const { table } of race.devices) {
    for (let page = 0; page < PAGES; page++) if (table.peek(page) !== undefined) throw new Error(`page ${page} was kept`);
  }
}

/** A device looks and stores a few times. */
export const user = (at: number) => async (race: Race) => {
  const device = race.devices[at]!;
  for (let i = 0; i < 4; i++) {
    await race.pause();
    if (race.random.chance(0.5)) await race.look(device);
    else await race.store(device, 10 * (at + 1) + i);
  }
};

/** The host does what changes no content, here and there. */
export async function innocents(race: Race): Promise<void> {
  const { space, random, devices } = race;
  for (let i = 0; i < 4; i++) {
    await race.pause();
    const { first, count } = race.window();
    const range = space.pages(first, count);
    const device = random.pick(devices);
    const innocent = random.pick([
      () => space.protect(range, 'read'),
      () => space.protect(range, 'read-write'),
      () => device.migrate(range),
      () => device.evict(range),
      () => space.makeExclusive(range, device),
      () => space.collapse(range),
      () => space.split(range),
      () => space.swapOut(range),
      () => space.clearSoftDirty(),
      () => space.read(range.start, 1),
    ]);
    await innocent().catch((error) => {
      // Somebody who wants to have what may not be stored to.
      if (!(error instanceof PageFault && error.reason === 'not-writable')) throw error;
    });
  }
}

/** The host forks once; in the end, the child has what was there when it was made. */
export async function forker(race: Race): Promise<void> {
  const { space } = race;
  await race.jitter();
  let then: number[] | undefined;
  const watch = space.tracker.subscribe(space.pages(0, PAGES), {
    invalidate() {},
    end({ kind }) {
      if (kind === 'protection-page') then = [...race.versions];
    },
  });
  const child = await space.fork();
  watch.close();
  const wanted = bytesOf(then ?? race.versions); // all was read-only: nothing to announce, and nobody can have stored
  await race.jitter();
  const bytes = await child.read(0, PAGES * PAGE);
  expect(Buffer.compare(bytes, wanted)).toBe(0);
}

function bytesOf(versions: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: PAGES * PAGE }, (_, i) => versions[Math.floor(i / PAGE)]!);
}

/** A device that asks nobody: whether it was caught with a page that it should have dropped. */
export async function careless(race: Race): Promise<boolean> {
  const { space } = race;
  try {
    const pages = await space.fault(space.pages(0, PAGES));
    await race.jitter();
    for (const page of pages) page.read();
    return false;
  } catch (error) {
    if (!(error instanceof PageFault)) throw error;
    return error.reason === 'freed' || error.reason === 'torn';
  }
}
