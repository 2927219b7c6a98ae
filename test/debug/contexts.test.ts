/**
 * Who the current context is, and for how long.
 */
import { describe, expect, it, vi } from 'vitest';
import { lockOrder } from '../../lib/debug/index.js';
import { RangeTracker } from '../../lib/index.js';
import { ignoreTimeout, judged, kinds, LIMIT, PAGE, setup } from '../support/debug/setup.js';
import { turns } from '../support/turns.js';

describe('contexts', () => {
  it('are over when what they were opened for is done, whatever way', async () => {
    const { checker } = setup();
    const seen: { over: boolean }[] = [];
    const look = () => seen.push(checker.current!);
    expect(checker.automatic).toBe(true);
    expect(checker.run('value', look)).toBe(1);
    expect(() =>
      checker.run('throws', () => {
        look();
        throw new Error('no');
      }),
    ).toThrow('no');
    const rejects = async () => {
      look();
      throw new Error('late');
    };
    await expect(checker.run('rejects', rejects)).rejects.toThrow('late');
    expect(seen.map(({ over }) => over)).toEqual([true, true, true]);
    expect(checker.current).toBeUndefined();
    expect(() => checker.run(1 as never, () => {})).toThrow('context is 1; expected a name, or a context of this package');
    expect(() => checker.run('x', 1 as never)).toThrow('fn is 1; expected a function');
  });

  it('where nothing carries them along, last for the call, and can be entered again', async () => {
    const { checker, reports, track } = setup({ contexts: 'explicit' });
    const tracker = track();
    expect(checker.automatic).toBe(false);
    const work = checker.run('job', async () => {
      const me = checker.current!;
      const section = await tracker.begin(PAGE);
      expect(checker.current).toBeUndefined();
      await tracker.readBegin(PAGE, { timeoutMs: 20 }).catch(ignoreTimeout);
      expect(reports).toEqual([]);
      await checker.run(me, () => tracker.readBegin(PAGE, LIMIT)).catch(ignoreTimeout);
      section.end();
    });
    await work;
    expect(kinds(reports)).toEqual(['self-wait error']);
    const callback = track('callback');
    callback.subscribe(PAGE, { invalidate: () => callback.readBegin(PAGE, LIMIT).then(ignoreTimeout, ignoreTimeout) });
    (await callback.begin(PAGE)).end();
    expect(kinds(reports)).toEqual(['self-wait error', 'callback-wait error']);
  });

  it.each([{}, { process: {} }, { process: { getBuiltinModule: () => undefined } }])('need no AsyncLocalStorage: %j', (host) => {
    const real = process;
    vi.stubGlobal('process', (host as { process?: unknown }).process);
    const { automatic } = lockOrder();
    vi.stubGlobal('process', real);
    expect(automatic).toBe(false);
  });

  it('do not leak out of a change or a callback', async () => {
    const { checker, track } = setup();
    const tracker = track();
    const inside: (string | undefined)[] = [];
    const look = () => void inside.push(checker.current?.label);
    tracker.subscribe(PAGE, { invalidate: look }, { label: 'one' });
    await checker.run('job', async () => {
      const change = tracker.mutate(PAGE, async () => {
        look();
        await turns();
        look();
      });
      look();
      await change;
      look();
      tracker.tryBegin(PAGE)!.end();
      look();
    });
    const one = 'the callback of the subscriber "one"';
    const change = 'the change of the section of kind "clear" over [0, 8) of the tracker';
    expect(inside).toEqual([one, 'job', change, change, 'job', one, 'job']);
    expect(checker.current).toBeUndefined();
  });

  it('that are over have no children: what is started in them later stands alone', async () => {
    const { checker, reports, track } = setup();
    const tracker = track();
    let late: Promise<unknown> = Promise.resolve();
    const parents: unknown[] = [];
    const held = await checker.run('job', async () => {
      void turns().then(() => {
        late = checker.run('late', () => {
          parents.push(checker.current!.parent);
          return tracker.readBegin(PAGE);
        });
      });
      return tracker.begin(PAGE);
    });
    await judged();
    held.end();
    await late;
    expect(parents).toEqual([undefined]);
    expect(reports).toEqual([]);
  });

  it('that wait for several others are blocked by those that still run', async () => {
    const { checker, reports, track } = setup();
    const tracker = track();
    await checker.run('job', async () => {
      const section = await tracker.begin(PAGE);
      await checker.run('done', async () => {});
      const reading = checker.run('reads', () => tracker.readBegin(PAGE, LIMIT).catch(ignoreTimeout));
      await Promise.all([reading, checker.run('works', turns)]);
      section.end();
    });
    expect(kinds(reports)).toEqual(['self-wait error']);
    expect(reports[0]!.steps[0]!.obliged).toBe('job');
  });

  it('survive a callback that ends the section itself, and an observer that passes on only some of the events', async () => {
    const { checker, reports, track } = setup();
    const tracker = track();
    const mirror = tracker.subscribe(PAGE, { invalidate: (section) => section.end() });
    await expect(tracker.mutate(PAGE, () => {})).rejects.toThrow('ended before its begin was done');
    mirror.close();
    const partly = new RangeTracker({ observer: { ...checker, begin() {}, wait() {} } });
    partly.subscribe(PAGE, { invalidate: async () => {} });
    const labels: string[] = [];
    await partly.mutate(PAGE, async () => {
      labels.push(checker.current!.label);
      await partly.readBegin(PAGE, { timeoutMs: 10 }).catch(ignoreTimeout);
    });
    expect(labels).toEqual(['the change of the section']);
    expect([tracker.stats.observerErrors, partly.stats.observerErrors]).toEqual([0, 0]);
    expect(checker.leaks()).toEqual([]);
    expect(reports).toEqual([]);
  });
});
