/**
 * Cases about memory that a device has: in its own memory, or for itself.
 */
import { expect } from 'vitest';
import { createSharedObject } from '../../../lib/testing/index.js';
import { turns } from '../turns.js';
import type { Case } from './cases-anonymous.js';
import { errno } from './device.js';
import { combinations, content, expectSame, type Ground, HUGE, PAGE, PAGES, REPEATS } from './ground.js';

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

/** Zeros. */
const nothing = (pages: number) => new Uint8Array(pages * PAGE);

/** See the top of the file. */
export const DEVICES = {
  async migrate(ground) {
    const device = ground.open();
    const bytes = content(20);
    const buffer = await ground.filled(bytes);
    expectSame(await device.take(buffer), bytes);
    await ground.expectAll(device, buffer, 'local write');
    expect(device.table.faults).toBe(1);
    ground.expectQuiet();
  },

  async migrate_file_private(ground) {
    const device = ground.open();
    const bytes = content(32);
    const file = createSharedObject({ pages: PAGES, label: 'file' });
    await ground.space.map(ground.buffer, { object: file });
    await ground.space.write(ground.buffer.start, bytes);
    expectSame(await device.take(ground.buffer), bytes);
    await ground.expectAll(device, ground.buffer, 'local write');
    expectSame(await ground.see(ground.buffer), bytes);
    await ground.space.map(ground.at(PAGES, PAGES), { object: file });
    expectSame(await ground.see(ground.at(PAGES, PAGES)), nothing(PAGES)); // the file itself is as it was
    expect(await errno(device.take(ground.at(PAGES, PAGES)))).toBe('ENOENT'); // and stays where it is
  },

  async migrate_fault(ground) {
    const device = ground.open();
    const bytes = content(21);
    const buffer = await ground.filled(bytes);
    const half = ground.at(0, PAGES / 2);
    expectSame(await device.take(buffer), bytes);
    // The processor's fault brings half of it back, if it has to; then the mix goes to the device.
    expectSame(await ground.see(half), bytes.subarray(0, bytes.length / 2));
    await ground.expectAll(device, half, ground.memory === 'coherent' ? 'local write' : 'write');
    await ground.expectAll(device, ground.at(PAGES / 2, PAGES / 2), 'local write');
    expect(await device.migrate(buffer)).toBe(ground.memory === 'coherent' ? 0 : PAGES / 2);
    expectSame(await device.take(buffer), bytes);
    await ground.expectAll(device, buffer, 'local write');
    expect(device.table.faults).toBe(2);
    ground.expectQuiet();
  },

  async migrate_release(ground) {
    const device = ground.open();
    const bytes = content(22);
    const buffer = await ground.filled(bytes);
    expectSame(await device.take(buffer), bytes);
    await device.close(buffer);
    const { begins } = ground.space.tracker.stats;
    expectSame(await ground.see(buffer), bytes);
    expect(ground.space.tracker.stats.begins).toBe(begins); // nothing was left in the device
  },

  async migrate_shared(ground) {
    const device = ground.open();
    await ground.space.map(ground.buffer, { object: createSharedObject({ pages: PAGES }), shared: true });
    expect(await errno(device.take(ground.buffer))).toBe('ENOENT');
    await ground.space.write(ground.buffer.start, content(33));
    expect(await errno(device.take(ground.buffer))).toBe('ENOENT');
    expectSame(await ground.see(ground.buffer), content(33));
  },

  async migrate_multiple(ground) {
    const device = ground.open();
    for (let i = 0; i < REPEATS; i++) {
      const bytes = content(i);
      const buffer = await ground.filled(bytes);
      expectSame(await device.take(buffer), bytes);
      expect(device.table.faults).toBe(i + 1);
      if (ground.memory === 'coherent') expect(await device.evict(buffer)).toBe(PAGES);
      expectSame(await ground.see(buffer), bytes);
      await ground.expectAll(device, buffer, 'write');
      await ground.space.unmap(buffer);
    }
    ground.expectQuiet();
  },

  async migrate_mixed(ground) {
    const [one, two] = [ground.open(), ground.open()];
    const bytes = content(23, 6);
    const { space } = ground;
    await space.map(ground.at(0, 6), { protection: 'none' });
    expect(await errno(two.take(ground.at(0, 6)))).toBe('EINVAL');
    await space.unmap(ground.at(1));
    expect(await errno(two.take(ground.at(0, 3)))).toBe('EINVAL');
    await space.protect(ground.at(2), 'read');
    expectSame(await ground.see(ground.at(2)), nothing(1));
    await space.protect(ground.at(3, 3), 'read-write');
    await space.write(ground.at(3).start, bytes.subarray(3 * PAGE));
    await space.protect(ground.at(3), 'read');
    const before = space.tracker.stats.begins;
    expect(await errno(two.take(ground.at(0, 6)))).toBe('EINVAL'); // a page that may not be read
    await space.protect(ground.at(0), 'read');
    expect(await errno(two.take(ground.at(0, 6)))).toBe('EINVAL'); // a hole
    expect(space.tracker.stats.begins).toBe(before + 1); // the protection's: what must not be is not announced
    expect(await two.snapshot(ground.at(0, 6))).toEqual(['none', 'none', 'zero read', 'read', 'write', 'write']);
    expect(await two.migrate(ground.at(2, 4))).toBe(4);
    await two.take(ground.at(2, 4));
    expect(await errno(one.take(ground.at(5)))).toBe('ENOENT'); // it is in the other device
    expectSame(await one.read(ground.at(5)), bytes.subarray(5 * PAGE));
    expect(one.table.faults).toBe(1);
    const last = ground.memory === 'coherent' ? 'local write' : 'write';
    const sights = ['none', 'none', 'local read', 'local read', 'local write', last];
    expect(await two.snapshot(ground.at(0, 6))).toEqual(sights);
    expectSame(await ground.see(ground.at(3, 3)), bytes.subarray(3 * PAGE));
  },

  async snapshot(ground) {
    const [one, two] = [ground.open(), ground.open()];
    const { space } = ground;
    await space.map(ground.at(0, 7), { protection: 'none' });
    await space.unmap(ground.at(1));
    await space.protect(ground.at(2), 'read');
    await ground.see(ground.at(2)); // page 2 is the page of zeros
    await space.protect(ground.at(3, 4), 'read-write');
    await space.write(ground.at(3).start, content(24, 2));
    await space.protect(ground.at(3), 'read');
    expect(await one.migrate(ground.at(5))).toBe(1); // nobody has touched it yet
    expect(await two.migrate(ground.at(6))).toBe(1);
    const remote = ground.memory === 'coherent' ? 'remote write' : 'none';
    const sights = ['none', 'none', 'zero read', 'read', 'write', 'local write', remote];
    expect(await one.snapshot(ground.at(0, 7))).toEqual(sights);
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
    expectSame(await device.read(buffer), bytes);
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

  async hmm_cow_in_device(ground) {
    const device = ground.open();
    const bytes = content(34, 4);
    const buffer = ground.at(0, 4);
    await ground.space.map(buffer);
    await ground.space.write(buffer.start, bytes);
    expectSame(await device.take(buffer), bytes);
    const child = await ground.fork();
    await ground.space.write(buffer.start, content(35, 4));
    expectSame(await child.read(buffer.start, 4 * PAGE), bytes);
    await child.release();
    await ground.expectAll(device, buffer, 'write'); // the copies are the host's
    expectSame(await ground.see(buffer), content(35, 4));
  },

  async migrate_anon_huge_empty(ground) {
    const device = ground.open();
    const run = ground.at(0, HUGE);
    await ground.space.map(run, { protection: 'read', huge: true });
    expectSame(await device.take(run), nothing(HUGE));
    await ground.expectAll(device, run, 'local read huge');
  },

  async migrate_anon_huge_zero(ground) {
    const device = ground.open();
    const run = ground.at(0, HUGE);
    await ground.space.map(run, { protection: 'read', huge: true });
    expectSame(await ground.see(ground.at(0)), nothing(1));
    await ground.expectAll(device, run, 'zero read huge');
    expectSame(await device.take(run), nothing(HUGE));
    await ground.expectAll(device, run, 'local read huge');
    expectSame(await ground.see(run), nothing(HUGE));
  },

  async migrate_anon_huge_fault(ground) {
    const device = ground.open();
    const bytes = content(36, HUGE);
    const run = await ground.run(bytes, { huge: false });
    expect(await ground.space.collapse(run)).toBe(1);
    expectSame(await device.take(run), bytes);
    await ground.expectAll(device, run, 'local write huge');
    expectSame(await ground.see(ground.at(3)), bytes.subarray(3 * PAGE, 4 * PAGE)); // one page, and all of it comes
    await ground.expectAll(device, run, ground.memory === 'coherent' ? 'local write huge' : 'write huge');
    expectSame(await ground.see(run), bytes);
  },

  async migrate_anon_huge_err(ground) {
    const device = ground.open();
    const bytes = content(31, HUGE);
    let run = await ground.run(bytes, { huge: true });
    ground.space.failAllocations(1); // no memory in one piece: page by page, then
    expectSame(await device.take(run), bytes);
    await ground.expectAll(device, run, 'local write');
    expectSame(await ground.see(ground.at(2)), bytes.subarray(2 * PAGE, 3 * PAGE));
    for (const way of ['evict', 'touch'] as const) {
      await ground.space.unmap(run);
      run = await ground.run(bytes, { huge: true });
      expectSame(await device.take(run), bytes);
      await ground.expectAll(device, run, 'local write huge');
      ground.space.failAllocations(1);
      // The same on the way back; a touch of coherent memory brings nothing back.
      if (way === 'evict') expect(await device.evict(run)).toBe(HUGE);
      else expectSame(await ground.see(ground.at(2)), bytes.subarray(2 * PAGE, 3 * PAGE));
      ground.space.failAllocations(0);
      await ground.expectAll(device, run, way === 'touch' && ground.memory === 'coherent' ? 'local write huge' : 'write');
      expectSame(await ground.see(run), bytes);
    }
  },

  async migrate_anon_huge_zero_err(ground) {
    const device = ground.open();
    const run = ground.at(0, HUGE);
    const { space } = ground;
    await space.map(run, { protection: 'read', huge: true });
    space.failAllocations(1);
    expectSame(await device.take(run), nothing(HUGE));
    await ground.expectAll(device, run, 'local read');
    expectSame(await ground.see(ground.at(2)), nothing(1));
    await space.unmap(run);
    await space.map(run, { protection: 'read', huge: true });
    await ground.see(ground.at(0));
    await ground.expectAll(device, run, 'zero read huge');
    space.failAllocations(1);
    expectSame(await device.take(run), nothing(HUGE));
    await ground.expectAll(device, run, 'local read');
    expectSame(await ground.see(run), nothing(HUGE));
  },

  async migrate_partial_unmap_fault(ground) {
    const device = ground.open();
    const hole = HUGE / 2;
    for (const { huge, at } of combinations({ huge: [false, true], at: [0, HUGE / 4, HUGE / 2] })) {
      const bytes = content(29, HUGE);
      const run = await ground.run(bytes, { huge });
      expectSame(await device.take(run), bytes);
      await ground.space.unmap(ground.at(at, hole));
      expect(await errno(device.read(ground.at(at)))).toBe('EFAULT');
      for (const [first, end] of [
        [0, at],
        [at + hole, HUGE],
      ] as const) {
        if (first < end) expectSame(await ground.see(ground.at(first, end - first)), bytes.subarray(first * PAGE, end * PAGE));
      }
      await ground.space.unmap(run);
    }
  },

  async migrate_remap_fault(ground) {
    const device = ground.open();
    const shifts = [0, HUGE / 4, HUGE / 2];
    const choices = combinations({ before: [false, true], keep: [false, true], huge: [false, true], shift: shifts });
    for (const { before, keep, huge, shift } of choices) {
      const bytes = content(30, HUGE);
      const run = await ground.run(bytes, { huge });
      const moved = ground.at(HUGE + shift, HUGE);
      if (before) await ground.space.remap(run, moved.start, { keep });
      expectSame(await device.take(before ? moved : run), bytes);
      if (!before) await ground.space.remap(run, moved.start, { keep });
      expectSame(await ground.see(moved), bytes);
      expectSame(await device.read(moved), bytes);
      if (keep) expectSame(await device.read(run), nothing(HUGE));
      else expect(await errno(device.read(run))).toBe('EFAULT');
      await ground.space.unmap(moved);
      await ground.space.unmap(run);
    }
  },

  async userfaultfd_read(ground) {
    const device = ground.open();
    const bytes = content(31);
    const { space, buffer } = ground;
    const first = buffer.start / PAGE;
    const asked: number[] = [];
    const supply = async (page: number) => {
      asked.push(page);
      await turns(1); // another thread
      return bytes.subarray((page - first) * PAGE, (page - first + 1) * PAGE);
    };
    await space.map(buffer, { supply });
    await ground.expectAll(device, buffer, 'none'); // a look is no touch
    await ground.see(ground.at(7));
    expectSame(await device.read(buffer), bytes);
    expect(device.table.faults).toBe(1);
    expect(asked).toHaveLength(PAGES);
    expect(new Set(asked).size).toBe(PAGES);
    await device.write(ground.at(1), content(32, 1));
    bytes.set(content(32, 1), PAGE);
    expectSame(await ground.see(buffer), bytes);
    expectSame(await device.read(buffer), bytes);
    expect(asked).toHaveLength(PAGES);
    ground.expectQuiet();
  },
} satisfies Record<string, Case>;
