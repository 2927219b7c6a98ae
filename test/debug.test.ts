import { execFile } from 'node:child_process';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type LockOrder, LockOrderError, type LockOrderOptions, lockOrder } from '../lib/debug/index.js';
import { isRangefenceError, RangeTracker, type RangeTrackerOptions } from '../lib/index.js';
import { ManualClock } from './support/clock.js';
import { range } from './support/reading.js';
import { deferred, soon, turns } from './support/turns.js';

const PAGE = range(0, 8);
/** What hangs on purpose must not outlive its test: every wait that is meant to stand has this limit. */
const LIMIT = { timeoutMs: 200 };
const ignoreTimeout = () => {};

/** A checker that collects, and trackers under it. */
function setup(options: LockOrderOptions = {}) {
  const reports: LockOrderError[] = [];
  const checker = lockOrder({ report: (error) => reports.push(error), ...options });
  const track = (label?: string, more: RangeTrackerOptions = {}) => new RangeTracker({ observer: checker, label, ...more });
  return { checker, reports, track };
}

/** Until everything suspected has been judged: this timer is set after that of the checker, and is longer. */
async function judged(): Promise<void> {
  await setImmediate();
  await sleep(5);
}

/** The kinds, in order. */
const kinds = (reports: readonly LockOrderError[]) => reports.map(({ kind, severity }) => `${kind} ${severity}`);

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
      const section = await tracker.invalidate(PAGE);
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
    const section = await tracker.invalidate(PAGE);
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
    const other = await tracker.invalidate(PAGE);
    await judged();
    other.end();
    await late;
    mirror.close();
    // Started by a context, which says that it does not wait for it.
    await checker.run('job', async () => {
      const held = await tracker.invalidate(PAGE);
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
      const section = await tracker.invalidate(PAGE);
      checker.handOver(section);
      setTimeout(() => section.end(), 10);
      await tracker.readBegin(PAGE);
    });
    expect(reports).toEqual([]);
    const done = deferred();
    const taker = checker.run('taker', async () => {
      const me = checker.current!;
      const section = await checker.run('giver', () => tracker.invalidate(PAGE), { detached: true });
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
    const begun = tracker.invalidate(PAGE, { label: 'truncate' });
    await judged();
    expect(kinds(reports)).toEqual(['callback-wait error']);
    const [step] = reports[0]!.steps;
    expect(step).toMatchObject({
      waiter: 'readBegin of the tracker "file"',
      blocker: 'section "truncate" over [0, 8) of the tracker "file"',
      obliged: 'the callback of the subscriber "mirror"',
    });
    if (when === 'at once') expect(step!.waitedAt).toContain('invalidate');
    expect(step!.beganAt).toContain('debug.test.ts');
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

  it('is over when all have answered: what a callback left running obliges nobody', async () => {
    const { reports, track } = setup();
    const tracker = track();
    let late: Promise<unknown> = Promise.resolve();
    tracker.subscribe(PAGE, {
      async invalidate() {
        void turns().then(() => {
          late = tracker.readBegin(PAGE);
        });
      },
    });
    const section = await tracker.invalidate(PAGE);
    await judged();
    section.end();
    await late;
    expect(reports).toEqual([]);
  });
});

