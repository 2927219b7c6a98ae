import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Spans } from '../../lib/base/range.js';
import { Heat } from '../../lib/tracker/heat.js';
import { property } from '../support/model/random.js';

const PAGE: Spans = [0, 8];
const NEXT: Spans = [8, 16];
const FAR: Spans = [100, 108];

/** The rules as the note on top of the file says them: a list of places with a share each, and three averages. */
class Rules {
  places: { start: number; end: number; share: number }[] = [];
  everywhere = 0;
  length = 0;
  active = 1;

  isHot(spans: Spans): boolean {
    return (this.everywhere >= 0.1 && this.length >= 4) || (this.#over(spans)?.share ?? 0) >= 0.4;
  }

  begun(active: number): void {
    this.active += (active - this.active) / 64;
  }

  lost(spans: Spans, events: number): void {
    this.#spread(1, 1 / 64);
    this.length += (events / 2 / this.active - this.length) / 64;
    this.#disturbed(spans, 1 / 64);
  }

  held(spans: Spans, contested: boolean, lookups: number): void {
    // One after the other, for all who have shared it.
    const weight = 1 - (63 / 64) ** lookups;
    if (this.everywhere > 0) this.#spread(contested ? 1 : 0, weight);
    if (contested) this.#disturbed(spans, weight);
    else this.#calmed(spans, weight);
  }

  undisturbed(spans: Spans): void {
    this.held(spans, false, 1);
  }

  #over(spans: Spans) {
    return this.places.find(({ start, end }) => start < spans[spans.length - 1]! && spans[0]! < end);
  }

  #spread(towards: number, weight: number): void {
    this.everywhere += (towards - this.everywhere) * weight;
    if (this.everywhere < 1 / 128) this.everywhere = 0;
  }

  #disturbed(spans: Spans, weight: number): void {
    const place = this.#over(spans);
    if (place !== undefined) {
      place.share += (1 - place.share) * weight;
      return;
    }
    if (this.places.length === 8) {
      const shares = this.places.map(({ share }) => share);
      this.#forget(shares.indexOf(Math.min(...shares)));
    }
    this.places.push({ start: spans[0]!, end: spans[spans.length - 1]!, share: 1 / 64 });
  }

  #calmed(spans: Spans, weight: number): void {
    const place = this.#over(spans);
    if (place === undefined) return;
    place.share -= place.share * weight;
    if (place.share < 1 / 128) this.#forget(this.places.indexOf(place));
  }

  #forget(at: number): void {
    const last = this.places.pop()!;
    if (at < this.places.length) this.places[at] = last;
  }
}

/** So many times. */
function repeat(count: number, act: () => void): void {
  for (let i = 0; i < count; i++) act();
}

describe('a range', () => {
  it('is hot from the 33rd attempt in a row on that was lost, and no longer when one in three is not', () => {
    const heat = new Heat();
    repeat(32, () => heat.lost(PAGE, 2));
    expect(heat.isHot(PAGE)).toBe(false);
    heat.lost(PAGE, 2);
    expect([heat.isHot(PAGE), heat.isHot([7, 9]), heat.isHot(NEXT), heat.isHot(FAR)]).toEqual([true, true, false, false]);
    heat.undisturbed(PAGE);
    expect(heat.isHot(PAGE)).toBe(false);
  });

  it('stays hot as long as begins queue behind its holds, and cools down when they do not', () => {
    const heat = new Heat();
    repeat(40, () => heat.lost(PAGE, 2));
    repeat(100, () => heat.held(PAGE, true, 1));
    expect(heat.isHot(PAGE)).toBe(true);
    heat.held(PAGE, false, 64);
    expect(heat.isHot(PAGE)).toBe(false);
  });

  it('is watched no longer when it is the coldest of eight and a ninth is disturbed', () => {
    const heat = new Heat();
    const page = (i: number): Spans => [i * 8, i * 8 + 8];
    for (let i = 0; i < 8; i++) repeat(i === 3 ? 33 : 40, () => heat.lost(page(i), 2));
    const hot = () => Array.from({ length: 9 }, (_, i) => heat.isHot(page(i)));
    expect(hot()).toEqual([...Array(8).fill(true), false]);
    repeat(33, () => heat.lost(page(8), 2));
    expect(hot()).toEqual([true, true, true, false, true, true, true, true, true]);
  });

  it('of several is watched by the hull', () => {
    const heat = new Heat();
    repeat(33, () => heat.lost([0, 8, 100, 108], 2));
    expect([heat.isHot([50, 51]), heat.isHot([107, 200]), heat.isHot([108, 200])]).toEqual([true, true, false]);
  });
});

describe('where fetches take four sections or more', () => {
  it('one attempt in ten that is lost makes everything hot, and the length counts sections, not those side by side', () => {
    const alone = new Heat();
    const beside = new Heat();
    repeat(400, () => beside.begun(4));
    for (const heat of [alone, beside]) repeat(400, () => heat.lost(PAGE, 9));
    expect([alone.isHot(FAR), beside.isHot(FAR)]).toEqual([true, false]);
    repeat(400, () => beside.lost(PAGE, 40));
    expect(beside.isHot(FAR)).toBe(true);
  });

  it('nothing is hot elsewhere any more when hardly any attempt is lost', () => {
    const heat = new Heat();
    repeat(400, () => heat.lost(PAGE, 40));
    repeat(146, () => heat.undisturbed(FAR));
    expect(heat.isHot(FAR)).toBe(true);
    repeat(2, () => heat.undisturbed(FAR));
    expect(heat.isHot(FAR)).toBe(false);
  });
});

test('what is hot is what the rules say, whatever happens in which order', () => {
  const spans = fc
    .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 3 }))
    .map(([at, length]) => [at, at + length]);
  const step = fc.record({
    what: fc.constantFrom('lost', 'lost', 'contested', 'held', 'undisturbed', 'begun'),
    spans,
    count: fc.integer({ min: 1, max: 40 }),
    size: fc.integer({ min: 1, max: 40 }),
  });
  const probes = Array.from({ length: 16 }, (_, at): Spans => [at, at + 1]);
  const schedule = fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
    const heat = new Heat();
    const rules = new Rules();
    for (const { what, spans, count, size } of steps) {
      for (const side of [heat, rules]) {
        repeat(count, () => {
          if (what === 'lost') side.lost(spans, size);
          else if (what === 'begun') side.begun(size % 5);
          else if (what === 'undisturbed') side.undisturbed(spans);
          else side.held(spans, what === 'contested', size);
        });
      }
      for (const probe of probes) expect(heat.isHot(probe), JSON.stringify(probe)).toBe(rules.isHot(probe));
    }
  });
  fc.assert(schedule, property(300));
});
