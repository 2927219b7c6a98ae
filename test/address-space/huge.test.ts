/** Huge pages that are wanted, that move, and for which there is no memory in one piece; memory that everybody can use. */
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from '../../lib/index.js';
import { AllocationError, createSharedObject, type SimulatedAddressSpace } from '../../lib/testing/index.js';
import { at, bytes, faultOf, filled, makeSpace, SIZE, Watcher } from '../support/address-space.js';

const flags = (space: SimulatedAddressSpace, first: number, count: number) =>
  space.snapshot(space.pages(first, count)).map((page) => page?.flags);
const huge = (space: SimulatedAddressSpace, first: number, count: number) =>
  flags(space, first, count)
    .map((one) => (one === undefined ? '-' : one.huge ? 'H' : 's'))
    .join('');

describe('pages that are wanted huge', () => {
  test('get their memory in one piece at the first store, where the grid allows it, and nobody is told', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(2, 8), { huge: true });
    await space.write(at(5), bytes(1));
    await space.write(at(8), bytes(1));
    expect(huge(space, 2, 8)).toBe('--HHHHs-');
    expect(await space.read(at(4), 4 * SIZE)).toEqual(filled(0, 4 * SIZE).fill(1, SIZE, SIZE + 1));
    expect(log).toEqual([]);
  });

  test('are one page of zeros at the first read, which a store breaks up', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 4), { huge: true });
    await space.read(at(1), 1);
    expect(flags(space, 0, 4).every((one) => one!.zero && one!.huge)).toBe(true);
    await space.write(at(2), bytes(1));
    expect(huge(space, 0, 4)).toBe('ssss');
    expect(log).toEqual(['clear [0, 4)', 'clear [2, 3)']);
  });

  test('get it one by one without memory in one piece; without any memory, nothing has changed', async () => {
    const { space, pages } = makeSpace();
    await space.map(pages(0, 4), { huge: true });
    space.failAllocations(2);
    await expect(space.write(0, bytes(1))).rejects.toBeInstanceOf(AllocationError);
    expect(huge(space, 0, 4)).toBe('----');
    space.failAllocations(1);
    await space.write(at(1), bytes(1));
    expect(huge(space, 0, 4)).toBe('-s--');
    await space.write(0, bytes(1)); // the run is no longer new
    expect(huge(space, 0, 4)).toBe('ss--');
  });

  test('go to a device as one although nobody has touched them, and the device may store to them', async () => {
    const { space, pages } = makeSpace();
    const device = {};
    await space.map(pages(0, 4), { huge: true });
    await space.map(pages(4, 4));
    expect(await space.migrate(pages(0, 8), device)).toBe(8);
    expect(huge(space, 0, 8)).toBe('HHHHssss');
    expect(flags(space, 0, 8).every((one) => one!.writable && one!.devicePrivate)).toBe(true);
  });

  test('are made in one turn also inside an announced store to one of them', async () => {
    const { space, log, pages } = makeSpace({ stores: 'announced' });
    await space.map(pages(0, 4), { huge: true });
    await space.write(at(1), filled(1));
    expect(huge(space, 0, 4)).toBe('HHHH');
    expect(log).toEqual(['clear [1, 2)']);
  });

  test('are not for objects', async () => {
    const { space, pages } = makeSpace();
    const object = createSharedObject({ pages: 4 });
    await expect(space.map(pages(0, 4), { object, huge: true })).rejects.toBeInstanceOf(InvalidArgumentError);
  });
});