describe('a cycle', () => {
  it('across two trackers and two contexts is reported once, with every section, every wait and their stacks', async () => {
    const { reports, track } = setup();
    const a = track('a');
    const b = track('b');
    const both = [deferred(), deferred()];
    async function fromAToB() {
      both[0]!.resolve();
      await both[1]!.promise;
      await b.readBegin(PAGE, LIMIT).catch(ignoreTimeout);
    }
    async function fromBToA() {
      both[1]!.resolve();
      await both[0]!.promise;
      await a.lookup(PAGE, () => 1, LIMIT).catch(ignoreTimeout);
    }
    const all = [a.mutate(PAGE, fromAToB, { label: 'first' }), b.mutate(PAGE, fromBToA, { label: 'second' })];
    await judged();
    const cycles = reports.filter(({ kind }) => kind === 'cycle');
    expect(kinds(cycles)).toEqual(['cycle error']);
    const { steps, message } = cycles[0]!;
    expect(steps.map(({ waiter, blocker }) => `${waiter} -> ${blocker}`).sort()).toEqual([
      'lookup of the tracker "a" -> section "first" over [0, 8) of the tracker "a"',
      'readBegin of the tracker "b" -> section "second" over [0, 8) of the tracker "b"',
    ]);
    for (const name of ['fromAToB', 'fromBToA']) expect(message).toContain(name);
    await Promise.all(all);
    await judged();
    expect(reports.filter(({ kind }) => kind === 'cycle')).toHaveLength(1);
  });

  it('of three, through a callback and declared contexts, is reported', async () => {
    const { checker, reports, track } = setup();
    const [a, b, c] = [track('a'), track('b'), track('c')];
    // a's begin waits for a callback, which waits for b, whose owner waits for c, whose owner waits for a.
    a!.subscribe(PAGE, { invalidate: () => b!.readBegin(PAGE, LIMIT).then(ignoreTimeout, ignoreTimeout) });
    const owner = (name: string, own: RangeTracker, wanted: RangeTracker) =>
      checker.run(name, async () => {
        const section = await own.invalidate(PAGE);
        await turns();
        await wanted.readBegin(PAGE, LIMIT).catch(ignoreTimeout);
        section.end();
      });
    const all = [owner('of b', b!, c!), owner('of c', c!, a!), checker.run('of a', () => a!.mutate(PAGE, () => {}))];
    await judged();
    const cycles = reports.filter(({ kind }) => kind === 'cycle');
    expect(cycles.map(({ steps }) => steps.map(({ obliged }) => obliged).sort())).toEqual([
      ['of b', 'of c', 'the callback of a subscriber'],
    ]);
    await Promise.all(all);
  });

  it('through a hold is a warning that names the cure, as holdMs ends it', async () => {
    const clock = new ManualClock();
    const { checker, reports, track } = setup();
    const tracker = track('file', { clock });
    const opened = deferred();
    const holding = tracker.lookup(PAGE, () => opened.promise, { maxAttempts: 1, label: 'holder' });
    const failing = expect(holding).rejects.toThrow('held its ranges for 1000 ms');
    const writer = checker.run('writer', async () => {
      const outer = await tracker.invalidate(PAGE, { label: 'outer' });
      opened.resolve(); // this attempt is lost, and the next one holds
      await judged();
      await tracker.mutate(PAGE, () => {}, { label: 'inner' }); // queues behind the hold, which waits for `outer`
      outer.end();
    });
    await judged();
    await judged();
    expect(tracker.inspect()).toMatchObject({
      holds: [{ label: 'holder', admitted: false }],
      sections: [{}, { label: 'inner' }],
    });
    clock.advance(2000);
    await Promise.all([writer, failing]);
    const warnings = reports.filter(({ kind }) => kind === 'cycle');
    expect(kinds(warnings)).toEqual(['cycle warning']);
    expect(warnings[0]!.message).toContain('`within`');
    expect(warnings[0]!.steps.map(({ waiter, blocker, obliged }) => [waiter, blocker, obliged])).toEqual([
      [expect.stringContaining('section "inner"'), 'lookup "holder" of the tracker "file"', undefined],
      ['lookup "holder" of the tracker "file"', expect.stringContaining('section "outer"'), 'writer'],
    ]);
  });

  it('that ends by itself within graceMs is not reported', async () => {
    const clock = new ManualClock();
    const { reports, track } = setup({ graceMs: 100, clock });
    const tracker = track();
    const turn = async (ms: number) => {
      const waiting = deferred<Promise<unknown>>();
      const change = tracker.mutate(PAGE, async () => {
        waiting.resolve(tracker.readBegin(PAGE)); // not waited for
        await turns();
        clock.advance(ms);
        await turns();
      });
      await change;
      await waiting.promise;
    };
    await turn(99);
    expect(reports).toEqual([]);
    await turn(101);
    expect(kinds(reports)).toEqual(['self-wait error']);
  });
});

