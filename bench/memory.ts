/**
 * Memory: what a tracker and the things on it take, as docs/sizing.md says it. `node --expose-gc --import tsx bench/memory.ts`
 *
 * Each figure is the growth of the heap and of array buffers by many of one thing, after collections, divided by their number.
 */
import { RangeTracker } from '../lib/index.js';
import { KeyedFence } from '../lib/keyed/index.js';
import { RangeMirror } from '../lib/mirror/index.js';

declare const gc: (() => void) | undefined;

async function bytes(): Promise<number> {
  if (gc === undefined) throw new Error('needs --expose-gc');
  for (let i = 0; i < 4; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes of one, where `make` makes `count` of them and returns what keeps them alive. */
async function each(count: number, make: (count: number) => unknown): Promise<number> {
  await make(count >> 4); // what the first ones bring about belongs to nobody
  const before = await bytes();
  const kept = await make(count);
  const grown = (await bytes()) - before;
  return kept === undefined ? Number.NaN : grown / count;
}

const page = Object.freeze({});
const range = (start: number, end: number) => ({ start, end });

const rows: readonly (readonly [string, number, (count: number) => unknown])[] = [
  ['an idle tracker', 5_000, (count) => Array.from({ length: count }, () => new RangeTracker())],
  [
    'a tracker after its first section',
    5_000,
    async (count) => {
      const trackers = Array.from({ length: count }, () => new RangeTracker());
      for (const tracker of trackers) await tracker.invalidate(range(0, 1));
      return trackers;
    },
  ],
  [
    'a subscription',
    100_000,
    (count) => {
      const tracker = new RangeTracker();
      const subscriber = { invalidate() {} };
      return [tracker, Array.from({ length: count }, (_, i) => tracker.subscribe(range(i, i + 1), subscriber))];
    },
  ],
  [
    'a remembered section of one range',
    60_000,
    async (count) => {
      const tracker = new RangeTracker({ historyCapacity: 60_000 });
      for (let i = 0; i < count; i++) tracker.tryBegin(range(i, i + 1))!.end();
      return tracker;
    },
  ],
  [
    'a page of a mirror, beside what is in it',
    60_000,
    async (count) => {
      const tracker = new RangeTracker();
      const load = async (_first: number, many: number) => Array.from({ length: many }, () => page);
      const mirror = new RangeMirror({ tracker, pageSize: 1, range: range(0, count), maxPages: count, load });
      for (let at = 0; at < count; at += 50) await mirror.read(range(at, Math.min(count, at + 50)));
      return [tracker, mirror];
    },
  ],
  [
    'a key that a fence has looked up',
    60_000,
    async (count) => {
      const fence = new KeyedFence<string>();
      for (let i = 0; i < count; i++) await fence.lookup(`key ${i}`, () => page);
      return fence;
    },
  ],
];

for (const [name, count, make] of rows)
  console.log(
    `${name.padEnd(46)} ${Math.round(await each(count, make))
      .toLocaleString('en-US')
      .padStart(8)} bytes`,
  );
