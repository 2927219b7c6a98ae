/**
 * One of the threads of fair-lock.test.ts: it adds to two words, one after the other, and looks at them in between.
 */
import { workerData } from 'node:worker_threads';
import { FairLock } from '../../bench/threads/fair-lock.js';

const { memory, times } = workerData as { memory: SharedArrayBuffer; times: number };
const lock = new FairLock(memory);
const values = new Int32Array(memory, FairLock.bytes);
const pause = () => new Promise(setImmediate);

async function run(): Promise<void> {
  for (let i = 0; i < times; i++) {
    await lock.lockWrite();
    const value = values[0]! + 1;
    values[0] = value;
    await pause();
    values[1] = value;
    lock.unlockWrite();
    await lock.lockRead();
    const first = values[0];
    await pause();
    if (first !== values[1]) Atomics.add(values, 2, 1);
    lock.unlockRead();
  }
}

void run();