describe('a wait that was given up', () => {
  it('is forgotten: of readBegin, and of a lookup', async () => {
    const { checker, reports, track } = setup({ graceMs: 20 });
    const a = track('a');
    const abort = new AbortController();
    const signal = abort.signal;
    await checker.run('one', async () => {
      const section = await a.invalidate(PAGE);
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
      const outer = await tracker.invalidate(PAGE);
      opened.resolve();
      await turns();
      const inner = tracker.invalidate(PAGE, { signal: abort.signal });
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

describe('an order', () => {
  it('of begins in two spaces, seen once each way, is a warning, once, though nothing hung', async () => {
    const { reports, track } = setup();
    const [a, b] = [track('a'), track('b')];
    await a!.mutate(PAGE, () => b!.mutate(PAGE, () => {}));
    await soon(a!.mutate(PAGE, () => b!.mutate(PAGE, () => {})));
    expect(reports).toEqual([]);
    async function theOtherWay() {
      await b!.mutate(PAGE, () => a!.mutate(PAGE, () => {}, { label: 'late' }), { label: 'early' });
    }
    await theOtherWay();
    expect(reports).toEqual([]); // classes are labels: "late" inside "early" is nothing known
    await b!.mutate(PAGE, () => a!.mutate(PAGE, () => {}));
    await b!.mutate(PAGE, () => a!.mutate(PAGE, () => {}));
    expect(kinds(reports)).toEqual(['inversion warning']);
    const { steps, message } = reports[0]!;
    expect(message).toMatch(/^"a" was begun inside a section of "b", and also the other way round/);
    expect(steps.map(({ waiter, blocker }) => [waiter, blocker].map((name) => /tracker "(.)"/.exec(name!)![1]))).toEqual([
      ['a', 'b'],
      ['b', 'a'],
    ]);
    for (const { waitedAt, beganAt } of steps) expect(`${waitedAt}${beganAt}`).toContain('debug.test.ts');
  });

  it('goes by labels, whatever the trackers; of what has none, by the tracker', async () => {
    const { reports, track } = setup();
    const trackers = [track(), track(), track(), track()];
    const nest = (outer: number, inner: number, labels: [string?, string?] = []) =>
      trackers[outer]!.mutate(PAGE, () => trackers[inner]!.mutate(PAGE, () => {}, { label: labels[1] }), { label: labels[0] });
    await nest(0, 1);
    await nest(2, 3);
    await nest(3, 1);
    expect(reports).toEqual([]);
    await nest(1, 0);
    expect(kinds(reports)).toEqual(['inversion warning']);
    await nest(0, 1, ['data', 'index']);
    await nest(0, 1, ['data', 'journal']);
    expect(reports).toHaveLength(1);
    await nest(2, 3, ['index', 'data']);
    expect(reports).toHaveLength(2);
    await nest(0, 0, ['journal', 'data']); // within one space nothing is out of order
    expect(reports).toHaveLength(2);
  });

  it('of three that goes round is found, too', async () => {
    const { reports, track } = setup();
    const [a, b, c] = [track('a'), track('b'), track('c')] as [RangeTracker, RangeTracker, RangeTracker];
    await a.mutate(PAGE, () => b.mutate(PAGE, () => {}));
    await b.mutate(PAGE, () => c.mutate(PAGE, () => {}));
    expect(reports).toEqual([]);
    await c.mutate(PAGE, () => a.mutate(PAGE, () => {}));
    expect(reports.map(({ steps }) => steps.length)).toEqual([3]);
  });

  it('of lookups inside sections counts, also when they did not have to wait; mixed with begins it does not', async () => {
    const { reports, track } = setup();
    const [a, b, c] = [track('a'), track('b'), track('c')] as [RangeTracker, RangeTracker, RangeTracker];
    const read = (tracker: RangeTracker) => () => tracker.lookup(PAGE, () => 1);
    await a.mutate(PAGE, read(c));
    await c.mutate(PAGE, () => a.mutate(PAGE, () => {}));
    await a.mutate(PAGE, read(b));
    expect(reports).toEqual([]);
    await b.mutate(PAGE, read(a));
    expect(kinds(reports)).toEqual(['inversion warning']);
    expect(reports[0]!.message).toMatch(/^"a" was read inside/);
  });

  it('counts a callback as inside the section that waits for it', async () => {
    const { reports, track } = setup();
    const [a, b] = [track('a'), track('b')] as [RangeTracker, RangeTracker];
    a.subscribe(PAGE, { invalidate: () => b.mutate(PAGE, () => {}) });
    await a.mutate(PAGE, () => {});
    await b.mutate(range(8, 16), () => a.mutate(range(8, 16), () => {}));
    expect(kinds(reports)).toEqual(['inversion warning']);
  });
});

describe('open sections', () => {
  it('are listed with label, stack, age and whether who began them is over', async () => {
    const clock = new ManualClock();
    const { checker, track } = setup({ clock });
    const tracker = track('file');
    async function forgets() {
      await tracker.invalidate(PAGE, { label: 'forgotten' });
    }
    await checker.run('job', forgets);
    clock.advance(1000);
    const kept = await tracker.invalidate(range(8, 16), { label: 'kept' });
    expect(checker.leaks()).toHaveLength(2);
    const [old, ...none] = checker.leaks({ olderThanMs: 1000 });
    expect(none).toEqual([]);
    expect(old).toMatchObject({ forMs: 1000, obliged: 'job', abandoned: true });
    expect(old!.section).toBe('section "forgotten" over [0, 8) of the tracker "file"');
    expect(old!.beganAt).toContain('forgets');
    kept.end();
    expect(checker.leaks()).toHaveLength(1);
  });

  it('of a tracker that was collected are reported, with label and stack', async () => {
    expect(typeof gc).toBe('function');
    const { reports, track, checker } = setup();
    async function drops() {
      const tracker = track('dropped');
      await tracker.invalidate(PAGE, { label: 'never ended' });
      (await tracker.invalidate(PAGE, { label: 'ended' })).end();
    }
    await drops();
    for (let i = 0; i < 50 && reports.length === 0; i++) {
      await judged();
      gc!();
    }
    await judged();
    expect(kinds(reports)).toEqual(['leak warning']);
    const { message, steps } = reports[0]!;
    expect(message).toContain('section "never ended" over [0, 8) of the tracker "dropped" was never ended');
    expect(steps[0]).toMatchObject({ waiter: undefined, waitedAt: undefined });
    expect(steps[0]!.beganAt).toContain('drops');
    expect(checker.leaks()).toEqual([]);
  });
});

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
      const section = await tracker.invalidate(PAGE);
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
    (await callback.invalidate(PAGE)).end();
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
      tracker.tryInvalidate(PAGE)!.end();
      look();
    });
    const one = 'the callback of the subscriber "one"';
    const change = 'the change of the section of kind "clear" over [0, 8) of the tracker';
    expect(inside).toEqual([one, 'job', change, change, 'job', one, 'job']);
    expect(checker.current).toBeUndefined();
  });
});

