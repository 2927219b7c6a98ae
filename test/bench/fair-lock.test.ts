/**
 * The lock that shared spaces are measured against must be a good one: exclusive, shared by readers, fair, and not blocking.
 */
import { expect, test } from 'vitest';
import { FairLock } from '../../bench/threads/fair-lock.js';
import { startWorker } from '../../bench/threads/start.js';

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Notes in which order parties have got their turn. */
function queue(lock: FairLock) {
  const order: string[] = [];
  const note = async (name: string, turns: Promise<void> | undefined) => {
    await turns;
    order.push(name);
  };
  return {
    order,
    reads: (name: string) => note(name, lock.lockRead()),
    writes: (name: string) => note(name, lock.lockWrite()),
  };
}

test('readers share the lock, and a writer is alone', async () => {
  const lock = new FairLock(new SharedArrayBuffer(FairLock.bytes));
  expect(lock.lockRead()).toBeUndefined();
  expect(lock.lockRead()).toBeUndefined();
  const { order, reads, writes } = queue(lock);
  const parties = [writes('writer'), reads('reader')];
  await turn();
  expect(order).toEqual([]);
  lock.unlockRead();
  await turn();
  expect(order).toEqual([]);
  lock.unlockRead();
  await turn();
  expect(order).toEqual(['writer']);
  lock.unlockWrite();
  await Promise.all(parties);
  expect(order).toEqual(['writer', 'reader']);
});

test('a reader waits for one writer only, however many queue; writers go in order', async () => {
  const lock = new FairLock(new SharedArrayBuffer(FairLock.bytes));
  expect(lock.lockWrite()).toBeUndefined();
  const { order, reads, writes } = queue(lock);
  void writes('second writer');
  void writes('third writer');
  void reads('reader');
  void reads('another reader');
  await turn();
  lock.unlockWrite();
  await turn();
  expect(order.sort()).toEqual(['another reader', 'reader']);
  lock.unlockRead();
  lock.unlockRead();
  await turn();
  expect(order.slice(2)).toEqual(['second writer']);
  lock.unlockWrite();
  await turn();
  expect(order.slice(3)).toEqual(['third writer']);
});

test('the lock goes on where its words wrap', async () => {
  const memory = new SharedArrayBuffer(FairLock.bytes);
  new Int32Array(memory).set([-256, -256, -1, -1]);
  const lock = new FairLock(memory);
  for (let i = 0; i < 4; i++) {
    expect(lock.lockRead()).toBeUndefined();
    lock.unlockRead();
    expect(lock.lockWrite()).toBeUndefined();
    const { order, reads, writes } = queue(lock);
    const parties = [reads('reader'), writes('writer')];
    await turn();
    lock.unlockWrite();
    await turn();
    expect(order).toEqual(['reader']);
    lock.unlockRead();
    await Promise.all(parties);
    lock.unlockWrite();
  }
});

test('two threads that write under the lock lose nothing, and none that reads sees half a change', async () => {
  const TIMES = 300;
  const memory = new SharedArrayBuffer(FairLock.bytes + 12);
  const workers = [0, 1].map(() => startWorker(new URL('fair-lock.inside.ts', import.meta.url), { memory, times: TIMES }));
  await Promise.all(workers.map((worker) => new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject))));
  expect([...new Int32Array(memory, FairLock.bytes)]).toEqual([2 * TIMES, 2 * TIMES, 0]);
});
