/**
 * Waits that nobody can end but who waits, and waits that only look like it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LockOrderError } from '../../lib/debug/index.js';
import { isRangefenceError } from '../../lib/index.js';
import { ignoreTimeout, judged, kinds, LIMIT, PAGE, setup } from '../support/debug/setup.js';
import { deferred, turns } from '../support/turns.js';

describe('a wait for what the same context must end', () => {
  it('is reported when a change waits for its own section, with both labels and both stacks, before the wait is over', async () => {
    const { reports, track } = setup();
    const tracker = track('file');
    let seen = 0;
    async function refreshesInside() {
      await tracker.lookup(PAGE, () => 1, { label: 'refresh', ...LIMIT });
    }
    async function flushes() {
      await tracker.mutate(PAGE, refreshesInside, { label: 'flush' });
    }
    const hanging = flushes().catch(ignoreTimeout);
    await judged();
    seen = reports.length;
    await hanging;
    expect(seen).toBe(1);
    const [error] = reports;
    expect(error).toBeInstanceOf(LockOrderError);
    expect(isRangefenceError(error)).toBe(true);
    expect(error).toMatchObject({ code: 'RANGEFENCE_LOCK_ORDER', kind: 'self-wait', severity: 'error', name: 'LockOrderError' });
    expect(error!.steps).toHaveLength(1);
    const [step] = error!.steps;
    expect(step!.waiter).toBe('lookup "refresh" of the tracker "file"');
    expect(step!.blocker).toBe('section "flush" over [0, 8) of the tracker "file"');
    expect(step!.obliged).toContain('the change of the section "flush"');
    expect(step!.waitedAt).toMatch(/RangeTracker\.lookup/);
    expect(step!.waitedAt).toContain('refreshesInside');
    expect(step!.beganAt).toMatch(/RangeTracker\.mutate/);
    expect(step!.beganAt).toContain('flushes');
    expect(step!.beganAt).not.toContain('lib/debug');
    for (const part of [step!.waiter!, step!.blocker, step!.waitedAt!, step!.beganAt]) expect(error!.message).toContain(part);
  });

  it('is reported for a section begun by hand in a declared context, also after awaits, and below it in a nested context', async () => {
    const { checker, reports, track } = setup();
    const tracker = track();
    const work = checker.run('job', async () => {
      await turns();
      const section = await tracker.begin(PAGE);
      await turns();
      await checker.run('inner', () => tracker.readBegin(PAGE, LIMIT).catch(ignoreTimeout));
      section.end();
    });
    await judged();
    expect(kinds(reports)).toEqual(['self-wait error']);
    expect(reports[0]!.steps[0]).toMatchObject({ waiter: 'readBegin of the tracker', obliged: 'job' });
    await work;
    await judged();
    expect(reports).toHaveLength(1);
  });

  it('is not reported for what nobody is known to wait for', async () => {
    const { checker, reports, track } = setup();
    const tracker = track();
    // By hand, outside any context: the same code ends it later.
    const section = await tracker.begin(PAGE);
    const reading = tracker.readBegin(PAGE);
    await judged();
    section.end();
    await reading;
    // Started by a change that returns at once, or by a callback that asks for no time.
    let late: Promise<unknown> = Promise.resolve();
    await tracker.mutate(PAGE, () => {
      late = tracker.lookup(PAGE, () => 1);
    });
    await late;
    const mirror = tracker.subscribe(PAGE, {
      invalidate() {
        late = tracker.lookup(PAGE, () => 1);
      },
    });
    const other = await tracker.begin(PAGE);
    await judged();
    other.end();
    await late;
    mirror.close();
    // Started by a context, which says that it does not wait for it.
    await checker.run('job', async () => {
      const held = await tracker.begin(PAGE);
      late = checker.run('refresh', () => tracker.lookup(PAGE, () => 1), { detached: true });
      await judged();
      held.end();
    });
    await late;
    expect(reports).toEqual([]);
  });

  it('is not reported when another context changes the same range', async () => {
    const { checker, reports, track } = setup();
    const tracker = track();
    const go = deferred();
    const writer = checker.run('writer', () => tracker.mutate(PAGE, () => go.promise));
    const reading = checker.run('reader', () => tracker.lookup(PAGE, () => 1));
    const mutating = checker.run('both', async () => {
      const change = tracker.mutate(PAGE, () => go.promise);
      await tracker.readBegin(PAGE); // does not wait for itself: the change runs on its own
      await change;
    });
    await judged();
    go.resolve();
    await Promise.all([writer, reading, mutating]);
    expect(reports).toEqual([]);
  });

  it('goes with the section: handed over, it obliges whoever has it now', async () => {
    const { checker, reports, track } = setup();
    const tracker = track();
    const other = await checker.run('other', async () => checker.current!);
    expect(other).toMatchObject({ label: 'other', over: true, parent: undefined });
    await checker.run('giver', async () => {
      const section = await tracker.begin(PAGE);
      checker.handOver(section);
      setTimeout(() => section.end(), 10);
      await tracker.readBegin(PAGE);
    });
    expect(reports).toEqual([]);
    const done = deferred();
    const taker = checker.run('taker', async () => {
      const me = checker.current!;
      const section = await checker.run('giver', () => tracker.begin(PAGE), { detached: true });
      await tracker.readBegin(PAGE, LIMIT).catch(ignoreTimeout);
      expect(reports).toEqual([]);
      const waiting = tracker.readBegin(PAGE, LIMIT).catch(ignoreTimeout);
      checker.handOver(section, me);
      await waiting;
      section.end();
      done.resolve();
    });
    await taker;
    expect(kinds(reports)).toEqual(['self-wait error']);
    expect(() => checker.handOver({} as never)).not.toThrow();
    expect(() => checker.handOver({} as never, {} as never)).toThrow('to is an object; expected a context of this package');
  });
});

describe('a wait in a callback for the section that waits for it', () => {
  it.each(['at once', 'after an await'])('is reported, with the label of the subscriber: %s', async (when) => {
    const { reports, track } = setup();
    const tracker = track('file');
    const mirror = {
      async invalidate() {
        if (when !== 'at once') await turns();
        await tracker.readBegin(PAGE, LIMIT).catch(ignoreTimeout);
      },
    };
    tracker.subscribe(PAGE, mirror, { label: 'mirror' });
    const begun = tracker.begin(PAGE, { label: 'truncate' });
    await judged();
    expect(kinds(reports)).toEqual(['callback-wait error']);
    const [step] = reports[0]!.steps;
    expect(step).toMatchObject({
      waiter: 'readBegin of the tracker "file"',
      blocker: 'section "truncate" over [0, 8) of the tracker "file"',
      obliged: 'the callback of the subscriber "mirror"',
    });
    if (when === 'at once') expect(step!.waitedAt).toContain('invalidate');
    expect(step!.beganAt).toContain('debug/waits.test.ts');
    (await begun).end();
  });

  it('is reported through the section around it, which must wait for the begin', async () => {
    const { reports, track } = setup();
    const files = track('files');
    const index = track('index');
    index.subscribe(PAGE, { invalidate: () => files.readBegin(PAGE, LIMIT).then(ignoreTimeout, ignoreTimeout) });
    await files.mutate(PAGE, () => index.mutate(PAGE, () => {}), { label: 'rename' });
    expect(kinds(reports)).toEqual(['self-wait error']);
    expect(reports[0]!.message).toContain('section "rename"');
  });

  it.each(['outside', 'inside'])(
    'is over when all have answered: what a callback left running obliges nobody, %s a context',
    async (where) => {
      const { checker, reports, track } = setup();
      const tracker = track();
      let late: Promise<unknown> = Promise.resolve();
      tracker.subscribe(PAGE, {
        async invalidate() {
          void turns().then(() => {
            late = tracker.readBegin(PAGE);
          });
        },
      });
      const changes = async () => {
        const section = await tracker.begin(PAGE);
        await judged();
        section.end();
      };
      await (where === 'outside' ? changes() : checker.run('job', changes));
      await late;
      expect(reports).toEqual([]);
    },
  );

  it('is none of a callback that has asked for no time, whatever others ask for', async () => {
    const { reports, track } = setup();
    const tracker = track();
    let late: Promise<unknown> = Promise.resolve();
    tracker.subscribe(PAGE, {
      invalidate() {
        late = tracker.lookup(PAGE, () => 1);
      },
    });
    tracker.subscribe(PAGE, { invalidate: judged });
    (await tracker.begin(PAGE)).end();
    await late;
    expect(reports).toEqual([]);
  });
});

describe('a wait that was given up', () => {
  it('is forgotten: of readBegin, and of a lookup', async () => {
    const { checker, reports, track } = setup({ graceMs: 20 });
    const a = track('a');
    const abort = new AbortController();
    const signal = abort.signal;
    await checker.run('one', async () => {
      const section = await a.begin(PAGE);
      const waits = [a.readBegin(PAGE, { signal }), a.lookup(PAGE, () => 1, { signal })];
      abort.abort(new Error('enough'));
      for (const wait of waits) await expect(wait).rejects.toThrow('enough');
      await sleep(40);
      section.end();
    });
    expect(reports).toEqual([]);
  });

  it('is forgotten: of a begin that queued behind a hold', async () => {
    const { checker, reports, track } = setup();
    const tracker = track('file');
    const opened = deferred();
    const holding = tracker.lookup(PAGE, () => opened.promise, { maxAttempts: 1, label: 'holder' });
    const abort = new AbortController();
    await checker.run('writer', async () => {
      const outer = await tracker.begin(PAGE);
      opened.resolve();
      await turns();
      const inner = tracker.begin(PAGE, { signal: abort.signal });
      await turns();
      abort.abort(new Error('enough')); // in the same turn of the event loop
      await expect(inner).rejects.toThrow('enough');
      await judged();
      outer.end();
    });
    await holding;
    expect(tracker.stats.queued).toBe(1);
    expect(reports).toEqual([]);
    expect(checker.leaks()).toEqual([]);
  });
});
