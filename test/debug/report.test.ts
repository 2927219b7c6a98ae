/**
 * What a report says and where it goes, and what is still open.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type LockOrder, lockOrder } from '../../lib/debug/index.js';
import { RangeTracker } from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { LIMIT, PAGE, setup } from '../support/debug/setup.js';
import { range } from '../support/reading.js';

describe('open sections', () => {
  it('are listed with label, stack, age and whether who began them is over', async () => {
    const clock = new ManualClock();
    const { checker, track } = setup({ clock });
    const tracker = track('file');
    async function forgets() {
      await tracker.begin(PAGE, { label: 'forgotten' });
    }
    await checker.run('job', forgets);
    clock.advance(1000);
    const kept = await tracker.begin(range(8, 16), { label: 'kept' });
    expect(checker.leaks()).toHaveLength(2);
    const [old, ...none] = checker.leaks({ olderThanMs: 1000 });
    expect(none).toEqual([]);
    expect(old).toMatchObject({ forMs: 1000, obliged: 'job', abandoned: true });
    expect(old!.section).toBe('section "forgotten" over [0, 8) of the tracker "file"');
    expect(old!.beganAt).toContain('forgets');
    kept.end();
    expect(checker.leaks()).toHaveLength(1);
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

  it('needs no limit of stacks that the engine can be told', async () => {
    const { reports, track } = setup();
    const limit = Error.stackTraceLimit;
    try {
      (Error as { stackTraceLimit?: number | undefined }).stackTraceLimit = undefined;
      await track('file').mutate(PAGE, () => {});
    } finally {
      Error.stackTraceLimit = limit;
    }
    expect(reports).toEqual([]);
    const { reports: others, track: make } = setup();
    const tracker = make('file');
    await tracker.mutate(PAGE, () => tracker.readBegin(PAGE, LIMIT).catch(() => {}));
    expect(others[0]!.steps[0]!.waitedAt).toContain('debug/report.test.ts');
    expect(Error.stackTraceLimit).toBe(limit);
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
      import { RangeTracker } from ${JSON.stringify(new URL('../../lib/index.ts', import.meta.url).href)};
      import { lockOrder } from ${JSON.stringify(new URL('../../lib/debug/index.ts', import.meta.url).href)};
      const tracker = new RangeTracker({ observer: lockOrder() });
      await tracker.mutate({ start: 0, end: 8 }, () => tracker.readBegin({ start: 0, end: 8 }));`;
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
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
