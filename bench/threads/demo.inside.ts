/**
 * One thread of the demo: four readers, or the writer, under one of the guards.
 */
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
import { RangeTracker } from '../../lib/index.js';
import '../../lib/threads/index.js';
import { FairLock } from './fair-lock.js';
import { type Ground, PAGES, type Said, WORDS } from './ground.js';

/** The versions of a page's first and last word. */
type Page = readonly [first: number, last: number];

interface Technique {
  read(page: number): Page | Promise<Page>;
  /** Calls `change` when it may. */
  change(page: number, change: () => Promise<void>): Promise<void>;
}

const { guard, memory, known, lock, handle, isWriter } = workerData as Ground;
const words = new Int32Array(memory);
const versions = new Int32Array(known);
const said: Said = { reads: 0, hits: 0, torn: 0, stale: 0, changes: 0 };
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const any = () => Math.floor(Math.random() * PAGES);

/** Reads a page in two steps: something may come in between. */
async function load(page: number): Promise<Page> {
  const first = Atomics.load(words, page * WORDS);
  await sleep(1);
  return [first, Atomics.load(words, page * WORDS + WORDS - 1)];
}

function rangefence(): Technique {
  const tracker = new RangeTracker({ space: handle });
  const kept = new Map<number, Page>();
  const drop = (_: unknown, ranges: readonly { readonly start: number; readonly end: number }[]) => {
    for (const { start, end } of ranges) for (let page = start; page < end; page++) kept.delete(page);
  };
  tracker.subscribe({ start: 0, end: PAGES }, { invalidate: drop });
  return {
    read(page) {
      const had = kept.get(page);
      if (had !== undefined) {
        said.hits++;
        return had;
      }
      const commit = (got: Page) => {
        kept.set(page, got);
        return got;
      };
      return tracker.lookup({ start: page, end: page + 1 }, () => load(page), { commit });
    },
    async change(page, change) {
      const section = await tracker.begin({ start: page, end: page + 1 });
      await change();
      section.end();
    },
  };
}

function locked(): Technique {
  const fair = new FairLock(lock);
  return {
    async read(page) {
      await fair.lockRead();
      const got = await load(page);
      fair.unlockRead();
      return got;
    },
    async change(_page, change) {
      await fair.lockWrite();
      await change();
      fair.unlockWrite();
    },
  };
}

function message(): Technique {
  const channel = new BroadcastChannel('demo');
  const kept = new Map<number, Page>();
  channel.onmessage = (event) => kept.delete((event as { data: number }).data);
  return {
    async read(page) {
      const had = kept.get(page);
      if (had !== undefined) {
        said.hits++;
        return had;
      }
      const got = await load(page);
      kept.set(page, got);
      return got;
    },
    async change(page, change) {
      await change();
      channel.postMessage(page);
    },
  };
}

const { read, change } = { rangefence, lock: locked, message }[guard]();

async function reader(): Promise<void> {
  for (;;) {
    // What is kept is used many times between two turns, as it would be.
    for (let i = 0; i < 16; i++) {
      const page = any();
      const asked = Atomics.load(versions, page);
      const [first, last] = await read(page);
      said.reads++;
      if (first !== last) said.torn++;
      else if (first < asked) said.stale++;
    }
    await sleep(0);
  }
}

async function writer(): Promise<void> {
  for (let version = 1; ; version++) {
    const page = any();
    await change(page, async () => {
      for (let i = 0; i < WORDS / 2; i++) Atomics.store(words, page * WORDS + i, version);
      await sleep(1);
      for (let i = WORDS / 2; i < WORDS; i++) Atomics.store(words, page * WORDS + i, version);
    });
    Atomics.store(versions, page, version);
    said.changes++;
    await sleep(2);
  }
}

parentPort!.on('message', () => parentPort!.postMessage(said));
parentPort!.postMessage(said);
if (isWriter) void writer();
else for (let i = 0; i < 4; i++) void reader();
