/**
 * What is found before a wait must not be used after it. Each test makes an operation wait (for a subscriber that takes its
 * time, or for a lock), changes what the operation has looked at, and lets it go on.
 */
import { expect, test } from 'vitest';
import { ClosedError } from '../../lib/index.js';
import { createSharedObject, type SimulatedAddressSpace } from '../../lib/testing/index.js';
import { at, faultOf, filled, Gate, makeSpace, reasonOf, SIZE, Watcher, watch } from '../support/address-space.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { deferred, Outcome, soon, turns } from '../support/turns.js';

/** Keeps the next section of the kind, or one of those after it, in its begin; call what it returns to let it go on. */
function stall(space: SimulatedAddressSpace, kind: string, skip = 0): () => void {
  const gate = deferred();
  let left = skip;
  space.tracker.subscribe(
    { start: 0, end: Number.POSITIVE_INFINITY },
    {
      invalidate(section) {
        if (section.kind !== kind || left-- !== 0) return undefined;
        return gate.promise;
      },
    },
  );
  return gate.resolve;
}

test('fork waits for a page that became writable, and is being stored to, while the fork was in its begin', async () => {
  const gate = new Gate();
  const { space, log, pages } = makeSpace({ pause: gate.pause });
  await space.map(pages(0, 2));
  await space.write(0, filled(1, 2 * SIZE));
  await space.protect(pages(1), 'read');
  const goOn = stall(space, 'protection-page');
  log.length = 0;
  const forking = space.fork();
  await turns();
  await space.protect(pages(1), 'read-write');
  gate.open = false;
  const storing = space.write(at(1), filled(2));
  await gate.reached();
  goOn();
  await turns();
  expect(log).toEqual(['protection-page [0, 1)', 'protection-vma [1, 2)']);
  gate.open = true;
  await gate.release();
  await storing;
  const child = await forking;
  expect(log.slice(2)).toEqual(['protection-page [0, 2)']);
  expect(await child.read(0, 2 * SIZE)).toEqual(Uint8Array.from([...filled(1), ...filled(2)]));
  await space.write(0, filled(3, 2 * SIZE));
  expect(await child.read(0, 2 * SIZE)).toEqual(Uint8Array.from([...filled(1), ...filled(2)]));
});

test('fork tells of a page that was mapped while it was in its begin', async () => {
  const { space, pages } = makeSpace();
  await space.map(pages(0));
  const watcher = new Watcher(space);
  const goOn = stall(space, 'protection-page');
  const forking = space.fork();
  await turns();
  await space.map(pages(4, 2));
  await space.write(at(4), filled(1, 2 * SIZE));
  watcher.check(8);
  goOn();
  await forking;
  watcher.check(8);
  expect(space.snapshot(pages(4))[0]!.flags.writable).toBe(false);
});

test('fork does not take a read-only page that is being unmapped', async () => {
  const gate = new Gate();
  const { space, pages } = makeSpace({ pause: gate.pause });
  await space.map(pages(0));
  await space.write(0, filled(1));
  await space.protect(pages(0), 'read');
  gate.open = false;
  const unmapping = space.unmap(pages(0));
  await gate.reached();
  const forking = space.fork();
  await turns();
  gate.open = true;
  await gate.release();
  await unmapping;
  expect(await faultOf((await forking).read(0, 1))).toEqual(['no-mapping', 0]);
});

test('fork tells the device that has a page alone, also if the page is read-only', async () => {
  const { space, log, pages } = makeSpace();
  const device = {};
  await space.map(pages(0));
  await space.write(0, filled(1));
  await space.makeExclusive(pages(0), device);
  await space.protect(pages(0), 'read');
  const watcher = new Watcher(space);
  watcher.check(1);
  log.length = 0;
  await space.fork();
  watcher.check(1);
  expect(log).toEqual(['protection-page [0, 1)']);
});

test('soft-dirty marks of a page that was mapped meanwhile stay, or go with a word', async () => {
  const { space, pages } = makeSpace();
  await space.map(pages(0));
  await space.write(0, filled(1));
  const watcher = new Watcher(space);
  const goOn = stall(space, 'soft-dirty');
  const clearing = space.clearSoftDirty();
  await turns();
  await space.map(pages(4));
  await space.write(at(4), filled(1));
  watcher.check(8);
  goOn();
  await clearing;
  watcher.check(8);
  expect(space.softDirtyPages).toEqual([]);
});

