/**
 * The contract suite against trackers that are no RangeTracker: one that only passes everything on comes through, and each
 * of those that are wrong in one point fails, where it is wrong.
 */
import { describe, expect, it } from 'vitest';
import { type Clock, type Fetch, type Ranges, RangeTracker, type RangeTrackerOptions } from '../../lib/index.js';
import { type ContractTracker, describeContract, type MakeTracker } from '../../lib/testing/contract/index.js';

type Test = () => Promise<void>;

/** The tests of the suite by their full names: a test runner that runs nothing. */
function collect(make: MakeTracker): Map<string, Test> {
  const groups: string[] = [];
  const tests = new Map<string, Test>();
  describeContract({
    name: 'tracker',
    make,
    describe(name, body) {
      groups.push(name);
      body();
      groups.pop();
    },
    it: (name, body) => tests.set([...groups, name].join(' > '), body),
  });
  return tests;
}

/** Passes everything on but what it does itself. */
function wrap(tracker: RangeTracker, own: (tracker: RangeTracker) => Partial<ContractTracker> = () => ({})): ContractTracker {
  const methods: Partial<ContractTracker> = own(tracker);
  return new Proxy(tracker, {
    get(target, key) {
      if (Object.hasOwn(methods, key)) return methods[key as keyof ContractTracker];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Keeps a timer that it will never clear. */
const leaky = (clock: Clock): Clock => ({
  now: () => clock.now(),
  setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
  clearTimeout() {},
});

/** What is wrong, how to get it, and the end of the name of a test that must notice. */
const wrongs: readonly [name: string, make: MakeTracker, noticed: string][] = [
  [
    'never asks for a retry',
    (options) => wrap(new RangeTracker(options), () => ({ readRetry: () => false })),
    'a token sees a section that began and ended after it, and names it',
  ],
  [
    'does not say what has collided',
    (options) =>
      wrap(new RangeTracker(options), (tracker) => ({
        collision(...args) {
          const { label: _, ...rest } = tracker.collision(...args) ?? {};
          return 'reason' in rest ? rest : undefined;
        },
      })),
    'a token sees a section that began and ended after it, and names it',
  ],
  [
    'commits a turn after the check',
    (options) =>
      wrap(new RangeTracker(options), (tracker) => ({
        async lookup<R>(ranges: Ranges, fetch: Fetch<unknown>, rest: { readonly commit?: unknown } = {}): Promise<R> {
          const { commit, ...others } = rest;
          const value = await tracker.lookup(ranges, fetch, others);
          return (typeof commit === 'function' ? commit(value) : value) as R;
        },
      })),
    'nothing can begin between the check and the commit of a fetch that returns a value',
  ],
  [
    'waits for the hull of what a reader names',
    (options) =>
      wrap(new RangeTracker(options), (tracker) => ({
        tryReadBegin(ranges, filter) {
          const all = [ranges].flat();
          const start = Math.min(...all.map((one) => one.start));
          return tracker.tryReadBegin({ start, end: Math.max(...all.map((one) => one.end)) }, filter);
        },
      })),
    'ranges that share a single number collide at that number, at either end',
  ],
  [
    'does not listen to a signal',
    (options) =>
      wrap(new RangeTracker(options), (tracker) => ({
        readBegin: (ranges, { signal: _, ...rest } = {}) => tracker.readBegin(ranges, rest),
      })),
    'a readBegin > rejects with the reason of its signal, at once, and leaves nothing behind',
  ],
  [
    'leaves a listener behind',
    (options) =>
      wrap(new RangeTracker(options), (tracker) => ({
        readBegin(ranges, rest = {}) {
          rest.signal?.addEventListener('abort', () => {}, { once: true });
          return tracker.readBegin(ranges, rest);
        },
      })),
    'a readBegin > does not mind a signal that fires, or a limit that passes, after it is done',
  ],
  [
    'leaves a timer behind',
    (options) => wrap(new RangeTracker({ ...options, clock: leaky(options.clock!) })),
    'a readBegin > does not mind a signal that fires, or a limit that passes, after it is done',
  ],
  [
    'has a time of its own',
    ({ clock: _, ...options }) => wrap(new RangeTracker(options)),
    'a readBegin > rejects with TimeoutError after timeoutMs and leaves nothing behind',
  ],
  [
    'counts in 32 bits',
    ({ initialSeq = 0, ...options }) => wrap(new RangeTracker({ ...options, initialSeq: initialSeq >>> 0 })),
    'a counter that starts at 4503599627370496 > moves by one at every begin and every end, and never wraps',
  ],
  [
    'remembers only one section',
    (options) => wrap(new RangeTracker({ ...options, historyCapacity: 1 })),
    'a token older than the history > collides with the reason history-lost, and is counted',
  ],
  [
    'lets no begin queue',
    (options) =>
      wrap(new RangeTracker(options), (tracker) => ({
        async begin(ranges, rest) {
          const section = tracker.tryBegin(ranges, rest);
          if (section === undefined) throw new Error('busy');
          return section;
        },
      })),
    'a hold delays overlapping begins only',
  ],
];

const plain: MakeTracker = (options: RangeTrackerOptions) => wrap(new RangeTracker(options));

describe('the contract suite', () => {
  const tests = collect(plain);
  /** Hundreds of thousands of runs: they examine nothing that a wrapper could do wrong. */
  const quick = [...tests].filter(([name]) => !name.includes('come through in every order'));

  it('has 265 tests with 265 names', () => {
    expect([tests.size, tests.size - quick.length]).toEqual([265, 8]);
  });

  it('is passed by a tracker that passes everything on', { timeout: 60_000 }, async () => {
    const failed: string[] = [];
    for (const [name, test] of quick) await test().catch((error) => failed.push(`${name}: ${error}`));
    expect(failed).toEqual([]);
  });

  it.each(wrongs)('is not passed by a tracker that %s', async (_name, make, noticed) => {
    const named = [...collect(make)].filter(([name]) => name.endsWith(noticed));
    expect(named).toHaveLength(1);
    await expect(named[0]![1]()).rejects.toThrow();
    await tests.get(named[0]![0])!();
  });
});
