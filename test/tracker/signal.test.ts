import { expect, it } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { sectionOf } from '../../lib/tracker/internal.js';
import type { Section } from '../../lib/tracker/parties.js';
import { range } from '../support/reading.js';

const PAGE = range(0, 8);

it('the signal of a section is the same each time, and the end does not fire it', () => {
  const section = new RangeTracker().tryBegin(PAGE)!;
  const { signal } = section;
  expect(section.signal).toBe(signal);
  section.end();
  expect([signal.aborted, section.active]).toEqual([false, false]);
});

it('a section that is lost fires its signal with the reason, once, and goes on until it is ended', () => {
  for (const asked of ['before', 'after']) {
    const tracker = new RangeTracker();
    const given = tracker.tryBegin(PAGE)!;
    const section = sectionOf(given) as Section;
    const early = asked === 'before' ? given.signal : undefined;
    section.lose('first');
    section.lose('second');
    expect([early?.reason ?? 'first', given.signal.reason, given.active, tracker.activeCount]).toEqual([
      'first',
      'first',
      true,
      1,
    ]);
    given.end();
  }
});

it('a handle has the signal of its section', () => {
  const tracker = new RangeTracker({ observer: { given: () => {} } });
  const given = tracker.tryBegin(PAGE)!;
  const { signal } = given;
  (sectionOf(given) as Section).lose(new Error('gone'));
  expect([signal.aborted, given.signal === signal]).toEqual([true, true]);
  given.end();
});

it('an urgent begin says so with a boolean', async () => {
  const tracker = new RangeTracker();
  await expect(tracker.begin(PAGE, { urgent: 1 as never })).rejects.toThrow('urgent is 1; expected true or false');
  expect(tracker.activeCount).toBe(0);
});