test('a split takes huge pages along that were made while it was in its begin', async () => {
  const { space, log, pages } = makeSpace();
  await space.map(pages(0, 8));
  await space.collapse(pages(0, 4));
  log.length = 0;
  const goOn = stall(space, 'clear');
  const splitting = space.split(pages(0, 8));
  await turns();
  await space.collapse(pages(4, 4));
  goOn();
  expect(await splitting).toBe(2);
  expect(log).toEqual(['clear [0, 4)', 'clear [4, 8)', 'clear [0, 8)']);
});

test('a truncation follows a page that is moved while it waits', async () => {
  const file = createSharedObject({ pages: 2 });
  const { space, log, pages } = makeSpace();
  await space.map(pages(0, 2), { object: file, shared: true });
  await space.write(0, filled(1, 2 * SIZE));
  const goOn = stall(space, 'clear');
  const cutting = file.truncate(1);
  await turns();
  await space.remap(pages(1), at(9));
  const [page] = space.snapshot(pages(9));
  expect(page!.read()).toEqual(filled(1));
  goOn();
  await cutting;
  expect(log.at(-1)).toBe('clear [1, 2) [9, 10)');
  expect(reasonOf(() => page!.read())).toBe('freed');
  await file.truncate(2);
  expect(await space.read(at(9), SIZE)).toEqual(filled(0));
});

test('a truncation reaches a child that was made while it waited', async () => {
  const file = createSharedObject({ pages: 2 });
  const { space, pages } = makeSpace();
  await space.map(pages(0, 2), { object: file });
  await space.write(0, filled(1, 2 * SIZE));
  const goOn = stall(space, 'clear');
  const cutting = file.truncate(1);
  await turns();
  const child = await space.fork();
  const childLog: string[] = [];
  watch(child, childLog);
  goOn();
  await cutting;
  expect(childLog).toEqual(['clear [1, 2)']);
  await file.truncate(2);
  expect(await child.read(at(1), SIZE)).toEqual(filled(0));
});

test('truncations that overlap leave the length that was asked for last', async () => {
  const file = createSharedObject({ pages: 8 });
  const { space, pages } = makeSpace();
  await space.map(pages(0, 8), { object: file, shared: true });
  await space.write(0, filled(1, 8 * SIZE));
  const goOn = stall(space, 'clear');
  const [first, second] = [file.truncate(4), file.truncate(2)];
  await second;
  expect(file.pages).toBe(2);
  await file.truncate(6);
  expect(file.pages).toBe(4); // what is being cut off cannot be had
  goOn();
  await first;
  expect(file.pages).toBe(6);
  expect(await space.read(0, 6 * SIZE)).toEqual(Uint8Array.from([...filled(1, 2 * SIZE), ...filled(0, 4 * SIZE)]));
});

test('a truncation that fails does not undo another one', async () => {
  const file = createSharedObject({ pages: 8 });
  const { space, pages } = makeSpace();
  await space.map(pages(0, 8), { object: file, shared: true });
  await space.write(0, filled(1, 8 * SIZE));
  const gate = deferred();
  const stubborn = space.tracker.subscribe(pages(7), { invalidate: () => gate.promise });
  const failing = new Outcome(file.truncate(7));
  await turns();
  stubborn.close();
  await file.truncate(2);
  gate.reject(new Error('not now'));
  await turns();
  expect(file.pages).toBe(2);
  expect(failing.state).not.toBe('pending');
  expect(await faultOf(space.read(at(2), 1))).toEqual(['beyond-end', 2]);
});

