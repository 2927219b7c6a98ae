/**
 * Contexts and trackers that wait for each other.
 */
import { describe, expect, it } from 'vitest';
import type { RangeTracker } from '../../lib/index.js';
import { ManualClock } from '../support/clock.js';
import { ignoreTimeout, judged, kinds, LIMIT, PAGE, setup } from '../support/debug/setup.js';
import { deferred, turns } from '../support/turns.js';

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
        const section = await own.begin(PAGE);
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
    const writer = checker.run('writer', async () => {
      const outer = await tracker.begin(PAGE, { label: 'outer' });
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
    await Promise.all([writer, holding]); // it has waited, and so its own time is not over: it gets in line again
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

  it('is measured against graceMs from its own begin, not from that of an older one', async () => {
    const clock = new ManualClock();
    const { reports, track } = setup({ graceMs: 100, clock });
    const trackers = [track('a'), track('b')];
    const ends = [deferred(), deferred()];
    const late: Promise<unknown>[] = [];
    const change = async (i: number) => {
      await trackers[i]!.mutate(PAGE, async () => {
        late.push(trackers[i]!.readBegin(PAGE)); // not waited for
        await ends[i]!.promise;
      });
    };
    const at = async (ms: number) => {
      clock.advance(ms - clock.now());
      await turns();
    };
    const first = change(0);
    await at(60);
    const second = change(1);
    ends[0]!.resolve();
    await at(90);
    await at(120);
    ends[1]!.resolve();
    await Promise.all([first, second, ...late]);
    await at(300);
    expect(reports).toEqual([]);
  });
});