describe('a report', () => {
  afterEach(() => void vi.restoreAllMocks());

  it.each([
    [{ report: 1 }, 'report is 1; expected a function'],
    [{ graceMs: -1 }, 'graceMs is -1; expected milliseconds, at least 0'],
    [{ graceMs: Number.NaN }, 'graceMs is NaN'],
    [{ contexts: 'some' }, "contexts is \"some\"; expected 'automatic' or 'explicit'"],
    [{ clock: 1 }, 'clock is 1; expected an object with now, setTimeout and clearTimeout'],
  ])('needs good options: %j', (options, message) => {
    expect(() => lockOrder(options as never)).toThrow(message);
  });

  it('of a warning goes to the console unless something else is said', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const checker: LockOrder = lockOrder();
    const [a, b] = ['a', 'b'].map((label) => new RangeTracker({ label, observer: checker })) as [RangeTracker, RangeTracker];
    await a.mutate(PAGE, () => b.mutate(PAGE, () => {}));
    await b.mutate(PAGE, () => a.mutate(PAGE, () => {}));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toMatch(/the other way round/);
  });

  it('of an error ends a process that would have waited for ever, unless something else is said', {
    timeout: 30_000,
  }, async () => {
    const program = `
      import { RangeTracker } from ${JSON.stringify(new URL('../lib/index.ts', import.meta.url).href)};
      import { lockOrder } from ${JSON.stringify(new URL('../lib/debug/index.ts', import.meta.url).href)};
      const tracker = new RangeTracker({ observer: lockOrder() });
      await tracker.mutate({ start: 0, end: 8 }, () => tracker.readBegin({ start: 0, end: 8 }));`;
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
    const failed = await promisify(execFile)(process.execPath, args, { cwd, timeout: 25_000 }).then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    );
    expect(failed?.code).toBe(1);
    expect(failed?.stderr).toMatch(/LockOrderError|RANGEFENCE_LOCK_ORDER/);
    expect(failed?.stderr).toContain('which waits for this');
    expect(failed?.stderr).toMatch(
      /began\n {4}at RangeTracker\.mutate .*\n[\s\S]*began to wait for it\n {4}at RangeTracker\.readBegin /,
    );
  });
});
