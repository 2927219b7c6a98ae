/**
 * Sections begun by hand: whom they oblige, and why nobody is guessed.
 */
import { describe, expect, it } from 'vitest';
import { lockOrder } from '../../lib/debug/index.js';
import { RangeTracker, type TrackerObserver } from '../../lib/index.js';
import { ignoreTimeout, judged, kinds, LIMIT, PAGE, setup } from '../support/debug/setup.js';
import { type Deferred, deferred, turns } from '../support/turns.js';

/** One that begins by hand, goes on when it is told to, and ends. */
async function holds(tracker: RangeTracker, { promise }: Deferred<void>): Promise<void> {
  const section = await tracker.begin(PAGE);
  await promise;
  section.end();
}

describe('a section begun by hand', () => {
  it('in one branch of a change is not taken for something that the other branch must end', async () => {
    const { reports, track } = setup();
    const [files, index] = [track('files'), track('index')];
    for (const isFirst of [true, false]) {
      const go = deferred();
      const begins = () => holds(index!, go);
      const reads = () => index!.lookup(PAGE, () => 1);
      const both = isFirst ? [begins, reads] : [reads, begins];
      const change = files!.mutate(PAGE, () => Promise.all([...both.map((branch) => branch()), turns().then(reads)]));
      await judged();
      go.resolve();
      await change;
    }
    expect(reports).toEqual([]);
  });

  it('in one branch of a callback is none around the other branch', async () => {
    const { reports, track } = setup();
    const [files, index, names] = [track('files'), track('index'), track('names')];
    const nested = (outer: RangeTracker, inner: RangeTracker) => {
      const go = deferred();
      return Promise.all([holds(outer, go), inner.mutate(PAGE, () => {}).then(go.resolve)]);
    };
    const invalidate = async () => {
      await nested(index!, names!);
      await nested(names!, index!);
    };
    const mirror = files!.subscribe(PAGE, { invalidate });
    (await files!.begin(PAGE)).end();
    mirror.close();
    await judged();
    expect(reports).toEqual([]);
  });

  it('in a change obliges the context that was declared around it', async () => {
    const { checker, reports, track } = setup();
    const [files, index] = [track('files'), track('index')];
    await checker.run('job', () =>
      files!.mutate(PAGE, async () => {
        const section = await index!.begin(PAGE);
        await index!.readBegin(PAGE, LIMIT).catch(ignoreTimeout);
        section.end();
      }),
    );
    expect(kinds(reports)).toEqual(['self-wait error']);
    expect(reports[0]!.steps[0]!.obliged).toBe('job');
  });

  it('by a callback, to be ended by its end method, obliges whoever ends the section around it', async () => {
    const { checker, reports, track } = setup();
    const [files, index] = [track('files'), track('index')];
    let derived: { end(): void } | undefined;
    files!.subscribe(PAGE, {
      invalidate: async () => {
        derived = await index!.begin(PAGE);
      },
      end: () => derived!.end(),
    });
    const go = deferred();
    const writing = checker.run('writer', () => holds(files!, go));
    await turns();
    const reading = checker.run('reader', () => index!.readBegin(PAGE));
    await judged();
    expect(reports).toEqual([]);
    go.resolve();
    await Promise.all([writing, reading]);
    await checker.run('job', async () => {
      const section = await files!.begin(PAGE);
      await index!.readBegin(PAGE, LIMIT).catch(ignoreTimeout);
      section.end();
    });
    expect(kinds(reports)).toEqual(['self-wait error']);
  });

  it('outside any context obliges nobody: a program that hangs does what one that goes on has done so far', async () => {
    type Program = (tracker: RangeTracker) => Promise<unknown>;
    const hangs: Program = async (tracker) => {
      const section = await tracker.begin(PAGE);
      await tracker.lookup(PAGE, () => 1, LIMIT).catch(ignoreTimeout);
      section.end();
    };
    const goesOn: Program = async (tracker) => {
      const section = await tracker.begin(PAGE);
      const refreshed = tracker.lookup(PAGE, () => 1); // comes back when the section has ended, and is awaited after that
      await judged();
      section.end();
      await refreshed;
    };
    const eventsOf = async (program: Program) => {
      const seen: string[] = [];
      const contexts: (string | undefined)[] = [];
      const checker = lockOrder({ report: ({ kind }) => seen.push(kind) });
      const note = (name: keyof TrackerObserver & keyof typeof checker) => (event: never) => {
        seen.push(name);
        contexts.push(checker.current?.label);
        (checker[name] as (event: never) => void)(event);
      };
      const names = ['begin', 'begun', 'wait', 'wake', 'attempt', 'committed', 'failed', 'ended'] as const;
      const observer = Object.fromEntries(names.map((name) => [name, note(name)])) as TrackerObserver;
      const running = program(new RangeTracker({ observer }));
      await judged();
      const sofar = [...seen];
      await running;
      return { sofar, contexts: new Set(contexts), all: seen };
    };
    const [one, other] = [await eventsOf(hangs), await eventsOf(goesOn)];
    expect(one.sofar).toEqual(['begin', 'begun', 'wait']);
    expect(other.sofar.slice(0, 3)).toEqual(one.sofar);
    expect([...one.contexts, ...other.contexts]).toEqual([undefined, undefined]);
    expect([one.all.includes('failed'), other.all.includes('committed')]).toEqual([true, true]);
  });
});
