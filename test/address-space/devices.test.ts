import { describe, expect, test } from 'vitest';
import { ClosedError } from '../../lib/index.js';
import { createSharedObject, type SimulatedPage } from '../../lib/testing/index.js';
import { at, bytes, faultOf, filled, makeSpace, reasonOf, SIZE } from '../support/address-space.js';

describe('devices', () => {
  class Device {
    readonly heard: string[] = [];
    moved({ page, flags }: SimulatedPage): void {
      this.heard.push(`${page} ${flags.devicePrivate ? 'in' : 'out'}`);
    }
  }

  test('get memory of their own, which the processor fetches back by touching it', async () => {
    const { space, log, pages } = makeSpace();
    const device = new Device();
    await space.map(pages(0, 2));
    await space.write(0, filled(1, 2 * SIZE));
    const [host] = await space.fault(pages(0));
    expect(await space.migrate(pages(0, 2), device)).toBe(2);
    expect(reasonOf(() => host!.read())).toBe('freed');
    const [own] = await space.fault(pages(0), { write: true, owner: device });
    expect(own!.flags).toMatchObject({ devicePrivate: true, writable: true });
    own!.write(bytes(7));
    expect(await space.read(0, 2)).toEqual(bytes(7, 1));
    expect(log).toEqual(['migrate [0, 2)', 'migrate [0, 1)']);
    expect(device.heard).toEqual(['0 in', '1 in', '0 out']);
    expect(await space.migrateBack(pages(0, 2), device)).toBe(1);
  });

  test('fetch from each other by way of the host', async () => {
    const { space, pages } = makeSpace();
    const [one, two] = [new Device(), new Device()];
    await space.map(pages(0));
    await space.write(0, filled(1));
    await space.migrate(pages(0), one);
    const [page] = await space.fault(pages(0), { owner: two });
    expect(page!.flags.devicePrivate).toBe(false);
    expect(one.heard).toEqual(['0 in', '0 out']);
  });

  test('get pages alone, until somebody else touches them', async () => {
    const { space, log, pages } = makeSpace();
    const device = {};
    await space.map(pages(0, 2));
    expect(await space.makeExclusive(pages(0, 2), device)).toBe(2);
    const [mine] = await space.fault(pages(0), { write: true, owner: device });
    expect(mine!.flags.exclusive).toBe(true);
    mine!.write(bytes(1));
    expect(await space.read(0, 1)).toEqual(bytes(1));
    expect(space.snapshot(pages(0, 2)).map((page) => page?.flags.exclusive)).toEqual([false, true]);
    expect(log).toEqual(['exclusive [0, 2)', 'clear [0, 1)']);
  });

  test('do not get what is shared: it stays where it is', async () => {
    const { space, pages } = makeSpace();
    await space.map(pages(0), { object: createSharedObject({ pages: 1 }), shared: true });
    await space.write(0, bytes(1));
    expect(await space.migrate(pages(0), {})).toBe(0);
    expect(await space.makeExclusive(pages(0), {})).toBe(0);
    expect(await space.read(0, 1)).toEqual(bytes(1));
  });

  test('see permission and content in what they hold, and may not store without', async () => {
    const { space, pages } = makeSpace();
    await space.map(pages(0));
    await space.write(0, bytes(1));
    const [page] = await space.fault(pages(0));
    const before = page!.generation;
    page!.write(bytes(2), 1);
    expect(page!.generation).toBeGreaterThan(before);
    await space.protect(pages(0), 'read');
    const [again] = await space.fault(pages(0));
    expect(reasonOf(() => again!.write(bytes(3)))).toBe('not-writable');
    expect(await space.read(0, 2)).toEqual(bytes(1, 2));
  });
});

describe('the kernel behind the scenes', () => {
  test('collapse makes huge pages, and a change of a part splits them in a nested section that reaches out of it', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 10));
    await space.write(0, filled(1, 10 * SIZE));
    expect(await space.collapse(pages(0, 10))).toBe(2);
    await space.protect(pages(2, 1), 'read');
    expect(log).toEqual(['clear [0, 8)', 'protection-vma [2, 3)', 'clear [0, 4) nested']);
    expect(space.snapshot(pages(0, 10)).map((page) => page?.flags.huge)).toEqual(
      [0, 0, 0, 0, 1, 1, 1, 1, 0, 0].map((huge) => huge === 1),
    );
    expect(await space.split(pages(5))).toBe(1);
    expect(await space.read(0, 10 * SIZE)).toEqual(filled(1, 10 * SIZE));
  });

  test('collapse leaves runs alone that are not alike, not private, or not all there', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 4));
    await space.protect(pages(3), 'read');
    await space.map(pages(4, 3));
    log.length = 0;
    expect(await space.collapse(pages(0, 8))).toBe(0);
    expect(log).toEqual([]);
  });

  test('a huge page moves as one where the grid allows it, and is split where it does not', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 4));
    await space.collapse(pages(0, 4));
    await space.remap(pages(0, 4), at(8));
    expect(space.snapshot(pages(8))[0]!.flags.huge).toBe(true);
    log.length = 0;
    await space.remap(pages(8, 4), at(1));
    expect(log).toEqual(['unmap [1, 5) [8, 12)', 'clear [8, 12) nested']);
    expect(space.snapshot(pages(1))[0]!.flags.huge).toBe(false);
  });

  test('swap takes memory away, and a fault gives it back with its content', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 3));
    await space.write(0, filled(1, 2 * SIZE));
    const [page] = await space.fault(pages(0));
    expect(await space.swapOut(pages(0, 3))).toBe(2);
    expect(log).toEqual(['clear [0, 3)']);
    expect(space.snapshot(pages(0, 3))).toEqual([undefined, undefined, undefined]);
    expect(reasonOf(() => page!.generation)).toBe('freed');
    expect(await space.read(0, 2 * SIZE)).toEqual(filled(1, 2 * SIZE));
    expect(await space.swapOut(pages(2))).toBe(0);
  });

  test('soft-dirty marks are forgotten, and set again by the next store', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 3));
    await space.write(0, filled(1, 2 * SIZE));
    expect(space.softDirtyPages).toEqual([0, 1]);
    await space.clearSoftDirty();
    expect(space.softDirtyPages).toEqual([]);
    await space.write(at(1), bytes(2));
    expect(space.softDirtyPages).toEqual([1]);
    expect(log).toEqual(['soft-dirty [0, 3)']);
  });

  test('release ends everything', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 2));
    await space.write(0, bytes(1));
    const [page] = await space.fault(pages(0));
    await space.release();
    expect(log).toEqual(['release [-Infinity, Infinity)']);
    expect(reasonOf(() => page!.read())).toBe('freed');
    await expect(space.map(pages(0))).rejects.toBeInstanceOf(ClosedError);
    await expect(space.fork()).rejects.toBeInstanceOf(ClosedError);
    expect(await faultOf(space.read(0, 1))).toEqual(['no-mapping', 0]);
    await space.unmap(pages(0)); // nothing is there
  });
});
