import { describe, expect, test } from 'vitest';
import { InvalidArgumentError, InvalidRangeError, RangeTracker } from '../../lib/index.js';
import { AllocationError, createSharedObject, SimulatedAddressSpace } from '../../lib/testing/index.js';
import { at, bytes, faultOf, filled, Gate, makeSpace, reasonOf, SIZE, watch } from '../support/address-space.js';
import { expectNothingLeft } from '../support/leftovers.js';

describe('what is mapped', () => {
  test('reads as zeros until it is stored to, and nobody is told of first touches', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 2));
    expect(await space.read(0, 4)).toEqual(bytes(0, 0, 0, 0));
    await space.write(at(1) + 3, bytes(7, 8));
    expect(await space.read(at(1) + 2, 4)).toEqual(bytes(0, 7, 8, 0));
    expect(log).toEqual([]);
  });

  test('is stored to across pages', async () => {
    const { space, pages } = makeSpace();
    await space.map(pages(0, 3));
    const long = Uint8Array.from({ length: 2 * SIZE }, (_, i) => i + 1);
    await space.write(5, long);
    expect(await space.read(5, long.length)).toEqual(long);
    expect(await space.read(0, 5)).toEqual(filled(0, 5));
  });

  test('faults where nothing is, where it may not be read, and where it may not be written', async () => {
    const { space, pages } = makeSpace();
    await space.map(pages(0));
    await space.map(pages(1), { protection: 'read' });
    await space.map(pages(2), { protection: 'none' });
    expect(await faultOf(space.read(at(3), 1))).toEqual(['no-mapping', 3]);
    expect(await faultOf(space.write(at(1), bytes(1)))).toEqual(['not-writable', 1]);
    expect(await faultOf(space.read(at(2), 1))).toEqual(['not-readable', 2]);
    expect(await faultOf(space.fault(pages(0, 4)))).toEqual(['not-readable', 2]);
    expect(await faultOf(space.fault(pages(0, 2), { write: true }))).toEqual(['not-writable', 1]);
  });

  test('breaks away from the page of zeros under a clear when a reader has it', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0));
    const [zero] = await space.fault(pages(0));
    expect(zero!.flags).toMatchObject({ zero: true, writable: false });
    await space.write(0, bytes(1));
    expect(log).toEqual(['clear [0, 1)']);
    expect(zero!.read()[0]).toBe(0); // had it not been told, the reader would not know
  });

  test('is replaced by mapping over it, under an unmap', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 4));
    await space.write(at(1), filled(1));
    const [old] = await space.fault(pages(1));
    await space.map(pages(1, 2));
    expect(log).toEqual(['unmap [1, 3)']);
    expect(await space.read(at(1), 1)).toEqual(bytes(0));
    expect(reasonOf(() => old!.read())).toBe('freed');
  });
});

