/**
 * Cases about memory that a device has: in its own memory, or for itself.
 */
import { expect } from 'vitest';
import type { Case } from './cases-anonymous.js';
import { errno } from './device.js';
import { content, expectSame, type Ground, HUGE, PAGE, PAGES, REPEATS } from './ground.js';

/** What every byte that begins a page is after the processor has added one to it. */
async function increment(space: Ground['space'], first: number, count: number): Promise<void> {
  for (let page = first; page < first + count; page++) {
    const [byte] = await space.read(page * PAGE, 1);
    await space.write(page * PAGE, Uint8Array.of(byte! + 1));
  }
}

function incremented(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  for (let at = 0; at < copy.length; at += PAGE) copy[at]!++;
  return copy;
}

/** See the top of the file. */
export const DEVICES = {
  async migrate(ground) {
    const device = ground.open();
    const bytes = content(20);
    const buffer = await ground.filled(bytes);
    expect(await device.migrate(buffer)).toBe(PAGES);
    expectSame(await device.read(buffer), bytes);
    expect(new Set(await device.snapshot(buffer))).toEqual(new Set(['local']));
    expect(device.table.faults).toBe(1);
    ground.expectQuiet();
  },

  async migrate_fault(ground) {
    const device = ground.open();
    const bytes = content(21);
    const buffer = await ground.filled(bytes);
    for (let i = 0; i < 2; i++) {
      expect(await device.migrate(buffer)).toBe(PAGES);
      expectSame(await device.read(buffer), bytes);
      expectSame(await ground.see(buffer), bytes); // the processor's fault brings it back
      expect(new Set(await device.snapshot(buffer))).toEqual(new Set(['write']));
      expect(device.table.faults).toBe(i + 1);
    }
    ground.expectQuiet();
  },

  async migrate_release(ground) {
    const device = ground.open();
    const bytes = content(22);
    const buffer = await ground.filled(bytes);
    expect(await device.migrate(buffer)).toBe(PAGES);
    expectSame(await device.read(buffer), bytes);
    await device.close(buffer);
    const { begins } = ground.space.tracker.stats;
    expectSame(await ground.see(buffer), bytes);
    expect(ground.space.tracker.stats.begins).toBe(begins); // nothing was left in the device
  },

  async migrate_multiple(ground) {
    const device = ground.open();
    for (let i = 0; i < REPEATS; i++) {
      const bytes = content(i);
      const buffer = await ground.filled(bytes);
      expect(await device.migrate(buffer)).toBe(PAGES);
      expectSame(await device.read(buffer), bytes);
      expect(device.table.faults).toBe(i + 1);
      expectSame(await ground.see(buffer), bytes);
      await ground.space.unmap(buffer);
    }
    ground.expectQuiet();
  },

  async migrate_mixed(ground) {
    const [one, two] = [ground.open(), ground.open()];
    const bytes = content(23, 6);
    const { space } = ground;
    await space.map(ground.at(1, 5)); // page 0 is a hole
    await space.write(ground.at(3).start, bytes.subarray(3 * PAGE));
    await ground.see(ground.at(2));
    await space.protect(ground.at(1, 2), 'read');
    await space.protect(ground.at(4), 'read');
    expect(await two.migrate(ground.at(0))).toBe(0);
    expect(await two.migrate(ground.at(2, 4))).toBe(4);
    expect(await two.migrate(ground.at(5))).toBe(0);
    expect(await one.migrate(ground.at(5))).toBe(0); // it is in the other device
    expectSame(await one.read(ground.at(5)), bytes.subarray(5 * PAGE));
    expect(one.table.faults).toBe(1);
    expect(await two.snapshot(ground.at(0, 6))).toEqual(['none', 'none', 'local', 'local', 'local', 'write']);
    expectSame(await ground.see(ground.at(3, 3)), bytes.subarray(3 * PAGE));
  },

  async snapshot(ground) {
    const [one, two] = [ground.open(), ground.open()];
    const { space } = ground;
    await space.map(ground.at(1, 7)); // page 0 is a hole
    await space.protect(ground.at(1), 'none');
    await ground.see(ground.at(2)); // page 2 is the page of zeros
    await space.write(ground.at(3).start, content(24, 4));
    await space.protect(ground.at(3), 'read');
    expect(await one.migrate(ground.at(5))).toBe(1);
    expect(await two.migrate(ground.at(6))).toBe(1);
    const sights = ['none', 'none', 'zero', 'read', 'write', 'local', 'foreign', 'none'];
    expect(await one.snapshot(ground.at(0, 8))).toEqual(sights);
    expect(one.table.faults).toBe(0);
    ground.expectQuiet();
  },

  async exclusive(ground) {
    const device = ground.open();
    const bytes = content(25);
    const buffer = await ground.filled(bytes);
    expect(await device.exclusive(buffer)).toBe(PAGES);
    expect(device.exclusivePages(buffer)).toBe(PAGES);
    expectSame(await device.read(buffer), bytes);
    await increment(ground.space, buffer.start / PAGE, PAGES);
    expectSame(await ground.see(buffer), incremented(bytes));
    expect(device.exclusivePages(buffer)).toBe(0);
    expectSame(await device.read(buffer), incremented(bytes));
    expect(device.table.faults).toBe(2);
  },

  async exclusive_mprotect(ground) {
    const device = ground.open();
    const bytes = content(26);
    const buffer = await ground.filled(bytes);
    expect(await device.exclusive(buffer)).toBe(PAGES);
    await ground.space.protect(buffer, 'read');
    expect(await errno(device.write(buffer, content(27)))).toBe('EPERM');
    expectSame(await ground.see(buffer), bytes);
  },

  async exclusive_cow(ground) {
    const device = ground.open();
    const bytes = content(28);
    const buffer = await ground.filled(bytes);
    expect(await device.exclusive(buffer)).toBe(PAGES);
    const child = await ground.fork();
    expect(device.exclusivePages(buffer)).toBe(0);
    const first = buffer.start / PAGE;
    await Promise.all([increment(ground.space, first, PAGES), increment(child, first, PAGES)]);
    expectSame(await ground.see(buffer), incremented(bytes));
    expectSame(await child.read(buffer.start, PAGES * PAGE), incremented(bytes));
  },

  async migrate_partial_unmap_fault(ground) {
    const device = ground.open();
    const hole = HUGE / 4;
    for (const at of [0, hole, HUGE - hole]) {
      const bytes = content(29);
      const buffer = await ground.filled(bytes);
      await ground.space.collapse(buffer);
      expect(await device.migrate(buffer)).toBe(PAGES);
      expectSame(await device.read(buffer), bytes);
      await ground.space.unmap(ground.at(at, hole));
      expect(await errno(device.read(ground.at(at)))).toBe('EFAULT');
      for (const [first, end] of [
        [0, at],
        [at + hole, PAGES],
      ] as const) {
        if (first < end) expectSame(await ground.see(ground.at(first, end - first)), bytes.subarray(first * PAGE, end * PAGE));
      }
      await ground.space.unmap(buffer);
    }
  },

  async migrate_remap_fault(ground) {
    const device = ground.open();
    for (const shift of [2 * PAGES, 2 * PAGES + 1, 2 * PAGES + HUGE / 2]) {
      const bytes = content(30);
      const buffer = await ground.filled(bytes);
      await ground.space.collapse(buffer);
      expect(await device.migrate(buffer)).toBe(PAGES);
      const moved = ground.at(shift, PAGES);
      await ground.space.remap(buffer, moved.start);
      expect(await errno(device.read(buffer))).toBe('EFAULT');
      expectSame(await device.read(moved), bytes);
      expectSame(await ground.see(moved), bytes);
      await ground.space.unmap(moved);
    }
  },

  async migrate_anon_huge_err(ground) {
    const device = ground.open();
    const bytes = content(31);
    const buffer = await ground.filled(bytes);
    await ground.space.collapse(buffer);
    ground.space.failAllocations(1); // no memory in one piece: page by page, then
    expect(await device.migrate(buffer)).toBe(PAGES);
    expectSame(await device.read(buffer), bytes);
    expect(device.table.faults).toBe(1);
    ground.space.failAllocations(1);
    await expect(ground.see(ground.at(HUGE + 7))).rejects.toMatchObject({ name: 'AllocationError' });
    expectSame(await ground.see(buffer), bytes);
    expect(new Set(await device.snapshot(buffer))).toEqual(new Set(['write']));
  },
} satisfies Record<string, Case>;
