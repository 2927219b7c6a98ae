import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import type { Measured } from '../support/allocation.js';
import { range } from '../support/reading.js';
import { soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);
/** One number boxed on the heap takes 12 to 16 bytes: a box a call would be megabytes. */
const TOLERANCE = 64 * 1024;

describe('the hot path of a reader', () => {
  let measured: Record<Measured, number>;

  // In a process of its own: coverage, where these tests run under it, counts every block in boxes on the heap.
  beforeAll(async () => {
    const probe = fileURLToPath(new URL('../support/allocation.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--import', 'tsx', probe]);
    measured = JSON.parse(stdout);
  }, 60_000);

  it('is measured in a way that sees an allocation when there is one', () => {
    expect(measured.control).toBeGreaterThan(10_000 * 16);
  });

  it.each<[string, Measured]>([
    ['while all is quiet', 'quiet'],
    ['with a counter beyond 31 bits', 'beyond 31 bits'],
    ['while others are active elsewhere', 'active elsewhere'],
    ['when others have ended since the token', 'ended elsewhere'],
    ['when the answer is that an active one is in the way', 'active here'],
    ['when the answer is that one has ended', 'ended here'],
    ['when the memory no longer reaches back', 'history lost'],
  ])('a tryReadBegin with its readRetry over one range allocates nothing %s', (_when, name) => {
    expect(measured[name]).toBeLessThan(TOLERANCE);
  });
});

describe('what is dropped', () => {
  it('a token that nobody checks leaves nothing, however many there are', () => {
    const tracker = new RangeTracker();
    let sum = 0;
    const run = () => {
      for (let i = 0; i < 200_000; i++) sum += tracker.tryReadBegin(PAGE)!;
    };
    const left = () => {
      gc!();
      const before = process.memoryUsage().heapUsed;
      run();
      gc!();
      return process.memoryUsage().heapUsed - before;
    };
    run();
    // The least of some runs: the engine compiles in the background, and keeps what it has made.
    expect(Math.min(...Array.from({ length: 5 }, left))).toBeLessThan(TOLERANCE);
    expect([sum, tracker.inspect().waiting, tracker.inspect().inFlightRanges]).toEqual([0, 0, 0]);
  });

  it('a lookup that is over leaves neither its value nor its attempt behind, however it ended', async () => {
    const tracker = new RangeTracker();
    const kept: WeakRef<object>[] = [];
    const remember = <T extends object>(value: T): T => {
      kept.push(new WeakRef(value));
      return value;
    };
    const many = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        const controller = remember(new AbortController());
        const bounds = { signal: controller.signal, timeoutMs: 60_000 };
        await soon(
          tracker.lookup(PAGE, async (attempt) => remember({ attempt: remember(attempt), signal: attempt.signal }), bounds),
        );
        await tracker.lookup(PAGE, (attempt) => Promise.reject(remember({ attempt: remember(attempt) })), bounds).catch(() => {});
        const section = tracker.tryBegin(PAGE)!;
        const waiting = tracker.lookup(PAGE, (attempt) => remember(attempt).number, bounds).catch(() => {});
        await turns(3);
        controller.abort(remember(new Error('stop')));
        await waiting;
        section.end();
      }
    };
    await many();
    await new Promise((resolve) => setImmediate(resolve)); // a WeakRef keeps its target until the end of the turn
    gc!();
    await new Promise((resolve) => setImmediate(resolve));
    gc!();
    expect(kept.length).toBe(20 * 6);
    expect(kept.filter((one) => one.deref() !== undefined).length).toBe(0);
  });

  it('a section, a subscription and an ended wait are free as soon as their owner drops them', async () => {
    const tracker = new RangeTracker();
    const kept: WeakRef<object>[] = [];
    const many = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        const subscriber = { invalidate() {}, end() {} };
        const mirror = tracker.subscribe(PAGE, subscriber);
        const section = tracker.tryBegin(PAGE, { label: 'x' })!;
        const waiting = mirror.readBegin();
        await turns(2);
        section.end();
        await soon(waiting);
        mirror.close();
        kept.push(new WeakRef(subscriber), new WeakRef(mirror), new WeakRef(section));
      }
    };
    await many();
    await new Promise((resolve) => setImmediate(resolve));
    gc!();
    expect(kept.filter((one) => one.deref() !== undefined).length).toBe(0);
  });

  it('a tracker that nobody refers to is free, with everything in it', async () => {
    const make = (): WeakRef<object> => {
      const tracker = new RangeTracker();
      tracker.subscribe(PAGE, { invalidate() {} });
      tracker.tryBegin(PAGE);
      void tracker.readBegin(PAGE);
      void tracker.lookup(range(20, 28), ({ signal }) => new Promise(() => signal.aborted));
      return new WeakRef(tracker);
    };
    const kept = Array.from({ length: 20 }, make);
    await new Promise((resolve) => setImmediate(resolve));
    gc!();
    expect(kept.filter((one) => one.deref() !== undefined).length).toBe(0);
  });
});
