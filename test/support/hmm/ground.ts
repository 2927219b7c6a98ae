/**
 * Ground: what every case stands on: a space, two devices, and buffers of 1,024 pages of 4 KiB.
 */
import { expect } from 'vitest';
import { type Range, RangeTracker } from '../../../lib/index.js';
import { SimulatedAddressSpace } from '../../../lib/testing/index.js';
import { ManualClock } from '../model/clock.js';
import { Device, type Memory, type Sight } from './device.js';
import type { Variant } from './tables.js';

/** Bytes of a page. */
export const PAGE = 4096;
/** Pages of a buffer. */
export const PAGES = 1024;
/** Pages of a huge page. */
export const HUGE = 512;
/** How often the cases that repeat themselves do so. */
export const REPEATS = 10;

/** Where a buffer begins, if nothing else is said: on the grid of huge pages. */
const BASE = 2 * HUGE;

/** Some content: consecutive numbers, the first of which says which content it is. */
export function content(first: number, pages = PAGES): Uint8Array {
  const numbers = new Uint32Array((pages * PAGE) / 4); // filled by a loop: `from` takes ten times as long
  for (let i = 0; i < numbers.length; i++) numbers[i] = first + i;
  return new Uint8Array(numbers.buffer);
}

/** Every choice of one value for each name, the last name first. */
export function combinations<T extends Record<string, readonly unknown[]>>(values: T): { [K in keyof T]: T[K][number] }[] {
  let all: Record<string, unknown>[] = [{}];
  for (const [name, list] of Object.entries(values)) all = all.flatMap((one) => list.map((value) => ({ ...one, [name]: value })));
  return all as { [K in keyof T]: T[K][number] }[];
}

/** Fails unless both are the same; of megabytes, the first difference is enough to know. */
export function expectSame(got: Uint8Array, wanted: Uint8Array): void {
  expect(got.length).toBe(wanted.length);
  if (Buffer.compare(got, wanted) === 0) return;
  const at = got.findIndex((byte, i) => byte !== wanted[i]);
  expect({ at, page: Math.floor(at / PAGE), byte: got[at] }).toEqual({ at, page: Math.floor(at / PAGE), byte: wanted[at] });
}

/** See the top of the file. */
export class Ground {
  /** Stands still: nothing may be saved by a time limit. */
  readonly clock: ManualClock = new ManualClock();
  readonly variant: Variant;
  /** Of all devices. */
  readonly memory: Memory;
  readonly space: SimulatedAddressSpace;
  readonly devices: Device[] = [];

  constructor(variant: Variant, memory: Memory) {
    this.variant = variant;
    this.memory = memory;
    const tracker = new RangeTracker({ clock: this.clock });
    this.space = new SimulatedAddressSpace({ tracker, pageSize: PAGE, hugePages: HUGE, stores: 'silent' });
  }

  /** Opens a device on the space, or on another one. */
  open(space: SimulatedAddressSpace = this.space): Device {
    const device = new Device(space, { variant: this.variant, memory: this.memory });
    this.devices.push(device);
    return device;
  }

  /** A second process. */
  fork(): Promise<SimulatedAddressSpace> {
    return this.space.fork({ tracker: new RangeTracker({ clock: this.clock }) });
  }

  /** Range of so many pages from the first page of the buffer on. */
  at(first: number, count = 1): Range {
    return this.space.pages(BASE + first, count);
  }

  /** The whole buffer. */
  get buffer(): Range {
    return this.at(0, PAGES);
  }

  /** A new buffer, stored to by the processor. */
  async filled(bytes: Uint8Array = content(1)): Promise<Range> {
    await this.space.map(this.buffer);
    await this.space.write(this.buffer.start, bytes);
    return this.buffer;
  }

  /** A new run of one huge page, if that is wanted, stored to by the processor. */
  async run(bytes: Uint8Array, { huge }: { huge: boolean }): Promise<Range> {
    const range = this.at(0, bytes.length / PAGE);
    await this.space.map(range, { huge });
    await this.space.write(range.start, bytes);
    return range;
  }

  /** Fails unless each page of the range looks the same to the device. */
  async expectAll(device: Device, range: Range, sight: Sight): Promise<void> {
    expect(new Set(await device.snapshot(range))).toEqual(new Set([sight]));
  }

  /** What the processor sees. */
  see({ start, end }: Range): Promise<Uint8Array> {
    return this.space.read(start, end - start);
  }

  /** So far nobody has had to wait, and nothing has been got twice. */
  expectQuiet(): void {
    expect(this.space.tracker.stats.waits).toBe(0);
    expect(this.devices.reduce((sum, { table }) => sum + table.retries, 0)).toBe(0);
  }
}
