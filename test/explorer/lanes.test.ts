/**
 * The fast and the hot lane of a lookup (lib/tracker/flight.ts) under the orders of steps (`RANGEFENCE_RUNS=50`: under all of them). The worlds of tracker.test.ts watch the
 * tracker, and so all their lookups are on the slow lane; here nobody watches, and what is judged is the content: what is
 * committed is whole and current, everybody comes to an end, and nothing is left behind.
 */
import { describe, expect, test } from 'vitest';
import { type Attempt, type Invalidation, type Range, RangeTracker, RetryLimitError } from '../../lib/index.js';
import { type Actor, explore, type Scenario, type Step, sample } from '../../lib/testing/index.js';
import { spaceOf } from '../../lib/tracker/internal.js';
import { ManualClock } from '../support/clock.js';
import { Content, type Copy, isTorn } from '../support/model/content.js';
import { runs, SEED } from '../support/model/random.js';

const PAGE: Range = { start: 0, end: 1 };
const NEXT: Range = { start: 1, end: 2 };
/** Where the outer section of nested ones is. */
const ELSEWHERE: Range = { start: 10, end: 11 };

const LOOKUPS = ['plain', 'observe', 'closes', 'expires'] as const;
const SECTIONS = ['change', 'nested', 'urgent', 'try'] as const;
type Kind = (typeof LOOKUPS)[number] | (typeof SECTIONS)[number];

interface Heated {
  readonly isHot: boolean;
  readonly kinds: readonly Kind[];
}

/** One run. */
class World implements Scenario {
  readonly actors: Record<string, Actor> = {};
  readonly #clock = new ManualClock();
  readonly #tracker = new RangeTracker({ clock: this.#clock });
  readonly #content = new Content(2);
  readonly #outer: Invalidation = this.#tracker.tryBegin(ELSEWHERE)!;
  readonly #wrong: string[] = [];
  #settled = 0;

  constructor({ isHot, kinds }: Heated) {
    const { heat } = spaceOf(this.#tracker).gate;
    if (isHot) for (let i = 0; i < 500; i++) for (const { start, end } of [PAGE, NEXT]) heat.lost([start, end], 2);
    expect(heat.isHot([0, 1])).toBe(isHot);
    for (const [i, kind] of kinds.entries()) {
      this.actors[`${kind} ${i}`] = async (step) => {
        await step('start');
        await ((LOOKUPS as readonly string[]).includes(kind) ? this.#look(kind, step) : this.#change(kind, step));
        this.#settled++;
      };
    }
  }

  check(): void {
    const [first] = this.#wrong;
    if (first !== undefined) throw new Error(first);
  }

  end(): void {
    this.#outer.end();
    const { sections, holds, waiting, inFlightRanges } = this.#tracker.inspect();
    expect({ sections, holds, waiting, inFlightRanges }).toEqual({ sections: [], holds: [], waiting: 0, inFlightRanges: 0 });
    expect([this.#settled, this.#clock.pending]).toEqual([Object.keys(this.actors).length, 0]);
  }

  async #look(kind: Kind, step: Step): Promise<void> {
    const subscription = kind === 'closes' ? this.#tracker.subscribe(PAGE, { invalidate() {} }) : undefined;
    const fetch = (attempt: Attempt) => this.#fetch(attempt, kind === 'observe', step);
    const options = { commit: (copy: Copy) => this.#commit(copy) };
    const looking = subscription?.lookup(fetch, options) ?? this.#tracker.lookup(PAGE, fetch, options);
    const over = looking.catch((error: unknown) => {
      const isExpected = kind === 'closes' || (kind === 'expires' && error instanceof RetryLimitError);
      if (!isExpected) throw error;
    });
    if (kind === 'expires') await step('time passes').then(() => this.#clock.advance(1000));
    if (kind === 'closes') await step('close').then(() => subscription!.close());
    await over;
  }

  async #fetch(attempt: Attempt, observes: boolean, step: Step): Promise<Copy> {
    if (observes) attempt.observe(NEXT);
    const pages = observes ? [0, 1] : [0];
    const first = this.#content.readFirst(pages);
    await step('read on');
    const copy: Copy = { pages, first, second: this.#content.readSecond(pages) };
    if (isTorn(copy)) throw new Error('torn');
    return copy;
  }

  #commit(copy: Copy): void {
    const verdict = this.#content.verdict(copy);
    if (verdict !== undefined) this.#wrong.push(`what is committed is ${verdict}`);
  }

  async #change(kind: Kind, step: Step): Promise<void> {
    const ranges = kind === 'urgent' ? NEXT : PAGE;
    const section =
      kind === 'try'
        ? this.#tracker.tryBegin(ranges)
        : await this.#tracker.begin(ranges, {
            within: kind === 'nested' ? this.#outer : undefined,
            urgent: kind === 'urgent',
          });
    if (section === undefined) return;
    this.#content.writeFirst([ranges]);
    await step('change on');
    this.#content.writeSecond([ranges]);
    section.end();
  }
}

/** All lists of so many kinds of each, in one order each: the explorer tries the others. */
function* choices(lookups: number, sections: number): Generator<Kind[]> {
  const lists = <T>(of: readonly T[], count: number, from = 0): T[][] =>
    count === 0 ? [[]] : of.slice(from).flatMap((one, i) => lists(of, count - 1, from + i).map((rest) => [one, ...rest]));
  for (const some of lists(LOOKUPS, lookups)) for (const more of lists(SECTIONS, sections)) yield [...some, ...more];
}

describe.each([false, true])('on a range that is hot: %s', (isHot) => {
  test.each([
    [1, 1],
    [2, 1],
    [1, 2],
  ])('the orders of %i lookups and %i sections of every kind', { timeout: 120_000 }, async (lookups, sections) => {
    let orders = 0;
    for (const kinds of choices(lookups, sections)) {
      const seen = await explore(() => new World({ isHot, kinds }), { maxRuns: runs(60) });
      orders += seen.orders;
    }
    expect(orders).toBeGreaterThan(100);
  });

  test('many orders of three lookups and three sections', { timeout: 120_000 }, async () => {
    for (const kinds of choices(3, 3)) await sample(() => new World({ isHot, kinds }), { runs: runs(2), seed: SEED });
  });
});