test('an announced store tells a space that mapped the object while the store waited', async () => {
  const gate = new Gate();
  const file = createSharedObject({ pages: 1 });
  const { space, pages } = makeSpace({ stores: 'announced', pause: gate.pause });
  const other = makeSpace({ stores: 'announced' });
  await space.map(pages(0), { object: file, shared: true });
  await space.write(0, filled(1));
  const goOn = stall(space, 'clear');
  const storing = space.write(0, filled(2));
  await turns();
  await other.space.map(other.pages(3), { object: file, shared: true });
  expect((await other.space.readPages(3, 1))[0]!.bytes).toEqual(filled(1));
  other.log.length = 0;
  gate.open = false;
  goOn();
  await gate.reached();
  expect(other.log).toEqual(['clear [3, 4)']);
  gate.open = true;
  await gate.release();
  await storing;
});

test('an object that is being stored to is mapped when the store is over', async () => {
  const gate = new Gate();
  const file = createSharedObject({ pages: 1 });
  const { space, pages } = makeSpace({ stores: 'announced', pause: gate.pause });
  const other = makeSpace();
  await space.map(pages(0), { object: file, shared: true });
  gate.open = false;
  const storing = space.write(0, filled(2));
  await gate.reached();
  const mapping = new Outcome(other.space.map(other.pages(3), { object: file, shared: true }));
  await turns();
  expect(mapping.state).toBe('pending');
  await gate.release();
  await storing;
  await turns();
  expect(mapping.state).toBe('resolved');
});

test('a page that became one of an object while a read waited for its lock is read when the store to the object is over', async () => {
  const [gate, far] = [new Gate(), new Gate()];
  const { space, pages } = makeSpace({ pause: gate.pause });
  const other = makeSpace({ pause: far.pause });
  const file = createSharedObject({ pages: 1 });
  await space.map(pages(0));
  await space.write(0, filled(9));
  await space.map(pages(8), { object: file, shared: true });
  await other.space.map(other.pages(3), { object: file, shared: true });
  await other.space.write(at(3), filled(1));
  await space.read(at(8), 1);
  gate.open = false;
  const storing = space.write(0, filled(8));
  await gate.reached();
  const moving = space.remap(pages(8), 0);
  await turns();
  const reading = new Outcome(space.read(0, SIZE));
  await gate.release(); // the store is over, and the move has both places and the object
  far.open = false;
  const storingToo = other.space.write(at(3), filled(2));
  await turns();
  await gate.release();
  await gate.release();
  await Promise.all([storing, moving]);
  await far.reached();
  expect(reading.state).toBe('pending');
  await far.release();
  await storingToo;
  await turns();
  expect(reading.value).toEqual(filled(2));
});

test('a private copy of a page of an object is not mixed with a store to the object', async () => {
  const gate = new Gate();
  const file = createSharedObject({ pages: 1 });
  const { space, pages } = makeSpace();
  const other = makeSpace({ pause: gate.pause });
  await other.space.map(other.pages(0), { object: file });
  await other.space.read(0, 1);
  gate.open = false;
  const copying = other.space.write(0, filled(3, 1));
  await gate.reached();
  const storing = (async () => {
    await space.map(pages(0), { object: file, shared: true });
    await space.write(0, filled(2));
  })();
  await turns();
  gate.open = true;
  await gate.release();
  await Promise.all([copying, storing]);
  const copy = await other.space.read(0, SIZE);
  expect(new Set(copy.subarray(1)).size).toBe(1);
});

test('map in a space that is released meanwhile is refused, and maps nothing', async () => {
  const gate = new Gate();
  const { space, pages } = makeSpace({ pause: gate.pause });
  await space.map(pages(0));
  await space.write(0, filled(1));
  gate.open = false;
  const storing = space.write(0, filled(2));
  await gate.reached();
  const mapping = new Outcome(space.map(pages(0, 4)));
  await turns();
  const releasing = space.release();
  const beside = new Outcome(space.map(pages(8, 4)));
  await turns();
  gate.open = true;
  await gate.release();
  await Promise.all([storing.catch(() => {}), releasing]);
  await soon(Promise.allSettled([mapping, beside]));
  expect([mapping.error, beside.error].every((error) => error instanceof ClosedError)).toBe(true);
  expect(space.softDirtyPages).toEqual([]);
  expect(await faultOf(space.read(at(8), 1))).toEqual(['no-mapping', 8]);
});

