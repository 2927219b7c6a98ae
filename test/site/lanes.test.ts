/** The lanes of the live demo, by their own clock: what the page shows is what they count. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { PLACES } from '../../docs/.vitepress/live/content.js';
import { LANES, Lanes } from '../../docs/.vitepress/live/lanes.js';
import { Pace } from '../../docs/.vitepress/live/pace.js';
import { TraceRecorder, toSvg } from '../../lib/trace/index.js';

function stage() {
  const pace = new Pace();
  const recorder = new TraceRecorder({ clock: pace });
  const all = new Lanes(pace, recorder);
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 16) {
      pace.advance(16);
      await setImmediate();
    }
  };
  const drag = async (from: number, to: number): Promise<void> => {
    const grip = all.grip(from);
    for (let place = from + 1; place <= to; place++) {
      await run(32);
      grip.reach(place);
    }
    await run(1500);
    grip.release();
    await run(800);
  };
  return { ...{ pace, recorder, run, drag }, lanes: all.lanes, grip: (place: number) => all.grip(place) };
}

describe('the lanes of the live demo', () => {
  it('keep stale results without a guard only, and more results under rangefence than under the lock', async () => {
    const { lanes, drag, run } = stage();
    await run(500);
    for (const [from, to] of [
      [6, 13],
      [22, 31],
      [14, 20],
    ] as const)
      await drag(from, to);
    const [none, lock, rangefence] = LANES.map((name) => lanes[name]);
    expect(none!.counts.stale).toBeGreaterThan(10);
    expect([lock!.counts.stale, rangefence!.counts.stale]).toEqual([0, 0]);
    expect(rangefence!.counts.fresh).toBeGreaterThan(lock!.counts.fresh * 1.1);
    expect([none!.waiting, rangefence!.waiting < lock!.waiting]).toEqual([0, true]);
  });

  it('have everybody wait under the lock, and under rangefence those alone whose range is being changed', async () => {
    const { lanes, grip, run } = stage();
    await run(400);
    const held = grip(10);
    held.reach(13);
    await run(1500);
    const waiting = (name: 'lock' | 'rangefence') => lanes[name].readers.filter(({ state }) => state === 'waits');
    expect(waiting('lock').length).toBe(lanes.lock.readers.length);
    expect(waiting('rangefence').length).toBeGreaterThan(0);
    for (const { range } of waiting('rangefence')) expect(range.start < 14 && range.end > 10).toBe(true);
    expect(lanes.rangefence.readers.some(({ state }) => state === 'reads')).toBe(true);
    held.release();
    await run(2500);
    for (const name of LANES) expect(lanes[name].changes.size, name).toBe(0);
    expect(waiting('lock').length).toBeLessThan(lanes.lock.readers.length);
  });

  it('cover all that a hand has reached, in either direction, once', async () => {
    const { lanes, grip, run } = stage();
    const held = grip(20);
    held.reach(24);
    held.reach(18);
    held.reach(22);
    expect(held.range).toEqual({ start: 18, end: 25 });
    await run(900);
    const changed = Array.from({ length: PLACES }, (_, place) => place).filter((place) => lanes.rangefence.changesAt(place));
    expect(changed).toEqual([18, 19, 20, 21, 22, 23, 24]);
    held.release();
  });

  it('draw the same lookups for each lane, and count from nothing after a reset', async () => {
    const { lanes, run } = stage();
    await run(1000);
    expect(lanes.lock.readers.map(({ range }) => range)).toEqual(lanes.none.readers.map(({ range }) => range));
    expect(lanes.none.counts.fresh).toBeGreaterThan(0);
    lanes.none.reset();
    expect([lanes.none.counts, lanes.none.waiting]).toEqual([{ fresh: 0, stale: 0, waitedMs: 0 }, 0]);
  });

  it('are recorded as they run: the picture of the last seconds shows the change and who was hit by it', async () => {
    const { recorder, drag, run } = stage();
    await run(500);
    await drag(6, 13);
    const svg = toSvg(recorder.trace(), { time: 'clock', lastMs: 4000 });
    for (const shape of ['shape section', 'shape committed', 'shape lost', 'shape wait', 'collision']) {
      expect(svg).toContain(`class="${shape}"`);
    }
  });
});

describe('the clock of the live demo', () => {
  it('calls what is due in its order, and nothing that was cleared', () => {
    const pace = new Pace();
    const called: string[] = [];
    pace.setTimeout(() => called.push('late'), 20);
    pace.setTimeout(() => called.push('soon'), 10);
    pace.clearTimeout(pace.setTimeout(() => called.push('never'), 5));
    pace.advance(9);
    expect(called).toEqual([]);
    pace.advance(20);
    expect([called, pace.now()]).toEqual([['soon', 'late'], 29]);
  });

  it('ends a sleep at once when its signal fires', async () => {
    const pace = new Pace();
    const stop = new AbortController();
    const sleeping = pace.sleep(1000, stop.signal);
    stop.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(pace.sleep(1, stop.signal)).rejects.toThrow('enough');
  });
});