describe('unmap, protect and remap', () => {
  test('unmap frees the memory, in two halves that can be seen', async () => {
    const gate = new Gate();
    const { space, log, pages } = makeSpace({ pause: gate.pause });
    await space.map(pages(0, 2));
    await space.write(0, filled(5, 2 * SIZE));
    const [page] = await space.fault(pages(0));
    gate.open = false;
    const unmapping = space.unmap(pages(0, 2));
    await gate.reached();
    expect(reasonOf(() => page!.read())).toBe('freed');
    expect(await faultOf(space.fault(pages(0)))).toEqual(['torn', 0]);
    await gate.release();
    await unmapping;
    expect(await faultOf(space.fault(pages(0)))).toEqual(['no-mapping', 0]);
    expect(log).toEqual(['unmap [0, 2)']);
  });

  test('unmap of nothing tells nobody', async () => {
    const { space, log, pages } = makeSpace();
    await space.unmap(pages(0, 8));
    expect(log).toEqual([]);
  });

  test('protect takes permissions at once, and gives them by a fault', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 2));
    await space.write(0, filled(1, 2 * SIZE));
    await space.protect(pages(0), 'read');
    expect(await faultOf(space.write(0, bytes(9)))).toEqual(['not-writable', 0]);
    await space.protect(pages(0), 'read-write');
    expect((await space.fault(pages(0)))[0]!.flags.writable).toBe(false);
    await space.write(0, bytes(9));
    expect(await space.read(0, 2)).toEqual(bytes(9, 1));
    expect(log).toEqual(['protection-vma [0, 1)', 'protection-vma [0, 1)']);
    expect(await faultOf(space.protect(pages(1, 2), 'read'))).toEqual(['no-mapping', 2]);
  });

  test('remap moves content, over what is at the new place, and shows halves only to those who look past the tracker', async () => {
    const gate = new Gate();
    const { space, log, pages } = makeSpace({ pause: gate.pause });
    await space.map(pages(0, 2));
    await space.map(pages(8, 2));
    await space.write(0, filled(1, 2 * SIZE));
    await space.write(at(8), filled(2, 2 * SIZE));
    gate.open = false;
    const moving = space.remap(pages(0, 2), at(8));
    await gate.reached();
    await gate.release(); // what was there is gone
    expect(await faultOf(space.fault(pages(0)))).toEqual(['no-mapping', 0]);
    expect((await space.fault(pages(1)))[0]!.read()).toEqual(filled(1));
    await gate.release();
    await moving;
    expect(await space.read(at(8), 2 * SIZE)).toEqual(filled(1, 2 * SIZE));
    expect(log).toEqual(['unmap [0, 2) [8, 10)']);
    await expect(space.remap(pages(8, 2), at(9))).rejects.toBeInstanceOf(InvalidArgumentError);
  });
});

describe('fork', () => {
  test('shares pages until one side stores to them', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 3));
    await space.write(0, filled(1, 2 * SIZE));
    const child = await space.fork();
    const childLog: string[] = [];
    watch(child, childLog);
    expect(log).toEqual(['protection-page [0, 3)']);
    await space.write(0, bytes(2));
    await child.write(at(1), bytes(3));
    expect(log.slice(1)).toEqual(['clear [0, 1)']);
    expect(childLog).toEqual(['clear [1, 2)']);
    expect(await space.read(0, 1)).toEqual(bytes(2));
    expect(await child.read(0, 1)).toEqual(bytes(1));
    expect(await space.read(at(1), 1)).toEqual(bytes(1));
    expect(await child.read(at(1), 1)).toEqual(bytes(3));
  });

  test('leaves the page to the last one that has it, without a copy', async () => {
    const { space, log, pages } = makeSpace();
    await space.map(pages(0));
    await space.write(0, filled(1));
    const child = await space.fork();
    await child.write(0, bytes(2));
    await space.write(0, bytes(3));
    expect(log).toEqual(['protection-page [0, 1)']);
    await child.release();
    expect(await space.read(0, 2)).toEqual(bytes(3, 1));
  });

  test('keeps shared memory shared, and shows what either side stores to the other', async () => {
    const { space, log, pages } = makeSpace({ stores: 'announced' });
    await space.map(pages(0, 2), { object: createSharedObject({ pages: 2 }), shared: true });
    const child = await space.fork();
    const childLog: string[] = [];
    watch(child, childLog);
    await child.write(at(1), bytes(4));
    expect(await space.read(at(1), 1)).toEqual(bytes(4));
    expect(log).toEqual(['clear [1, 2)']);
    expect(childLog).toEqual(['clear [1, 2)']);
  });
});

