/**
 * The other threads of figures.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { RangeTracker } from '../../lib/index.js';
import type { ThreadHandle } from '../../lib/threads/index.js';
import '../../lib/threads/index.js';
import { FairLock } from './fair-lock.js';

/** What a thread does: nothing; keeps something; or changes pages, under the tracker or under the lock. */
export type Load =
  | { readonly type: 'idle' | 'subscriber' }
  | {
      readonly type: 'range' | 'lock';
      readonly invalidators: number;
      readonly pages: number;
      /** The lock's, and after it a counter of changes. */
      readonly memory: SharedArrayBuffer;
    };

const { load, handle } = workerData as { readonly load: Load; readonly handle: ThreadHandle };
const tracker = new RangeTracker({ space: handle });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function range(pages: number): (change: () => Promise<unknown>) => Promise<void> {
  return async (change) => {
    const start = Math.floor(Math.random() * pages);
    const section = await tracker.begin({ start, end: start + 1 });
    await change();
    section.end();
  };
}

function locked(memory: SharedArrayBuffer): (change: () => Promise<unknown>) => Promise<void> {
  const lock = new FairLock(memory);
  return async (change) => {
    await lock.lockWrite();
    await change();
    lock.unlockWrite();
  };
}

async function invalidator(mutate: (change: () => Promise<unknown>) => Promise<void>, changes: Int32Array): Promise<void> {
  for (;;) {
    await mutate(() => sleep(1));
    Atomics.add(changes, 0, 1);
  }
}

if (load.type === 'subscriber') tracker.subscribe({ start: 0, end: 1024 }, { invalidate() {} });
if (load.type === 'range' || load.type === 'lock') {
  const mutate = load.type === 'range' ? range(load.pages) : locked(load.memory);
  for (let i = 0; i < load.invalidators; i++) void invalidator(mutate, new Int32Array(load.memory, FairLock.bytes));
}
parentPort!.on('message', () => {}); // stays until it is ended
parentPort!.postMessage('ready');
