/**
 * Waits that show in no event of one section or lookup alone.
 */
import { describe, expect, it } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { CycleError, fence, KeyedFence } from '../../lib/keyed/index.js';
import { RangeMirror } from '../../lib/mirror/index.js';
import { ignoreTimeout, judged, kinds, LIMIT, PAGE, setup } from '../support/debug/setup.js';
import { deferred, soon, turns } from '../support/turns.js';

/** A lazy promise, as query builders return them: whoever calls `then` starts it. */
const lazily = <T>(start: () => Promise<T>): PromiseLike<T> => ({
  // biome-ignore lint/suspicious/noThenProperty: that is what it is
  then: (fulfilled, rejected) => start().then(fulfilled, rejected),
});

describe('an order of reads that did not have to wait', () => {
  it('by hand, seen once each way, is a warning, though nothing hung', async () => {
    const { reports, track } = setup();
    const [a, b] = [track('a'), track('b')];
    await a.mutate(PAGE, () => b.readBegin(PAGE));
    expect(reports).toEqual([]);
    await b.mutate(PAGE, () => a.readBegin(PAGE));
    expect(kinds(reports)).toEqual(['inversion warning']);
    expect(reports[0]!.message).toMatch(/^"a" was read inside a section of "b"/);
    for (const { waitedAt, beganAt } of reports[0]!.steps) expect(`${waitedAt}${beganAt}`).toContain('debug/hidden.test.ts');
  });

  it('of a subscription, or of keys, is seen, too', async () => {
    const { checker, reports, track } = setup();
    const [a, b] = [track('a'), track('b')];
    const subscription = b.subscribe(PAGE, { invalidate: () => {} });
    await a.mutate(PAGE, () => subscription.readBegin());
    await b.mutate({ start: 20, end: 21 }, () => a.readBegin(PAGE));
    expect(kinds(reports)).toEqual(['inversion warning']);
    const [rows, names] = ['rows', 'names'].map((label) => new KeyedFence<string>({ label, observer: checker }));
    await rows!.mutate('x', () => names!.readBegin('x'));
    await names!.mutate('x', () => rows!.readBegin('x'));
    expect(kinds(reports)).toEqual(['inversion warning', 'inversion warning']);
  });

  it('that does not wait by its nature is none: tryReadBegin', async () => {
    const { reports, track } = setup();
    const [a, b] = [track('a'), track('b')];
    await a.mutate(PAGE, () => b.tryReadBegin(PAGE));
    await b.mutate(PAGE, () => a.tryReadBegin(PAGE));
    expect(reports).toEqual([]);
  });
});

describe('a thenable that starts when it is asked', () => {
  it('and waits for the section of the change that returned it is reported', async () => {
    const { reports, track } = setup();
    const tracker = track('file');
    const result = await tracker.mutate(PAGE, () => lazily(() => tracker.readBegin(PAGE, LIMIT).catch(() => 'late')));
    expect(result).toBe('late');
    expect(kinds(reports)).toEqual(['self-wait error']);
  });

  it('and waits for the section whose begin waits for the callback that returned it is reported', async () => {
    const { reports, track } = setup();
    const tracker = track('file');
    const wait = () => tracker.readBegin(PAGE, LIMIT).then(ignoreTimeout, ignoreTimeout);
    tracker.subscribe(PAGE, { invalidate: () => lazily(wait) });
    (await tracker.begin(PAGE)).end();
    expect(kinds(reports)).toEqual(['callback-wait error']);
  });

  it('is started once, and what it comes to is what is passed on', async () => {
    let starts = 0;
    const counted = <T>(value: T) =>
      lazily(async () => {
        starts++;
        return value;
      });
    for (const { track } of [setup(), { track: () => new RangeTracker() }]) {
      const tracker = track();
      tracker.subscribe(PAGE, { invalidate: () => counted(undefined) });
      expect(await tracker.mutate(PAGE, () => counted(7))).toBe(7);
      const broken = lazily(() => Promise.reject(new Error('broken')));
      await expect(tracker.mutate(PAGE, () => broken)).rejects.toThrow('broken');
      expect(starts).toBe(3);
      starts = 0;
      const threw = {
        // biome-ignore lint/suspicious/noThenProperty: as above
        then: () => {
          throw new Error('thrown');
        },
      };
      await expect(tracker.mutate(PAGE, () => threw)).rejects.toThrow('thrown');
      starts = 0;
    }
  });
});