describe('objects', () => {
  test('are stored to by shared mappings, and copied by private ones', async () => {
    const file = createSharedObject({ pages: 4, label: 'a file' });
    const { space, log, pages } = makeSpace();
    await space.map(pages(0, 2), { object: file, shared: true, offset: 2 });
    await space.map(pages(8, 2), { object: file, offset: 2 });
    await space.write(0, bytes(1));
    expect(await space.read(at(8), 1)).toEqual(bytes(1));
    await space.write(at(8), bytes(2));
    expect(await space.read(0, 1)).toEqual(bytes(1));
    expect(await space.read(at(8), 1)).toEqual(bytes(2));
    expect(log).toEqual(['clear [8, 9)']);
  });

  test('disappear from every mapping of every space when they are truncated', async () => {
    const file = createSharedObject({ pages: 2 });
    const one = makeSpace();
    const two = makeSpace();
    await one.space.map(one.pages(0, 2), { object: file, shared: true });
    await two.space.map(two.pages(4, 2), { object: file });
    await one.space.write(0, filled(1, 2 * SIZE));
    await two.space.write(at(5), bytes(2)); // a private copy goes, too
    const [page] = await one.space.fault(one.pages(1));
    one.log.length = 0;
    two.log.length = 0;
    await file.truncate(1);
    expect(one.log).toEqual(['clear [1, 2)']);
    expect(two.log).toEqual(['clear [5, 6)']);
    expect(reasonOf(() => page!.read())).toBe('freed');
    expect(await faultOf(one.space.read(at(1), 1))).toEqual(['beyond-end', 1]);
    expect(await faultOf(two.space.read(at(5), 1))).toEqual(['beyond-end', 5]);
    await file.truncate(2);
    expect(await one.space.read(0, 2 * SIZE)).toEqual(Uint8Array.from([...filled(1), ...filled(0)]));
  });

  test('keep their length when a subscriber does not confirm', async () => {
    const file = createSharedObject({ pages: 2 });
    const { space, pages } = makeSpace();
    await space.map(pages(0, 2), { object: file, shared: true });
    await space.write(0, filled(1, 2 * SIZE));
    space.tracker.subscribe(pages(1), {
      invalidate() {
        throw new Error('not now');
      },
    });
    await expect(file.truncate(1)).rejects.toMatchObject({ name: 'SubscriberError' });
    expect(file.pages).toBe(2);
    expect(await space.read(at(1), 1)).toEqual(bytes(1));
  });
});

describe('readers that bypass the tracker', () => {
  test('catch a store between its halves', async () => {
    const gate = new Gate();
    const { space, pages } = makeSpace({ pause: gate.pause, stores: 'announced' });
    await space.map(pages(0, 2));
    await space.write(0, filled(1, 2 * SIZE));
    gate.open = false;
    const storing = space.write(0, filled(2, 2 * SIZE));
    await gate.reached();
    expect(await faultOf(space.readPages(0, 2))).toEqual(['torn', 0]);
    await gate.release();
    await storing;
    gate.open = true;
    expect((await space.readPages(0, 2)).map((page) => page.bytes)).toEqual([filled(2), filled(2)]);
  });

  test('are caught when a whole store falls between the halves of their copy', async () => {
    const gate = new Gate();
    const { space, pages } = makeSpace({ pause: gate.pause });
    await space.map(pages(0));
    await space.write(0, filled(1));
    gate.open = false;
    const reading = faultOf(space.readPages(0, 1));
    await gate.reached();
    gate.open = true;
    await space.write(0, filled(2));
    await gate.release();
    expect(await reading).toEqual(['torn', 0]);
  });

  test('are not caught, and need not be, inside a lookup: it retries', async () => {
    const gate = new Gate();
    const { space, pages } = makeSpace({ pause: gate.pause, stores: 'announced' });
    await space.map(pages(0));
    await space.write(0, filled(1));
    gate.open = false;
    const lookup = space.tracker.lookup(pages(0), () => space.readPages(0, 1));
    await gate.reached();
    gate.open = true;
    await space.write(0, filled(2));
    await gate.release();
    expect((await lookup)[0]!.bytes).toEqual(filled(2));
    expect(space.tracker.stats.collisions).toBe(1);
  });
});