describe('a huge page', () => {
  async function away() {
    const device = {};
    const made = makeSpace();
    await made.space.map(made.pages(0, 4), { huge: true });
    await made.space.write(0, filled(1, 4 * SIZE));
    await made.space.migrate(made.pages(0, 4), device);
    expect(huge(made.space, 0, 4)).toBe('HHHH');
    made.log.length = 0;
    return { ...made, device };
  }

  test('comes back as a whole when one of its pages is touched', async () => {
    const { space, log } = await away();
    expect(await space.read(at(2), 1)).toEqual(bytes(1));
    expect(huge(space, 0, 4)).toBe('HHHH');
    expect(flags(space, 0, 4).some((one) => one!.devicePrivate)).toBe(false);
    expect(log).toEqual(['migrate [0, 4)']);
  });

  test.each(['touch', 'store', 'migrateBack'] as const)(
    'comes back page by page without memory in one piece, by a %s',
    async (way) => {
      const { space, pages, device, log } = await away();
      space.failAllocations(1);
      if (way === 'touch') await space.read(at(2), 1);
      else if (way === 'store') await space.write(at(2), bytes(1));
      else expect(await space.migrateBack(pages(0, 4), device)).toBe(4);
      expect(huge(space, 0, 4)).toBe('ssss');
      expect(log).toEqual(['migrate [0, 4)', 'clear [0, 4) nested']);
      expect(await space.read(0, 4 * SIZE)).toEqual(filled(1, 4 * SIZE));
    },
  );

  test('stays where it is, whole, if there is no memory at all', async () => {
    const { space, pages, device } = await away();
    space.failAllocations(2);
    await expect(space.migrateBack(pages(0, 4), device)).rejects.toBeInstanceOf(AllocationError);
    expect(flags(space, 0, 4).every((one) => one!.devicePrivate && one!.huge)).toBe(true);
  });

  test('fails alone to get memory in one piece: the next one moves as a whole', async () => {
    const { space, pages } = makeSpace();
    await space.map(pages(0, 8), { huge: true });
    await space.write(0, filled(1, 8 * SIZE));
    space.failAllocations(1);
    expect(await space.migrate(pages(0, 8), {})).toBe(8);
    expect(huge(space, 0, 8)).toBe('ssssHHHH');
  });

  test('is copied page by page after a fork, if there is no memory in one piece', async () => {
    const { space, pages } = makeSpace();
    await space.map(pages(0, 4), { huge: true });
    await space.write(0, filled(1, 4 * SIZE));
    const child = await space.fork();
    space.failAllocations(1);
    await space.write(0, filled(2, 4 * SIZE));
    expect(huge(space, 0, 4)).toBe('ssss');
    expect(await child.read(0, 4 * SIZE)).toEqual(filled(1, 4 * SIZE));
  });

  test('is split if only some of its pages can move', async () => {
    const { space, pages } = makeSpace();
    const device = {};
    await space.map(pages(0, 4), { huge: true });
    await space.write(0, filled(1, 4 * SIZE));
    const child = await space.fork();
    await child.unmap(pages(0, 2)); // the other two are still shared
    const watcher = new Watcher(space);
    watcher.check(4);
    expect(await space.migrate(pages(0, 4), device)).toBe(2);
    watcher.check(4);
    expect(huge(space, 0, 4)).toBe('ssss');
  });
});

describe('migrate', () => {
  test('of what is not all mapped, or may not be read, moves nothing and tells nobody', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 3));
    await space.write(0, filled(1, 3 * SIZE));
    expect(await faultOf(space.migrate(pages(0, 4), {}))).toEqual(['no-mapping', 3]);
    await space.protect(pages(1), 'none');
    log.length = 0;
    expect(await faultOf(space.migrate(pages(0, 3), {}))).toEqual(['not-readable', 1]);
    expect(log).toEqual([]);
    expect(flags(space, 0, 1)[0]!.devicePrivate).toBe(false);
  });

  test('takes the private copies of an object, and leaves the object', async () => {
    const { space, pages } = makeSpace();
    const object = createSharedObject({ pages: 3 });
    await space.map(pages(0, 3), { object });
    await space.write(0, filled(1));
    await space.read(at(1), 1);
    expect(await space.migrate(pages(0, 3), {})).toBe(1);
    expect(await space.read(0, SIZE)).toEqual(filled(1));
    expect(await space.swapOut(pages(0, 3))).toBe(1);
    expect(await space.read(0, SIZE)).toEqual(filled(1));
    await space.map(pages(8), { object });
    expect(await space.read(at(8), SIZE)).toEqual(filled(0));
  });
});

describe('memory that everybody can use', () => {
  const device = { coherent: true };

  test('is used where it is, by the processor and by other devices', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 2));
    await space.write(0, filled(1, 2 * SIZE));
    expect(await space.migrate(pages(0, 2), device)).toBe(2);
    log.length = 0;
    await space.write(0, bytes(2));
    const [page] = await space.fault(pages(0), { write: true, owner: {} });
    expect(page!.flags).toMatchObject({ devicePrivate: false, deviceCoherent: true, writable: true });
    page!.write(bytes(3), 1);
    expect(await space.read(0, 3)).toEqual(bytes(2, 3, 1));
    expect(log).toEqual([]);
    expect(await space.migrate(pages(0, 2), {})).toBe(0); // another device does not get it
    expect(await space.migrateBack(pages(0, 2), device)).toBe(2);
    expect(flags(space, 0, 1)[0]!.deviceCoherent).toBe(false);
  });

  test('is copied to the host by copy-on-write', async () => {
    const { space, pages } = makeSpace();
    await space.map(pages(0));
    await space.write(0, filled(1));
    await space.migrate(pages(0), device);
    const child = await space.fork();
    await space.write(0, filled(2));
    expect(flags(space, 0, 1)[0]!.deviceCoherent).toBe(false);
    expect(flags(child, 0, 1)[0]!.deviceCoherent).toBe(true);
    expect(await child.read(0, SIZE)).toEqual(filled(1));
  });
});

test('remap can keep the old place, which is empty then', async () => {
  const { space, log, pages } = makeSpace();
  await space.map(pages(0, 4), { huge: true });
  await space.write(0, filled(1, 4 * SIZE));
  log.length = 0;
  await space.remap(pages(0, 4), at(8), { keep: true });
  expect(log).toEqual(['unmap [0, 4) [8, 12)']);
  expect(huge(space, 0, 12)).toBe('--------HHHH');
  expect(await space.read(0, 4 * SIZE)).toEqual(filled(0, 4 * SIZE));
  expect(await space.read(at(8), 4 * SIZE)).toEqual(filled(1, 4 * SIZE));
});
