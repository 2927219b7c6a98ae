/**
 * What is shared with other processes, and cannot be known while contact with them is lost: the guard of a space says so.
 */
import { describe, expect, it } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { fence } from '../../lib/keyed/index.js';
import { RangeMirror } from '../../lib/mirror/index.js';
import { spaceOf } from '../../lib/tracker/internal.js';
import { ManualFetch, range } from '../support/reading.js';
import { deferred, Outcome, soon, turns } from '../support/turns.js';

const PAGE = range(0, 8);
const EVERYTHING = range(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);

/** Whoever shares a tracker: from the first moment of doubt on, a section over everything runs until contact is there again. */
class Contact {
  isThere = true;
  asked = 0;
  /** How often it still answers before contact is lost. */
  loseAfter = Number.POSITIVE_INFINITY;
  readonly #tracker: RangeTracker;
  #gate: ReturnType<RangeTracker['begin']> | undefined = undefined;

  constructor(tracker: RangeTracker) {
    this.#tracker = tracker;
    spaceOf(tracker).guard = () => {
      this.asked++;
      if (this.loseAfter-- === 0) this.isThere = false;
      if (!this.isThere) queueMicrotask(() => this.#close());
      return this.isThere;
    };
  }

  #close(): void {
    this.#gate ??= this.#tracker.begin(EVERYTHING, { label: 'no contact' });
  }

  async restore(): Promise<void> {
    this.#close();
    const gate = await this.#gate!;
    this.#gate = undefined;
    this.isThere = true;
    gate.end();
  }
}

function make(): { tracker: RangeTracker; contact: Contact } {
  const tracker = new RangeTracker();
  return { tracker, contact: new Contact(tracker) };
}

describe('a tracker whose guard says that contact is lost', () => {
  it('is lapsed, and one without a guard never is', () => {
    const { tracker, contact } = make();
    expect([tracker.lapsed, new RangeTracker().lapsed]).toEqual([false, false]);
    contact.isThere = false;
    expect(tracker.lapsed).toBe(true);
  });

  it('commits no lookup, in the turn in which contact is lost', async () => {
    const { tracker, contact } = make();
    const read = new ManualFetch();
    const outcome = new Outcome(tracker.lookup(PAGE, read.fetch));
    contact.isThere = false;
    read.last.resolve('old');
    await turns();
    expect([outcome.state, read.calls.length, tracker.stats.commits]).toEqual(['pending', 1, 0]);
    await contact.restore();
    await turns();
    read.last.resolve('new');
    await turns();
    expect([outcome.value, tracker.stats.collisions]).toEqual(['new', 1]);
  });

  it('says of tokens that were taken before, and then, that they collide', async () => {
    const { tracker, contact } = make();
    const before = tracker.tryReadBegin(PAGE)!;
    expect(tracker.readRetry(PAGE, before)).toBe(false);
    contact.isThere = false;
    const meanwhile = tracker.tryReadBegin(PAGE)!;
    for (const ranges of [PAGE, [PAGE, range(16, 24)]]) {
      expect(tracker.readRetry(ranges, before)).toBe(true);
      expect(tracker.collision(ranges, meanwhile)).toEqual({ reason: 'lapsed' });
    }
    await contact.restore();
    expect(tracker.collision(PAGE, meanwhile)).toMatchObject({ reason: 'ended', label: 'no contact' });
  });

  it('is asked once for each check, and not at all by a lookup that waits', async () => {
    const { tracker, contact } = make();
    await tracker.lookup(PAGE, () => 1);
    expect(contact.asked).toBe(1);
    const section = tracker.tryBegin(PAGE)!;
    const outcome = new Outcome(tracker.lookup(PAGE, () => 1));
    await turns();
    expect([contact.asked, outcome.state]).toEqual([1, 'pending']);
    section.end();
  });
});

