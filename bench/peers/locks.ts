/**
 * Locks: npm's reader/writer locks and a mutex as techniques, each taken as its documentation shows, and nothing around it.
 *
 * They have no check, as nothing can have come between; and no others that are active: all of them guard one thing, so a second
 * writer waits for the first.
 */
import { RWLock as RocicorpLock } from '@rocicorp/lock';
import { Mutex } from 'async-mutex';
import { RWLock as AsyncRwlock } from 'async-rwlock';
import ReadwriteLock from 'readwrite-lock';
import Rwlock from 'rwlock';
import type { Range } from '../../lib/index.js';
import type { Fetch } from '../guards/guard.js';
import { RocicorpGuard } from '../guards/rocicorp.js';
import { RwlockGuard } from '../guards/rwlock.js';
import { BATCH, type Micro } from '../support/micro.js';
import type { Sections, Technique } from './technique.js';

const KEY = 'file';

/** Read lock and unlock of `rwlock`. */
export function rwlockMicro(kind: 'readLock' | 'writeLock' = 'readLock'): Micro & { name: 'rwlock' } {
  const lock = new Rwlock();
  let entered = 0;
  const section = (release: () => void) => {
    entered++;
    release();
  };
  return {
    name: 'rwlock',
    expected: BATCH,
    batch() {
      entered = 0;
      for (let i = 0; i < BATCH; i++) lock[kind](section);
      return entered;
    },
  };
}

/** The same of `@rocicorp/lock`. */
export function rocicorpMicro(kind: 'read' | 'write' = 'read'): Micro & { name: '@rocicorp/lock' } {
  const lock = new RocicorpLock();
  return {
    name: '@rocicorp/lock',
    expected: BATCH,
    async batch() {
      let entered = 0;
      for (let i = 0; i < BATCH; i++) {
        const release = await lock[kind]();
        entered++;
        release();
      }
      // It keeps something of every read until the next write: without one it would only grow.
      (await lock.write())();
      return entered;
    },
  };
}

function asyncRwlockMicro(kind: 'readLock' | 'writeLock'): Micro {
  const lock = new AsyncRwlock();
  return {
    name: 'async-rwlock',
    expected: BATCH,
    async batch() {
      let entered = 0;
      for (let i = 0; i < BATCH; i++) {
        await lock[kind]();
        entered++;
        lock.unlock();
      }
      return entered;
    },
  };
}

function readwriteLockMicro(kind: 'acquireRead' | 'acquireWrite'): Micro {
  const lock = new ReadwriteLock();
  let entered = 0;
  const section = () => {
    entered++;
  };
  return {
    name: 'readwrite-lock',
    expected: BATCH,
    async batch() {
      entered = 0;
      for (let i = 0; i < BATCH; i++) await lock[kind](KEY, section);
      return entered;
    },
  };
}

function mutexMicro(): Micro {
  const mutex = new Mutex();
  return {
    name: 'async-mutex',
    expected: BATCH,
    async batch() {
      let entered = 0;
      for (let i = 0; i < BATCH; i++) {
        const release = await mutex.acquire();
        entered++;
        release();
      }
      return entered;
    },
  };
}

class AsyncRwlockSections implements Sections {
  readonly #lock = new AsyncRwlock();

  async read<T>(_range: Range, fetch: Fetch<T>): Promise<T> {
    await this.#lock.readLock();
    try {
      return await fetch();
    } finally {
      this.#lock.unlock();
    }
  }

  async mutate(_range: Range, change: () => Promise<void>): Promise<void> {
    await this.#lock.writeLock();
    try {
      await change();
    } finally {
      this.#lock.unlock();
    }
  }
}

class ReadwriteLockSections implements Sections {
  readonly #lock = new ReadwriteLock();

  read<T>(_range: Range, fetch: Fetch<T>): Promise<T> {
    return this.#lock.acquireRead(KEY, fetch);
  }

  mutate(_range: Range, change: () => Promise<void>): Promise<void> {
    return this.#lock.acquireWrite(KEY, change);
  }
}

class MutexSections implements Sections {
  readonly #mutex = new Mutex();

  read<T>(_range: Range, fetch: Fetch<T>): Promise<T> {
    return this.#mutex.runExclusive(fetch as () => Promise<T>);
  }

  mutate(_range: Range, change: () => Promise<void>): Promise<void> {
    return this.#mutex.runExclusive(change);
  }
}

const alone = (make: () => Micro) => (others: number) => (others === 0 ? make() : undefined);

/** All of this file. */
export const LOCKS: readonly Technique[] = [
  {
    name: 'rwlock',
    read: () => rwlockMicro(),
    write: alone(() => rwlockMicro('writeLock')),
    sections: () => new RwlockGuard(),
  },
  {
    name: 'async-rwlock',
    read: () => asyncRwlockMicro('readLock'),
    write: alone(() => asyncRwlockMicro('writeLock')),
    sections: () => new AsyncRwlockSections(),
  },
  {
    name: '@rocicorp/lock',
    read: () => rocicorpMicro(),
    write: alone(() => rocicorpMicro('write')),
    sections: () => new RocicorpGuard(),
    leaks: true,
  },
  {
    name: 'readwrite-lock',
    read: () => readwriteLockMicro('acquireRead'),
    write: alone(() => readwriteLockMicro('acquireWrite')),
    sections: () => new ReadwriteLockSections(),
  },
  { name: 'async-mutex', read: mutexMicro, write: alone(mutexMicro), sections: () => new MutexSections() },
];
