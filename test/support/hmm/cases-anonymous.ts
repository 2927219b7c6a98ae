/**
 * Cases about plain memory: read and stored to by a device, protected, forked, mapped twice, taken away.
 */
import { expect } from 'vitest';
import { createSharedObject, SimulatedAddressSpace } from '../../../lib/testing/index.js';
import { Random, SEED } from '../model/random.js';
import { turns } from '../turns.js';
import { errno } from './device.js';
import { combinations, content, expectSame, type Ground, HUGE, PAGE, PAGES, REPEATS } from './ground.js';
import { WINDOW } from './tables.js';

/** Turns of the microtask queue within which a device has read the whole buffer. */
const TEARDOWN_TURNS = 400;

/** One case of the suite. */
export type Case = (ground: Ground) => Promise<void>;

/** See the top of the file. */
export const ANONYMOUS = {
  async open_close(ground) {
    const [one, two] = [ground.open(), ground.open()];
    await one.close();
    await two.close();
    expect(ground.space.tracker.inspect().subscribedRanges).toBe(0);
  },

  async anon_read(ground) {
    const device = ground.open();
    const bytes = content(1).fill(0, 0, 2 * PAGE);
    await ground.space.map(ground.buffer);
    await ground.space.write(ground.at(2).start, bytes.subarray(2 * PAGE));
    await ground.see(ground.at(1)); // the first page stays untouched, the second is the page of zeros
    expectSame(await device.read(ground.buffer), bytes);
    expect(device.table.faults).toBe(1);
    expectSame(await device.read(ground.buffer), bytes);
    expect(device.table.faults).toBe(1);
    ground.expectQuiet();
  },

  async anon_read_prot(ground) {
    const device = ground.open();
    const bytes = content(2);
    const buffer = await ground.filled(bytes);
    const mirror = content(99);
    await ground.space.protect(buffer, 'none');
    expect(await errno(device.read(buffer, mirror))).toBe('EFAULT');
    await ground.space.protect(buffer, 'read');
    expectSame(await ground.see(buffer), bytes);
    expectSame(mirror, content(99)); // the device has got nothing
    expectSame(await device.read(buffer, mirror), bytes);
    expect(device.table.faults).toBe(2);
    ground.expectQuiet();
  },

  async anon_write(ground) {
    const device = ground.open();
    const bytes = content(3);
    await ground.space.map(ground.buffer);
    await device.write(ground.buffer, bytes);
    expect(device.table.faults).toBe(1);
    expectSame(await ground.see(ground.buffer), bytes);
    ground.expectQuiet();
  },

  async anon_write_prot(ground) {
    const device = ground.open();
    await ground.space.map(ground.buffer, { protection: 'read' });
    expectSame(await device.read(ground.buffer), new Uint8Array(PAGES * PAGE));
    expect(device.table.faults).toBe(1);
    const bytes = content(4);
    expect(await errno(device.write(ground.buffer, bytes))).toBe('EPERM');
    expectSame(await ground.see(ground.buffer), new Uint8Array(PAGES * PAGE));
    await ground.space.protect(ground.buffer, 'read-write');
    await device.write(ground.buffer, bytes);
    expect(device.table.faults).toBe(3);
    expectSame(await ground.see(ground.buffer), bytes);
  },

  async anon_write_child(ground) {
    const parentDevice = ground.open();
    for (const { migrate, huge } of combinations({ migrate: [false, true], huge: [false, true] })) {
      const pages = huge ? HUGE : PAGES;
      const bytes = content(5, pages);
      const buffer = await ground.run(bytes, { huge });
      if (migrate) expectSame(await parentDevice.take(buffer), bytes);
      const child = await ground.fork();
      const device = ground.open(child);
      expectSame(await child.read(buffer.start, bytes.length), bytes);
      await device.write(buffer, content(6, pages));
      expect(device.table.faults).toBe(1);
      // Its own fault copies each page, which hits what it was getting; a huge page is split first, which hits the first window.
      // What the child's read has fetched from the parent's device is a copy already.
      const isCopied = migrate && ground.memory === 'private';
      expect(device.table.retries).toBe(isCopied ? 0 : pages + (huge ? WINDOW : 0));
      expectSame(await child.read(buffer.start, bytes.length), content(6, pages));
      await child.release();
      expectSame(await ground.see(buffer), bytes);
      await ground.space.unmap(buffer);
    }
  },

  async anon_write_child_shared(ground) {
    await ground.space.map(ground.buffer, { object: createSharedObject({ pages: PAGES }), shared: true });
    await ground.space.write(ground.buffer.start, content(7));
    const child = await ground.fork();
    const device = ground.open(child);
    await device.write(ground.buffer, content(8));
    expect(device.table.faults).toBe(1);
    expectSame(await ground.see(ground.buffer), content(8));
    ground.expectQuiet();
  },

  async anon_write_huge(ground) {
    const device = ground.open();
    await ground.space.map(ground.buffer, { huge: true });
    await device.write(ground.buffer, content(9));
    expect(device.table.faults).toBe(1);
    await ground.expectAll(device, ground.buffer, 'write huge');
    expectSame(await ground.see(ground.buffer), content(9));
    ground.expectQuiet();
  },

  async anon_read_multiple(ground) {
    const device = ground.open();
    for (let i = 0; i < REPEATS; i++) {
      const bytes = content(i);
      const buffer = await ground.filled(bytes);
      expectSame(await device.read(buffer), bytes);
      expect(device.table.faults).toBe(i + 1);
      await ground.space.unmap(buffer);
      expect(device.table.peek(buffer.start / PAGE)).toBe(undefined);
    }
    ground.expectQuiet();
  },

  async anon_teardown(ground) {
    const device = ground.open();
    const random = new Random(SEED);
    const [lower, upper] = [ground.at(0, PAGES / 2), ground.at(PAGES / 2, PAGES / 2)];
    for (let i = 0; i < REPEATS; i++) {
      const bytes = content(i);
      const buffer = await ground.filled(bytes);
      const before = device.table.faults;
      const unmapping = turns(random.below(TEARDOWN_TURNS)).then(() => ground.space.unmap(upper));
      // Whoever wins, the device sees the content or nothing.
      const error = await errno(device.read(buffer).then((got) => expectSame(got, bytes)));
      expect([undefined, 'EFAULT']).toContain(error);
      expect(device.table.faults).toBe(before + 1);
      await unmapping;
      expect(await errno(device.read(buffer))).toBe('EFAULT');
      expectSame(await device.read(lower), bytes.subarray(0, bytes.length / 2));
      expectSame(await ground.see(lower), bytes.subarray(0, bytes.length / 2));
      await ground.space.unmap(lower);
    }
  },

  async file_read(ground) {
    const device = ground.open();
    const file = createSharedObject({ pages: PAGES, label: 'file' });
    const writer = new SimulatedAddressSpace({ pageSize: PAGE });
    await writer.map(writer.pages(0, PAGES), { object: file, shared: true });
    await writer.write(0, content(10));
    await ground.space.map(ground.buffer, { object: file, shared: true, protection: 'read' });
    expectSame(await device.read(ground.buffer), content(10));
    expect(device.table.faults).toBe(1);
    ground.expectQuiet();
  },

  async file_write(ground) {
    const device = ground.open();
    const file = createSharedObject({ pages: PAGES, label: 'file' });
    await ground.space.map(ground.buffer, { object: file, shared: true });
    await device.write(ground.buffer, content(11));
    expect(device.table.faults).toBe(1);
    const reader = new SimulatedAddressSpace({ pageSize: PAGE });
    await reader.map(reader.pages(0, PAGES), { object: file });
    expectSame(await reader.read(0, PAGES * PAGE), content(11));
    ground.expectQuiet();
  },

  async compound(ground) {
    const device = ground.open();
    const buffer = await ground.run(content(12), { huge: true });
    expectSame(await device.read(buffer), content(12));
    await ground.expectAll(device, buffer, 'write huge');
    await ground.space.protect(buffer, 'read'); // all of it: nothing is split
    await ground.expectAll(device, buffer, 'read huge');
    expectSame(await device.read(buffer), content(12));
    await ground.space.protect(ground.at(HUGE + 3), 'none'); // a part: the second one is split
    await ground.expectAll(device, ground.at(0, HUGE), 'read huge');
    expect(await device.snapshot(ground.at(HUGE + 2, 3))).toEqual(['read', 'none', 'read']);
    expect(device.table.peek(ground.at(HUGE).start / PAGE)).toBe(undefined);
    expect(device.table.peek(ground.at(0).start / PAGE)?.flags.huge).toBe(true);
    expectSame(await device.read(ground.at(0, HUGE)), content(12, HUGE));
    expect(device.table.faults).toBe(2);
  },

  async double_map(ground) {
    const [one, two] = [ground.open(), ground.open()];
    const bytes = content(13, 6);
    const buffer = ground.at(0, 6);
    await ground.space.map(buffer);
    await ground.space.write(buffer.start, bytes);
    await ground.space.protect(buffer, 'read');
    const [first, second] = await Promise.all([one.read(buffer), two.read(buffer)]);
    expectSame(first, bytes);
    expectSame(second, bytes);
    expect([one.table.faults, two.table.faults]).toEqual([1, 1]);
    expectSame(await two.take(buffer), bytes);
    expectSame(await one.read(buffer), bytes); // fetches it back, if it has to
    expect(one.table.faults).toBe(2);
    await ground.expectAll(two, buffer, ground.memory === 'coherent' ? 'local read' : 'read');
    expectSame(await ground.see(buffer), bytes);
  },
} satisfies Record<string, Case>;