describe('a subscriber that waits for the end of its tracker', () => {
  it('is reported: the end waits for the subscriber', async () => {
    const { reports, track } = setup();
    const tracker = track('file');
    const go = deferred();
    tracker.subscribe(PAGE, { invalidate: () => Promise.race([tracker.close(), go.promise]) }, { label: 'mirror' });
    const begun = tracker.begin(PAGE).catch(ignoreTimeout);
    await judged();
    expect(kinds(reports)).toEqual(['callback-wait error']);
    expect(reports[0]!.message).toContain('close of the tracker "file" waits for the section "file" over [-Infinity, Infinity)');
    expect(reports[0]!.message).toContain('the callback of the subscriber "mirror"');
    go.resolve();
    await begun;
    await tracker.close();
    await judged();
    expect(reports).toHaveLength(1);
  });

  it('is not reported if it does not return what it waits for, nor are others who close', async () => {
    const { checker, reports, track } = setup();
    const tracker = track('file');
    const go = deferred();
    tracker.subscribe(PAGE, { invalidate: () => void tracker.close() });
    tracker.subscribe(PAGE, { invalidate: () => go.promise });
    const closing = checker.run('one', () => tracker.close());
    const again = checker.run('other', () => tracker.close());
    await judged();
    go.resolve();
    await Promise.all([closing, again]);
    expect(reports).toEqual([]);
  });
});