test('a page is given to a device alone as it is under the lock: what was swapped out meanwhile comes back first', async () => {
  const { space, pages } = makeSpace();
  const device = {};
  await space.map(pages(0, 2));
  await space.write(0, filled(1, 2 * SIZE));
  const goOn = stall(space, 'exclusive');
  const giving = space.makeExclusive(pages(0, 2), device);
  await turns();
  await space.swapOut(pages(0));
  goOn();
  expect(await giving).toBe(2);
});

test('what a device got for itself meanwhile is not taken away from it by its own touch', async () => {
  const { space, pages } = makeSpace();
  const [one, two] = [{ name: 'one' }, { name: 'two' }];
  await space.map(pages(0));
  await space.write(0, filled(1));
  await space.makeExclusive(pages(0), one);
  const goOn = stall(space, 'clear');
  const touching = space.fault(pages(0), { owner: two });
  await turns();
  await space.makeExclusive(pages(0), two);
  goOn();
  expect((await touching)[0]!.flags.exclusive).toBe(true);
  expectNothingLeft(space.tracker, { subscribed: 2 });
});

test('a page that became part of a huge one again is split when it is copied', async () => {
  const { space, log, pages } = makeSpace();
  const watcher = new Watcher(space);
  await space.map(pages(0, 4));
  await space.write(0, filled(1, 4 * SIZE));
  await space.collapse(pages(0, 4));
  const first = await space.fork();
  const goOn = stall(space, 'clear', 1);
  log.length = 0;
  const storing = space.write(0, filled(2)); // splits, and waits in the begin of the copy
  await turns();
  expect(log).toEqual(['clear [0, 4)', 'clear [0, 1)']);
  await first.release();
  expect(await space.collapse(pages(0, 4))).toBe(1);
  const second = await space.fork();
  goOn();
  await storing;
  watcher.check(4);
  expect(log.at(-1)).toBe('clear [0, 4) nested');
  expect(space.snapshot(pages(0, 4)).some((page) => page!.flags.huge)).toBe(false);
  expect(await second.read(0, 4 * SIZE)).toEqual(filled(1, 4 * SIZE));
});

test('a page that nobody shares any more is not copied', async () => {
  const { space, pages } = makeSpace();
  await space.map(pages(0));
  await space.write(0, filled(1));
  const child = await space.fork();
  const goOn = stall(space, 'clear');
  const storing = space.write(0, filled(2));
  await turns();
  await child.release();
  space.failAllocations(1); // nothing is needed
  goOn();
  await storing;
  expect(await space.read(0, SIZE)).toEqual(filled(2));
});

test('a read of shared memory waits for a store in another space', async () => {
  const gate = new Gate();
  const file = createSharedObject({ pages: 1 });
  const { space, pages } = makeSpace({ pause: gate.pause });
  const other = makeSpace();
  await space.map(pages(0), { object: file, shared: true });
  await space.write(0, filled(1));
  await other.space.map(other.pages(3), { object: file });
  gate.open = false;
  const storing = space.write(0, filled(2));
  await gate.reached();
  const reading = new Outcome(other.space.read(at(3), SIZE));
  await turns();
  expect(reading.state).toBe('pending');
  await gate.release();
  await storing;
  await turns();
  expect(reading.value).toEqual(filled(2));
});

test('a huge page that comes back for one of its pages keeps a store to another one waiting', async () => {
  const waiting: (() => void)[] = [];
  let isOpen = true;
  const pause = () => (isOpen ? Promise.resolve() : new Promise<void>((go) => waiting.push(go)));
  const { space, pages } = makeSpace({ pause, stores: 'announced' });
  await space.map(pages(0, 4), { huge: true });
  await space.write(0, filled(1, 4 * SIZE));
  await space.migrate(pages(0, 4), {});
  isOpen = false;
  const first = space.write(0, filled(2)); // fetches all of it, and is in the middle of that
  await turns();
  const last = space.write(at(3), filled(3));
  await turns();
  isOpen = true;
  while (waiting.length > 0) {
    waiting.pop()!(); // the later one goes on first
    await turns();
  }
  await Promise.all([first, last]);
  expect(await space.read(at(3), SIZE)).toEqual(filled(3));
  expect(space.snapshot(pages(3))[0]!.read()).toEqual(filled(3));
});