describe('without memory', () => {
  const operations: [string, (space: SimulatedAddressSpace) => Promise<unknown>][] = [
    ['map', (space) => space.map(space.pages(20))],
    ['map over something', (space) => space.map(space.pages(0, 2))],
    ['write, first touch', (space) => space.write(at(2), bytes(1))],
    ['write, copy of zeros', (space) => space.write(at(3), bytes(1))],
    ['write over both', (space) => space.write(at(1), filled(1, 3 * SIZE))],
    ['read from the swap', (space) => space.read(at(4), 1)],
    ['remap', (space) => space.remap(space.pages(0, 2), at(30))],
    ['fork', (space) => space.fork()],
    ['migrate', (space) => space.migrate(space.pages(0, 2), {})],
    ['collapse', (space) => space.collapse(space.pages(8, 4))],
  ];

  test.each(operations)('%s fails, and has changed nothing', async (_, operate) => {
    const { space, pages } = makeSpace();
    await space.map(pages(0, 5));
    await space.map(pages(8, 4));
    await space.write(0, filled(1, 2 * SIZE));
    await space.fault(pages(3));
    await space.write(at(4), filled(4));
    await space.swapOut(pages(4));
    const before = state(space);
    space.failAllocations(1);
    await expect(operate(space)).rejects.toBeInstanceOf(AllocationError);
    expect(state(space)).toEqual(before);
    await operate(space);
    expect(await space.read(at(4), 1)).toEqual(bytes(4));
  });

  test('for a huge page in one piece, its pages go one by one; without memory for these, none goes', async () => {
    const { space, log, pages } = makeSpace();
    const device = {};
    await space.map(pages(0, 4));
    await space.write(0, filled(1, 4 * SIZE));
    await space.collapse(pages(0, 4));
    space.failAllocations(2);
    await expect(space.migrate(pages(0, 4), device)).rejects.toBeInstanceOf(AllocationError);
    expect(space.snapshot(pages(0, 4)).every((page) => page!.flags.huge && !page!.flags.devicePrivate)).toBe(true);
    space.failAllocations(1);
    expect(await space.migrate(pages(0, 4), device)).toBe(4);
    expect(space.snapshot(pages(0, 4)).every((page) => !page!.flags.huge && page!.flags.devicePrivate)).toBe(true);
    expect(log.at(-1)).toBe('clear [0, 4) nested');
  });

  function state(space: SimulatedAddressSpace) {
    return space
      .snapshot(space.pages(0, 40))
      .map((page) => page && { ...page.flags, bytes: page.read(), generation: page.generation });
  }
});

describe('bad input', () => {
  test('is refused before anything changes', async () => {
    expect(() => new SimulatedAddressSpace({ pageSize: 15 })).toThrow(InvalidArgumentError);
    expect(() => new SimulatedAddressSpace({ hugePages: 1 })).toThrow(InvalidArgumentError);
    expect(() => new SimulatedAddressSpace({ pause: 1 as never })).toThrow(InvalidArgumentError);
    expect(() => new SimulatedAddressSpace({ stores: 'loud' as never })).toThrow(InvalidArgumentError);
    expect(() => createSharedObject({ pages: -1 })).toThrow(InvalidArgumentError);
    const { space, log, pages } = makeSpace();
    expect(() => space.failAllocations(-1)).toThrow(InvalidArgumentError);
    await expect(space.map({ start: 1, end: SIZE })).rejects.toBeInstanceOf(InvalidRangeError);
    await expect(space.map({ start: 0, end: Number.POSITIVE_INFINITY })).rejects.toBeInstanceOf(InvalidRangeError);
    await expect(space.map(pages(0), { protection: 'write' as never })).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(space.map(pages(0), { shared: true })).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(space.map(pages(0), { object: {} as never })).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(space.read(-1, 1)).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(space.read(0, 0)).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(space.snapshot(pages(0))).toEqual([undefined]);
    expect(log).toEqual([]);
  });
});

test('a change that a subscriber does not confirm has changed nothing, and leaves nothing behind', async () => {
  const tracker = new RangeTracker();
  const { space, pages } = makeSpace({ tracker });
  await space.map(pages(0, 2));
  await space.write(0, filled(1, 2 * SIZE));
  const stubborn = tracker.subscribe(pages(0, 2), {
    invalidate() {
      throw new Error('not now');
    },
  });
  const operations = [
    () => space.unmap(pages(0, 2)),
    () => space.protect(pages(0), 'none'),
    () => space.remap(pages(0), at(9)),
    () => space.migrate(pages(0, 2), {}),
    () => space.makeExclusive(pages(0, 2), {}),
    () => space.swapOut(pages(0, 2)),
    () => space.clearSoftDirty(),
    () => space.fork(),
  ];
  for (const operate of operations) await expect(operate()).rejects.toMatchObject({ name: 'SubscriberError' });
  expect(await space.read(0, 2 * SIZE)).toEqual(filled(1, 2 * SIZE));
  expect(space.softDirtyPages).toEqual([0, 1]);
  stubborn.close();
  await space.unmap(pages(0, 2)); // no lock was left held
  expectNothingLeft(tracker, { subscribed: 1 });
});

