/**
 * What others put between readers and writers, for comparison: deletions by Pub/Sub after a write, as many write them by hand; and one
 * lock around everything, as redlock takes it from one server: SET NX PX with a token of its own, taken back by a script.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { sleep } from './server.js';

export type GuardName = 'deletions' | 'lock';

/** How a process reads and writes. */
export interface Guard {
  read(read: () => Promise<void>): Promise<void>;
  change(slot: number, change: () => Promise<void>): Promise<void>;
  close(): void;
}

export function guardBy(name: GuardName, redis: Redis, drop: (slot: number) => void): Promise<Guard> {
  return name === 'deletions' ? deletions(redis, drop) : lock(redis, drop);
}

async function deletions(redis: Redis, drop: (slot: number) => void): Promise<Guard> {
  const listening = redis.duplicate();
  await listening.subscribe('deletions');
  listening.on('message', (_channel, slot) => drop(Number(slot)));
  return {
    read: (read) => read(),
    change: async (slot, change) => {
      await change();
      drop(slot);
      await redis.publish('deletions', String(slot));
    },
    close: () => listening.disconnect(),
  };
}

const LOCK_MS = 10_000;
/** Of redlock's settings the shortest that makes sense here; its own default is 200 ms, with which it is slower. */
const RETRY_MS = 5;
const RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/** Nothing is kept under it: a value that is used without the lock is used inside of a change. */
async function lock(redis: Redis, drop: (slot: number) => void): Promise<Guard> {
  const locked = async (act: () => Promise<void>): Promise<void> => {
    const token = randomUUID();
    while ((await redis.set('lock', token, 'PX', LOCK_MS, 'NX')) === null) await sleep(RETRY_MS * (0.5 + Math.random()));
    try {
      await act();
    } finally {
      await redis.eval(RELEASE, 1, 'lock', token);
    }
  };
  return {
    read: async (read) => {
      await locked(read);
      for (let slot = 0; slot < 64; slot++) drop(slot);
    },
    change: (_slot, change) => locked(change),
    close: () => {},
  };
}
