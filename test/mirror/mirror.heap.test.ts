import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { RangeMirror } from '../../lib/mirror/index.js';
import { turns } from '../support/model/clock.js';

const CALLS = 100_000;
/** The measurement itself, and the compiler, take a few hundred bytes, at times a few thousand. */
const TOLERANCE = 16 * 1024;

/** Runs in a process of its own: coverage, where these tests run under it, counts every block in boxes on the heap. */
const PROBE = `
import { RangeTracker } from './lib/index.ts';
import { RangeMirror } from './lib/mirror/index.ts';

const mirror = new RangeMirror({
  tracker: new RangeTracker(),
  pageSize: 8,
  load: (first, count) => Array.from({ length: count }, (_, i) => 'page ' + (first + i)),
});
const one = { start: 0, end: 8 };
const four = { start: 0, end: 32 };
await mirror.read(four);
let sink = 0;
const situations = {
  peek: () => { for (let i = 0; i < ${CALLS}; i++) sink += mirror.peek(i & 3).length; },
  miss: () => { for (let i = 0; i < ${CALLS}; i++) if (mirror.peek(9) === undefined) sink++; },
  one: () => { for (let i = 0; i < ${CALLS}; i++) if (mirror.read(one) !== undefined) sink++; },
  four: () => { for (let i = 0; i < ${CALLS}; i++) if (mirror.read(four) !== undefined) sink++; },
  leastForOne: () => { for (let i = 0; i < ${CALLS}; i++) if (Promise.resolve(new Array(1).fill('')) !== undefined) sink++; },
  leastForFour: () => { for (let i = 0; i < ${CALLS}; i++) if (Promise.resolve(new Array(4).fill('')) !== undefined) sink++; },
};
const allocated = (run) => {
  let least = Infinity;
  for (let round = 0; round < 20; round++) {
    gc();
    const before = process.memoryUsage().heapUsed;
    run();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least;
};
console.log(JSON.stringify({ ...Object.fromEntries(Object.entries(situations).map(([name, run]) => [name, allocated(run)])), sink }));
`;

describe('the hit path', () => {
  let measured: Record<'peek' | 'miss' | 'one' | 'four' | 'leastForOne' | 'leastForFour', number>;

  beforeAll(async () => {
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    // No scavenge in between: what a round allocates must all be there when it is counted.
    const flags = ['--expose-gc', '--max-semi-space-size=64', '--min-semi-space-size=64', '--import', 'tsx'];
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--input-type=module', '-e', PROBE], { cwd });
    measured = JSON.parse(stdout);
  }, 60_000);

  it('of peek allocates nothing, whether the page is present or not', () => {
    expect(measured.peek).toBeLessThan(TOLERANCE);
    expect(measured.miss).toBeLessThan(TOLERANCE);
  });

  it('of read allocates a promise and an array of pages, and nothing else', () => {
    expect(measured.leastForOne).toBeGreaterThan(CALLS * 32);
    expect(measured.one - measured.leastForOne).toBeLessThan(TOLERANCE);
    expect(measured.four - measured.leastForFour).toBeLessThan(TOLERANCE);
  });
});

describe('what is gone', () => {
  it('keeps neither pages, nor reads, nor loads alive, however they ended', async () => {
    const tracker = new RangeTracker();
    const kept: WeakRef<object>[] = [];
    const remember = <T extends object>(value: T): T => {
      kept.push(new WeakRef(value));
      return value;
    };
    let fails = false;
    const mirror = new RangeMirror<object>({
      tracker,
      pageSize: 1,
      maxPages: 2,
      load: async (_first, count, context) => {
        remember(context);
        remember(context.signal);
        context.observe({ start: -5, end: -4 });
        await turns(2);
        if (fails) throw remember(new Error('failed'));
        return Array.from({ length: count }, () => remember({ page: true }));
      },
    });
    const many = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        const controller = remember(new AbortController());
        await mirror.read({ start: 0, end: 3 }, { signal: controller.signal, timeoutMs: 60_000 });
        const hit = mirror.read({ start: 7, end: 9 });
        await tracker.mutate({ start: 7, end: 8 }, () => {});
        await hit;
        const aborted = mirror.read({ start: 20, end: 22 }, { signal: controller.signal }).catch(() => {});
        controller.abort(remember(new Error('stop')));
        await aborted;
        fails = true;
        await mirror.read({ start: 30, end: 32 }).catch(() => {});
        fails = false;
      }
      await tracker.mutate({ start: 0, end: 100 }, () => {});
    };
    await many();
    for (let i = 0; i < 2; i++) {
      await new Promise((resolve) => setImmediate(resolve)); // a WeakRef keeps its target until the end of the turn
      gc!();
    }
    expect(mirror.size).toBe(0);
    expect(tracker.inspect().subscribedRanges).toBe(1);
    expect(kept.length).toBeGreaterThan(20 * 12);
    expect(kept.filter((one) => one.deref() !== undefined).length).toBe(0);
  });
});
