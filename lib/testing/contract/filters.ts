/**
 * Contract, filters: what is ignored causes neither wait, nor retry, nor callback, and nothing else changes.
 */
import type { BeginOptions, InvalidationInfo } from '../../index.js';
import { type Suite, setup } from './suite.js';
import { expect } from './support/expect.js';
import { hold } from './support/holding.js';
import { expectNothingLeft } from './support/leftovers.js';
import { ManualFetch, range } from './support/reading.js';
import { soon, turns } from './support/turns.js';

const PAGE = range(0, 8);
const me = { name: 'me' };

/** S17: a reader's filter, an invalidation that it ignores, and one that it does not. */
const cases: [string, (info: InvalidationInfo) => boolean, BeginOptions, BeginOptions][] = [
  ['its own invalidations', ({ owner }) => owner === me, { owner: me }, { owner: { name: 'me' } }],
  ['changes of protection', ({ kind }) => kind.startsWith('protection-'), { kind: 'protection-vma' }, { kind: 'unmap' }],
  ['soft-dirty clearing', ({ kind }) => kind === 'soft-dirty', { kind: 'soft-dirty' }, {}],
  ['what has a certain label', ({ label }) => label === 'noise', { label: 'noise' }, { label: 'signal' }],
  ['a word of its own vocabulary', ({ kind }) => kind === 'reindex', { kind: 'reindex' }, { kind: 'clear' }],
];

export function describeFilters({ describe, it, make }: Suite): void {
  for (const [name, ignore, ignored, minded] of cases) {
    describe(`a filter for ${name}`, () => {
      it('spares a reader the wait for an active one', async () => {
        const { tracker } = setup(make);
        const section = tracker.tryBegin(PAGE, ignored)!;
        expect(tracker.tryReadBegin(PAGE, { ignore })).toBe(1);
        expect(await soon(tracker.readBegin(PAGE, { ignore }))).toBe(1);
        expect(await soon(tracker.lookup(PAGE, () => 'read', { ignore }))).toBe('read');
        expect(tracker.stats).toMatchObject({ waits: 0, collisions: 0, attempts: 1 });
        expect(tracker.tryReadBegin(PAGE)).toBeUndefined();
        section.end();
      });

      it('spares a reader the retry after an ended one, and its signal stays quiet', async () => {
        const { tracker, clock } = setup(make);
        const token = tracker.tryReadBegin(PAGE)!;
        const read = new ManualFetch();
        const result = tracker.lookup(PAGE, read.fetch, { ignore });
        const { signal } = read.last.attempt;
        tracker.tryBegin(PAGE, ignored)!.end();
        expect(signal.aborted).toBe(false);
        expect(tracker.readRetry(PAGE, token, { ignore })).toBe(false);
        expect(tracker.collision(PAGE, token, { ignore })).toBeUndefined();
        expect(tracker.readRetry([PAGE, range(20, 28)], token, { ignore })).toBe(false);
        expect(tracker.readRetry(PAGE, token)).toBe(true);
        read.last.resolve('read');
        expect(await soon(result)).toBe('read');
        expect(tracker.stats).toMatchObject({ attempts: 1, collisions: 0 });
        expectNothingLeft(tracker, { clock });
      });

      it('spares a subscriber both callbacks', () => {
        const { tracker } = setup(make);
        const told: string[] = [];
        tracker.subscribe(PAGE, { invalidate: () => void told.push('begin'), end: () => void told.push('end') }, { ignore });
        tracker.tryBegin(PAGE, ignored)!.end();
        expect([told, tracker.stats.notified]).toEqual([[], 0]);
        tracker.tryBegin(PAGE, minded)!.end();
        expect([told, tracker.stats.notified]).toEqual([['begin', 'end'], 1]);
      });

      it('lets a begin pass a hold that would not notice it', async () => {
        const { tracker, clock } = setup(make);
        const holder = await hold(tracker, PAGE, { ignore: (info) => ignore(info) });
        const passing = await soon(tracker.begin(PAGE, ignored));
        const also = tracker.tryBegin(PAGE, ignored)!;
        expect(tracker.tryBegin(PAGE, minded)).toBeUndefined();
        await holder.commit();
        expect(await soon(holder.result)).toBe('fresh');
        expect(holder.read.calls).toHaveLength(2);
        passing.end();
        also.end();
        expectNothingLeft(tracker, { clock });
      });

      it('changes nothing about all other invalidations', async () => {
        const { tracker } = setup(make);
        const read = new ManualFetch();
        const result = tracker.lookup(PAGE, read.fetch, { ignore });
        const noise = tracker.tryBegin(PAGE, ignored)!;
        const section = tracker.tryBegin(PAGE, minded)!;
        read.last.resolve('stale');
        await turns();
        expect(tracker.tryReadBegin(PAGE, { ignore })).toBeUndefined();
        expect(tracker.stats).toMatchObject({ attempts: 1, collisions: 1, waits: 1 });
        section.end();
        await turns();
        read.last.resolve('fresh');
        expect(await soon(result)).toBe('fresh');
        expect(tracker.collision(PAGE, read.calls[0]!.attempt.seq, { ignore })).toMatchObject({ reason: 'ended', seq: 3 });
        noise.end();
      });
    });
  }
}
