/**
 * Sections that nobody can end any more, since their tracker was collected. Needs `--expose-gc`.
 */
import { describe, expect, it } from 'vitest';
import { judged, kinds, PAGE, setup } from '../support/debug/setup.js';

describe('open sections', () => {
  it('of a tracker that was collected are reported, with label and stack', async () => {
    expect(typeof gc).toBe('function');
    const { reports, track, checker } = setup();
    async function drops() {
      const tracker = track('dropped');
      await tracker.begin(PAGE, { label: 'never ended' });
      (await tracker.begin(PAGE, { label: 'ended' })).end();
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

describe('what is over', () => {
  it('is not kept until the end of a turn in which nothing but promises runs', async () => {
    const { checker, track } = setup();
    const tracker = track('busy');
    const rounds = 4000;
    const round = async () => {
      for (let i = 0; i < rounds; i++) {
        const section = tracker.tryBegin(PAGE)!;
        const reading = tracker.lookup(PAGE, () => 1);
        section.end();
        await reading;
      }
    };
    await checker.run('warm', round);
    await judged();
    gc!();
    const before = process.memoryUsage().heapUsed;
    await checker.run('job', round);
    gc!();
    // A stack alone is about a kilobyte, and each round takes two.
    expect((process.memoryUsage().heapUsed - before) / rounds).toBeLessThan(1000);
  });
});