describe('what somebody else supplies', () => {
  /** Answers with how many calls there have been, when it is let go; each call is kept. */
  function supplier() {
    const calls: (() => void)[] = [];
    const supply = () => {
      const answer = filled(calls.length + 1, SIZE);
      return new Promise<Uint8Array>((resolve) => calls.push(() => resolve(answer)));
    };
    return { calls, supply };
  }

  test('is asked for at the first touch of each page, and nobody is told', async () => {
    const { space, log, pages } = makeSpace();
    const asked: number[] = [];
    const supply = (page: number) => {
      asked.push(page);
      return filled(page + 1, SIZE);
    };
    await space.map(pages(0, 3), { supply });
    expect(space.snapshot(pages(0, 3))).toEqual([undefined, undefined, undefined]);
    expect(await space.read(at(1), 2)).toEqual(bytes(2, 2));
    await space.write(at(2), bytes(9));
    expect(await space.read(at(2), 2)).toEqual(bytes(9, 3));
    expect(asked).toEqual([1, 2]);
    expect(log).toEqual([]);
  });

  test('is dropped where the page has gone meanwhile, or somebody was quicker', async () => {
    const { space, pages } = makeSpace();
    const { calls, supply } = supplier();
    await space.map(pages(0, 2), { supply });
    const lost = faultOf(space.read(0, 1));
    await space.unmap(pages(0));
    calls[0]!();
    expect(await lost).toEqual(['no-mapping', 0]);
    const both = [space.fault(pages(1)), space.read(at(1), 1)] as const;
    for (const go of calls) go();
    const [[page], read] = await Promise.all(both);
    expect([calls.length, read, page!.read().subarray(0, 1)]).toEqual([3, bytes(2), bytes(2)]);
    expect(await space.read(at(1), 1)).toEqual(bytes(2)); // the second answer changed nothing
  });

  test('fails the touch with its error, or for what is no page, and is asked again by the next one', async () => {
    const { space, pages } = makeSpace();
    const answers: (() => Uint8Array)[] = [
      () => {
        throw new Error('no such page');
      },
      () => bytes(1, 2),
      () => filled(5, SIZE),
    ];
    await space.map(pages(0), { supply: () => answers.shift()!() });
    await expect(space.read(0, 1)).rejects.toThrow('no such page');
    await expect(space.read(0, 1)).rejects.toThrow(
      `supply returned for page 0 is an object; expected a Uint8Array of ${SIZE} bytes`,
    );
    expect(await space.read(0, 1)).toEqual(bytes(5));
  });

  test('stays where it is until it was touched, and is nothing to a child', async () => {
    const { space, pages } = makeSpace();
    const supply = (page: number) => filled(page + 1, SIZE);
    await space.map(pages(0, 2), { supply });
    await space.read(at(1), 1);
    expect(await space.migrate(pages(0, 2), {})).toBe(1);
    const child = await space.fork();
    expect(await child.read(0, 1)).toEqual(bytes(0));
    expect(await child.read(at(1), 1)).toEqual(bytes(2));
    expect(await space.read(0, 1)).toEqual(bytes(1));
    expect(await space.swapOut(pages(0))).toBe(1);
    expect(await space.read(0, 1)).toEqual(bytes(1)); // out of the swap
  });

  test('is refused for objects and huge pages', async () => {
    const { space, pages } = makeSpace();
    const supply = () => filled(1, SIZE);
    const object = createSharedObject({ pages: 1 });
    await expect(space.map(pages(0), { supply, object })).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(space.map(pages(0), { supply, huge: true })).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(space.map(pages(0), { supply: bytes(1) as never })).rejects.toBeInstanceOf(InvalidArgumentError);
  });
});
