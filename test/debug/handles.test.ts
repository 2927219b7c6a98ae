/**
 * Handles of sections that were dropped without an end. The collector is asked for by a flag that is set here, and not by
 * `--expose-gc`: the runner of seeded faults has none.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Invalidation, RangeTracker } from '../../lib/index.js';
import { fence, KeyedFence } from '../../lib/keyed/index.js';
import { judged, kinds, PAGE, setup } from '../support/debug/setup.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects until so many were reported, or nothing more comes. */
async function collect(reports: readonly unknown[], count: number): Promise<void> {
  for (let i = 0; i < 20 && reports.length < count; i++) {
    await judged();
    gc();
  }
  await judged();
}

describe('a handle that was dropped', () => {
  it('is reported while its tracker lives, with the place at which the section began, once', async () => {
    const { reports, track, checker } = setup();
    const tracker = track('file');
    async function forgets() {
      await tracker.begin(PAGE, { label: 'forgotten' });
    }
    function forgetsAtOnce() {
      tracker.tryBegin(PAGE, { label: 'forgotten at once' });
    }
    await forgets();
    forgetsAtOnce();
    await collect(reports, 2);
    expect(kinds(reports)).toEqual(['leak warning', 'leak warning']);
    const about = (label: string) => reports.find(({ message }) => message.includes(label))!;
    expect(about('"forgotten"').message).toContain(
      'the section "forgotten" over [0, 8) of the tracker "file" was never ended, and nobody holds it any more',
    );
    expect(about('"forgotten"').steps[0]!.beganAt).toContain('forgets');
    expect(about('"forgotten at once"').steps[0]!.beganAt).toContain('forgetsAtOnce');
    expect(tracker.activeCount).toBe(2);
    expect(checker.leaks().map(({ abandoned }) => abandoned)).toEqual([true, true]);
  });

  it('of keys is reported, too, and so is the handle of one that a driver opens', async () => {
    const { reports, checker } = setup();
    const keyed = new KeyedFence<string>({ label: 'users', observer: checker });
    const cached = fence(new Map<string, unknown>(), { keyed });
    const forgets = async () => {
      await keyed.begin('ada', { label: 'by key' });
      await cached.begin('bob', { label: 'by cache' });
    };
    await forgets();
    await collect(reports, 2);
    expect(reports.map(({ message }) => /^the section "(.*?)"/.exec(message)![1]).sort()).toEqual(['by cache', 'by key']);
    expect(keyed.tracker.activeCount).toBe(2);
  });

  it('is none if the section has ended, is still held, or is ended by a mutate; a handle is what a section is', async () => {
    const { reports, track, checker } = setup();
    const tracker = track('file');
    const held: Invalidation[] = [];
    const works = async () => {
      (await tracker.begin(PAGE)).end();
      tracker.tryBegin(PAGE)![Symbol.dispose]();
      held.push(await tracker.begin(PAGE, { label: 'held', kind: 'unmap', owner: held }));
      await tracker.mutate(PAGE, () => {
        gc();
      });
    };
    await works();
    await collect(reports, 1);
    expect(reports).toEqual([]);
    const [section] = held;
    expect(section).toMatchObject({
      label: 'held',
      kind: 'unmap',
      active: true,
      blockable: true,
      ranges: [PAGE],
      within: undefined,
    });
    expect(section!.owner).toBe(held);
    expect(section!.beginSeq).toBeGreaterThan(0);
    const nested = tracker.tryBegin(PAGE, { within: section! })!;
    expect(nested.within).toBeDefined();
    nested.end();
    await checker.run('job', async () => checker.handOver(section!, checker.current));
    expect(checker.leaks()).toMatchObject([{ obliged: 'job', abandoned: true }]);
    section!.end();
    section!.end();
    expect([section!.active, tracker.activeCount]).toEqual([false, 0]);
    checker.handOver(section!);
  });

  it('is the section itself where nobody looks', async () => {
    const seen: Invalidation[] = [];
    const tracker = new RangeTracker({ observer: { begin: ({ invalidation }) => seen.push(invalidation) } });
    expect(await tracker.begin(PAGE)).toBe(seen[0]);
    expect(tracker.tryBegin(PAGE)).toBe(seen[1]);
  });
});