describe('what is kept while contact is lost', () => {
  it('in a mirror is neither peeked at nor read, and is loaded again after that', async () => {
    const { tracker, contact } = make();
    let version = 'old';
    const load = async (first: number, count: number) => Array.from({ length: count }, (_, i) => `${first + i}${version}`);
    const mirror = new RangeMirror<string>({ tracker, pageSize: 8, range: { start: 0, end: 80 }, load });
    await soon(mirror.read({ start: 0, end: 16 }));
    expect(mirror.peek(0)).toBe('0old');
    contact.isThere = false;
    version = 'new';
    expect(mirror.peek(0)).toBeUndefined();
    const reads = [range(0, 8), range(0, 16), range(0, 24)].map((each) => new Outcome(mirror.read(each)));
    await turns();
    expect(reads.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending']);
    await contact.restore();
    await turns();
    expect(reads.map(({ value }) => value)).toEqual([['0new'], ['0new', '1new'], ['0new', '1new', '2new']]);
    expect(mirror.peek(0)).toBe('0new');
  });

  it('is not what a read of a mirror ends with, if contact is lost right after the rest has come', async () => {
    const { tracker, contact } = make();
    const calls: ((version: string) => void)[] = [];
    const load = (first: number, count: number) => {
      const answer = deferred<string[]>();
      calls.push((version) => answer.resolve(Array.from({ length: count }, (_, i) => `${first + i}${version}`)));
      return answer.promise;
    };
    const answer = async (version: string) => {
      for (const call of calls.splice(0)) call(version);
      await turns();
    };
    const mirror = new RangeMirror<string>({ tracker, pageSize: 8, range: { start: 0, end: 80 }, load });
    const first = new Outcome(mirror.read(range(0, 8)));
    await answer('old');
    expect(first.value).toEqual(['0old']);
    const both = new Outcome(mirror.read(range(0, 16)));
    await turns();
    contact.loseAfter = 1; // the check of the page that comes is still right
    await answer('old');
    expect([both.state, mirror.size]).toEqual(['pending', 0]);
    await contact.restore();
    for (let i = 0; i < 3; i++) await answer('new');
    expect(both.value).toEqual(['0new', '1new']);
  });

  it('in a synchronous cache is neither peeked at nor handed out, and is loaded again after that', async () => {
    const entries = new Map<string, string>();
    const cache = fence<string, string>(entries);
    const contact = new Contact(cache.keyed.tracker);
    expect(await cache.getOrLoad('a', () => 'old')).toBe('old');
    contact.isThere = false;
    expect(cache.peek('a')).toBeUndefined();
    const read = new Outcome(cache.getOrLoad('a', () => 'new'));
    await turns();
    expect([read.state, entries.size]).toEqual(['pending', 0]);
    await contact.restore();
    await turns();
    expect([read.value, cache.peek('a')]).toEqual(['new', 'new']);
  });

  it('in an asynchronous cache is not handed out, whether it was being read or being stored', async () => {
    const entries = new Map<string, string>();
    const answers: (() => void)[] = [];
    const later = <T>(act: () => T): Promise<T> => {
      const { promise, resolve } = deferred<T>();
      answers.push(() => resolve(act()));
      return promise;
    };
    const cache = fence<string, string>({
      get: (key: string) => later(() => entries.get(key)),
      set: (key: string, value: string) => later(() => void entries.set(key, value)),
      delete: (key: string) => later(() => entries.delete(key)),
      clear: () => later(() => entries.clear()),
    });
    const contact = new Contact(cache.keyed.tracker);
    const settle = async () => {
      for (let i = 0; i < 20; i++) {
        for (const answer of answers.splice(0)) answer();
        await turns();
      }
    };
    const first = new Outcome(cache.getOrLoad('a', () => 'old'));
    answers.shift()!(); // a miss
    await turns();
    expect(first.value).toBe('old'); // and it is being stored
    contact.isThere = false;
    expect(cache.peek('a')).toBeUndefined();
    const whileStored = new Outcome(cache.getOrLoad('a', () => 'new'));
    await settle();
    expect(whileStored.state).toBe('pending');
    await Promise.all([contact.restore(), settle()]);
    await settle();
    expect(whileStored.value).toBe('new');

    const whileRead = new Outcome(cache.getOrLoad('a', () => 'newer'));
    expect(answers).toHaveLength(1);
    contact.isThere = false;
    answers.shift()!(); // has it, of a time of which nobody knows
    await turns();
    expect(whileRead.state).toBe('pending');
    await Promise.all([contact.restore(), settle()]);
    await settle();
    expect(whileRead.value).toBe('newer');
  });
});
