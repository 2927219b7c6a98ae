/**
 * Orders of nesting that exclude each other, found without anything having hung.
 */
import { describe, expect, it } from 'vitest';
import type { RangeTracker } from '../../lib/index.js';
import { kinds, PAGE, setup } from '../support/debug/setup.js';
import { range } from '../support/reading.js';
import { soon } from '../support/turns.js';

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
    for (const { waitedAt, beganAt } of steps) expect(`${waitedAt}${beganAt}`).toContain('debug/order.test.ts');
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

  it('that goes apart and comes together again is none that goes round', async () => {
    const { reports, track } = setup();
    const trackers = [track('a'), track('b'), track('c'), track('d'), track('e')];
    for (const [outer, inner] of [
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 3],
      [4, 0],
    ] as const) {
      await trackers[outer]!.mutate(PAGE, () => trackers[inner]!.mutate(PAGE, () => {}));
    }
    expect(reports).toEqual([]);
  });
});
