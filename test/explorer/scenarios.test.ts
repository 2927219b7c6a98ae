/**
 * The scenarios of explorer.tracker.test.ts themselves: what their parties meet, that nothing is lost where the explorer is
 * told to leave out orders, and that a tracker that is wrong is found out.
 */
import { describe, expect, test } from 'vitest';
import { type Fetch, type Range, type Ranges, RangeTracker } from '../../lib/index.js';
import { explore, replay, ScheduleError } from '../../lib/testing/index.js';
import { essence, nameOf, ONE_PAGE, RANGES, scenarios } from '../support/explorer/family.js';
import { LOOKUPS, type LookupKind, type Party, SECTIONS, type SectionKind, World } from '../support/explorer/tracker-world.js';

describe('the scenarios themselves', () => {
  const at = (start: number, end: number): Range => ({ start, end });
  const outcomesOf = async (parties: readonly Party[], options: ConstructorParameters<typeof World>[1] = {}) => {
    const outcomes = new Set<string>();
    const make = () => {
      const world = new World(parties, options);
      const { actors, twins, state, checkPoints } = world;
      const end = () => {
        world.end();
        outcomes.add(world.outcomes.join('; '));
      };
      return { actors, twins, checkPoints, check: () => world.check(), end, ...(state === undefined ? {} : { state }) };
    };
    const seen = await explore(make);
    return { outcomes, seen };
  };

  test('pages that nobody shares may be pruned: nothing else comes out of it', async () => {
    const lookups = LOOKUPS.filter((kind) => kind !== 'timeout');
    let pruned = 0;
    for (const reading of lookups) {
      const parties: Party[] = [
        { reads: true, kind: reading, range: at(0, 1) },
        { reads: false, kind: 'change', range: at(0, 1) },
        { reads: false, kind: 'subscribe', range: at(2, 3) },
      ];
      const [all, some] = [await outcomesOf(parties), await outcomesOf(parties, { prunes: true })];
      expect(some.outcomes).toEqual(all.outcomes);
      expect(some.seen.schedules).toBeLessThan(all.seen.schedules);
      pruned += all.seen.schedules - some.seen.schedules;
    }
    expect(pruned).toBeGreaterThan(100);
  });

  /** What each party meets, in whatever order, noted as soon as it is done: a run that comes to a known state has no end. */
  const metBy = async (parties: readonly Party[], merges: boolean) => {
    const met = parties.map(() => new Set<string>());
    class Noting extends World {
      override check(): void {
        super.check();
        for (const [who, outcome] of this.outcomes.entries()) if (outcome !== undefined) met[who]!.add(outcome);
      }
    }
    const { merged } = await explore(() => new Noting(parties, { merges }));
    return { met, merged };
  };

  test('equal states may be followed once: every party still meets all that it can', { timeout: 60_000 }, async () => {
    let merged = 0;
    for (const sections of [1, 2]) {
      const family = { lookups: 1, sections, reading: LOOKUPS, changing: SECTIONS, ranges: ONE_PAGE };
      let index = 0;
      for (const parties of scenarios(family)) {
        if (sections === 2 && index++ % 24 !== 0) continue;
        const [all, some] = [await metBy(parties, false), await metBy(parties, true)];
        expect(some.met, nameOf(parties)).toEqual(all.met);
        merged += some.merged;
      }
    }
    expect(merged).toBeGreaterThan(500);
  });

  test('a scenario is counted once, however its pages are numbered', () => {
    const count = (ranges: readonly Range[], sections: number) =>
      [...scenarios({ lookups: 1, sections, reading: ['plain'], changing: ['change'], ranges })].length;
    // Of two ranges a and b: equal; a inside b, at its edge or in its middle, and the other way round; a cuts b; touching; apart.
    expect(count(RANGES, 1)).toBe(8);
    expect(count(ONE_PAGE, 1)).toBe(1);
    const pair = (a: Range, b: Range) =>
      essence([
        { reads: true, kind: 'plain', range: a },
        { reads: false, kind: 'change', range: b },
      ]);
    expect(pair(at(0, 1), at(1, 2))).toBe(pair(at(2, 3), at(0, 2)));
    expect(pair(at(0, 1), at(1, 2))).not.toBe(pair(at(0, 1), at(2, 3)));
    expect(pair(at(0, 1), at(0, 2))).toBe(pair(at(1, 2), at(0, 2)));
    expect(pair(at(0, 1), at(0, 2))).not.toBe(pair(at(0, 2), at(0, 1)));
  });

  test('all ends that a party can meet are met', async () => {
    const meets = async (reading: LookupKind, changing: SectionKind) => {
      const parties: Party[] = [
        { reads: true, kind: reading, range: at(0, 1) },
        { reads: false, kind: changing, range: at(0, 1) },
      ];
      return [...(await outcomesOf(parties)).outcomes].sort();
    };
    expect(await meets('plain', 'change')).toEqual(['read 0; changed', 'read 1; changed']);
    expect(await meets('abort', 'change')).toEqual(['Error; changed', 'read 0; changed', 'read 1; changed']);
    expect(await meets('timeout', 'change')).toEqual(['TimeoutError; changed', 'read 0; changed', 'read 1; changed']);
    expect(await meets('throw', 'change')).toEqual(['RetryLimitError; changed', 'read 0; changed', 'read 1; changed']);
    expect(await meets('plain', 'close')).toEqual(['ClosedError; closed', 'read 0; closed']);
    expect(await meets('subscribed', 'change')).toEqual(['ClosedError; changed', 'read 0; changed', 'read 1; changed']);
    const held = new Set<string>();
    for (const kind of ['change', 'try', 'abort'] as const) {
      const parties: Party[] = [
        { reads: true, kind: 'hold', range: at(0, 1) },
        { reads: false, kind: 'change', range: at(0, 1) },
        { reads: false, kind, range: at(0, 1) },
      ];
      for (const outcome of (await outcomesOf(parties)).outcomes) held.add(outcome);
    }
    expect(held).toContain('read 1; changed; refused'); // by a lookup that held
    expect(held).toContain('read 1; changed; Error'); // given up while it queued
    expect(held).toContain('read 1; changed; changed');
  });

  test('a tracker that does not check is found out, in an order that can be run again', async () => {
    class Careless extends RangeTracker {
      override async lookup<T, R>(_: Ranges, fetch: Fetch<T>, options?: { commit?: ((value: T) => R) | undefined }): Promise<R> {
        const value = await fetch({ number: 1, seq: this.seq, signal: new AbortController().signal, observe: () => {} });
        return options!.commit!(value);
      }
    }
    const parties: Party[] = [
      { reads: true, kind: 'plain', range: at(0, 1) },
      { reads: false, kind: 'change', range: at(0, 1) },
    ];
    const make = () => new World(parties, { Tracker: Careless });
    const error = await explore(make).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ScheduleError);
    await expect(replay(make, (error as ScheduleError).schedule)).rejects.toThrow((error as ScheduleError).message);
  });
});