describe('a wait for a load that others share', () => {
  type Shared = (load: () => Promise<unknown>) => Promise<unknown>;
  const sharing: Record<
    string,
    (track: ReturnType<typeof setup>['track'], checker: ReturnType<typeof setup>['checker']) => Shared
  > = {
    'of a fenced cache': (_, checker) => {
      const cached = fence(new Map<string, unknown>(), { keyed: new KeyedFence<string>({ label: 'cache', observer: checker }) });
      return (load) => cached.getOrLoad('key', load);
    },
    'of an asynchronous cache': (_, checker) => {
      const map = new Map<string, unknown>();
      const cache = {
        get: async (key: string) => map.get(key),
        set: async (key: string, value: unknown) => void map.set(key, value),
        delete: async (key: string) => map.delete(key),
      };
      const cached = fence(cache, { keyed: new KeyedFence<string>({ label: 'cache', observer: checker }) });
      return (load) => cached.getOrLoad('key', load);
    },
    'of a mirror': (track) => {
      const tracker = track('mirrored');
      let first: () => Promise<unknown> = async () => {};
      const load = async () => [await first()];
      const mirror = new RangeMirror({ tracker, range: PAGE, pageSize: 8, load });
      return (own) => {
        first = own;
        return mirror.read(PAGE);
      };
    },
  };

  it.each(Object.entries(sharing))('whose load waits for what the caller holds is reported: %s', async (_, make) => {
    const { checker, reports, track } = setup();
    const file = track('file');
    const read = make(track, checker);
    const go = deferred();
    const writing = checker.run('writer', () =>
      file.mutate(PAGE, async () => {
        await go.promise;
        await read(async () => 'not this one'); // shares the load of the reader, which waits for this section
      }),
    );
    await turns();
    const reading = checker.run('reader', () => read(() => file.readBegin(PAGE, LIMIT).catch(ignoreTimeout) as Promise<unknown>));
    await turns();
    go.resolve();
    await judged();
    expect(kinds(reports)).toEqual(['cycle error']);
    expect(reports[0]!.message).toContain('shares the load of');
    expect(reports[0]!.message).toContain('the change of the section');
    await Promise.all([writing, reading]);
    await judged();
    expect(reports).toHaveLength(1);
  });

  it.each(Object.entries(sharing))('that goes on is not reported: %s', async (_, make) => {
    const { checker, reports, track } = setup();
    const [file, other] = [track('file'), track('other')];
    const read = make(track, checker);
    const go = deferred();
    const others = await other.begin(PAGE);
    const reading = checker.run('reader', () =>
      read(async () => {
        await other.readBegin(PAGE);
        return 'loaded';
      }),
    );
    const writing = checker.run('writer', () => file.mutate(PAGE, () => read(async () => 'not this one')));
    await judged();
    others.end();
    go.resolve();
    await soon(Promise.all([writing, reading]));
    // What was left behind by whoever gave up obliges nobody.
    expect(reports).toEqual([]);
  });

  it('that was given up is forgotten, and so is whoever started it', async () => {
    const { checker, reports, track } = setup({ graceMs: 20 });
    const file = track('file');
    const cached = fence(new Map<string, unknown>(), { keyed: new KeyedFence<string>({ observer: checker }) });
    const abort = new AbortController();
    const section = await file.begin(PAGE);
    const other = checker.run('other', () => judged().then(() => cached.getOrLoad('key', () => 1)));
    await checker.run('starter', async () => {
      const reading = cached.getOrLoad('key', () => file.readBegin(PAGE), { signal: abort.signal });
      await turns();
      await judged();
      abort.abort(new Error('enough'));
      await expect(reading).rejects.toThrow('enough');
      checker.handOver(section, checker.current); // the load goes on for the other one, and this one does not wait for it
      await new Promise((resolve) => setTimeout(resolve, 40));
      section.end();
    });
    await other;
    expect(reports).toEqual([]);
  });

  it.each(['of a mirror', 'of a fenced cache'])('by the load itself ends with an error of its own: %s', async (which) => {
    const { checker, reports, track } = setup();
    const read = sharing[which]!(track, checker);
    await expect(read(() => turns().then(() => read(async () => 1)))).rejects.toThrow(CycleError);
    await judged();
    expect(reports).toEqual([]);
  });
});

describe('a job that others run', () => {
  it('is what whoever bound it waits for: it must not wait for what that one holds', async () => {
    const { checker, reports, track } = setup();
    const tracker = track('file');
    const jobs: (() => Promise<unknown>)[] = [];
    let wake = deferred();
    let isOver = false;
    const worker = checker.run('worker', async () => {
      while (!isOver) {
        await wake.promise;
        wake = deferred();
        for (const job of jobs.splice(0)) await job();
      }
    });
    const inQueue = (job: () => Promise<unknown>) =>
      new Promise((resolve) => {
        jobs.push(() => job().then(resolve));
        wake.resolve();
      });
    const wait = () => tracker.readBegin(PAGE, LIMIT).catch(ignoreTimeout);
    await tracker.mutate(PAGE, () => inQueue(wait));
    expect(reports).toEqual([]); // nobody can know
    await tracker.mutate(PAGE, () => inQueue(checker.bind(wait)));
    expect(kinds(reports)).toEqual(['self-wait error']);
    isOver = true;
    await inQueue(async () => {});
    await worker;
  });

  it('keeps its arguments and its result, and belongs to nobody if it was bound outside any context', async () => {
    const { checker } = setup();
    const label = () => checker.current?.label;
    const outside = checker.bind((a: number, b: number) => [a + b, label()]);
    const inside = checker.run('job', () => checker.bind(label));
    expect(checker.run('worker', () => outside(1, 2))).toEqual([3, undefined]);
    expect(checker.run('worker', () => inside())).toBe('job');
    expect(() => checker.bind(7 as never)).toThrow('fn is 7; expected a function');
  });
});
