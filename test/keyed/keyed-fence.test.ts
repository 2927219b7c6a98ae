import { describe, expect, it } from 'vitest';
import { ClosedError, InvalidArgumentError, RangeTracker, SubscriberError } from '../../lib/index.js';
import { type KeyedAttempt, type KeyedChange, KeyedFence, type KeyedInvalidation, type KeyScope } from '../../lib/keyed/index.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { type Deferred, deferred, failure, Outcome, soon } from '../support/turns.js';

type Reading = Deferred<string> & { readonly attempt: KeyedAttempt<string> };

/** A fence, and reads of it that wait for their answer. */
class Desk {
  readonly clock = new ManualClock();
  readonly fence = new KeyedFence<string>({ clock: this.clock });
  readonly reads: Reading[] = [];

  fetch = (attempt: KeyedAttempt<string>): Promise<string> => {
    const read = { ...deferred<string>(), attempt };
    this.reads.push(read);
    return read.promise;
  };

  /** Answers all reads from this one on. */
  async answer(value: string, from = 0): Promise<void> {
    for (const read of this.reads.slice(from)) read.resolve(value);
    await settled();
  }

  lookup(key: Parameters<KeyedFence<string>['lookup']>[0] & string, options = {}): Outcome<string> {
    return new Outcome(this.fence.lookup(key, this.fetch, options));
  }

  change(key: Parameters<KeyedFence<string>['begin']>[0]): Promise<void> {
    return soon(this.fence.mutate(key, () => {}));
  }
}

/** A lookup of the scope reads again after a section over one key. */
async function expectHit(desk: Desk, scope: KeyScope<string>): Promise<void> {
  const reading = new Outcome(desk.fence.lookup(scope, desk.fetch));
  await desk.change('b');
  desk.reads[0]!.resolve('old');
  await settled();
  desk.reads[1]!.resolve('new');
  await settled();
  expect(reading.value).toBe('new');
}

describe('lookup of a key', () => {
  it('commits what it read if nothing has hit the key, in the turn of the check', async () => {
    const fence = new KeyedFence<string>();
    const committed: string[] = [];
    expect(await soon(fence.lookup('a', () => 'value', { commit: (value) => committed.push(value) }))).toBe(1);
    expect(committed).toEqual(['value']);
    expect(fence.size).toBe(0);
  });

  it('retries if a section over its key ran meanwhile, and not for another key', async () => {
    const desk = new Desk();
    const [a, b] = [desk.lookup('a'), desk.lookup('b')];
    await desk.change('a');
    await desk.answer('old');
    expect([a.state, b.value]).toEqual(['pending', 'old']);
    desk.reads[2]!.resolve('new');
    await settled();
    expect(a.value).toBe('new');
    expect(desk.fence.size).toBe(0);
    expect(desk.fence.stats).toMatchObject({ collisions: 1, commits: 2 });
  });

  it('waits for an active section over its key, and for no other', async () => {
    const desk = new Desk();
    const section = await soon(desk.fence.begin('a'));
    const [a, b] = [desk.lookup('a'), desk.lookup('b')];
    expect(desk.reads).toHaveLength(1);
    desk.reads[0]!.resolve('b');
    await settled();
    expect([a.state, b.value]).toEqual(['pending', 'b']);
    section.end();
    await settled();
    desk.reads[1]!.resolve('a');
    await settled();
    expect(a.value).toBe('a');
  });

  it('of several keys is hit by a section over any of them', async () => {
    const desk = new Desk();
    await expectHit(desk, desk.fence.keys(['a', 'b', 'c']));
  });

  it('of a condition, or of all keys, is hit by a section over any key', async () => {
    for (const scope of ['all', 'where'] as const) {
      const desk = new Desk();
      await expectHit(desk, scope === 'all' ? desk.fence.all : desk.fence.where((key) => key === 'z'));
    }
  });

  it('knows keys apart as a Map does: by identity, and NaN as itself', async () => {
    const fence = new KeyedFence<unknown>();
    const [one, two] = [{}, {}];
    const section = await soon(fence.begin(one));
    expect(await soon(fence.lookup(two, () => 'free'))).toBe('free');
    section.end();
    const nan = await soon(fence.begin(Number.NaN));
    const waiting = new Outcome(fence.lookup(Number.NaN, () => 'later'));
    await settled();
    expect(waiting.state).toBe('pending');
    nan.end();
    await settled();
    expect(waiting.value).toBe('later');
  });

  it('takes a key that is an array for one key', async () => {
    const fence = new KeyedFence<readonly string[]>();
    const key = ['a', 'b'];
    const section = await soon(fence.begin(key));
    expect([fence.size, section.keys]).toEqual([1, [key]]);
    section.end();
  });

  it('goes by what identify says, where it is given', async () => {
    const fence = new KeyedFence<readonly string[]>({ identify: (key) => key.join() });
    const section = await soon(fence.begin(['a', 'b']));
    expect([section.has(['a', 'b']), section.has(['a'])]).toEqual([true, false]);
    const waiting = new Outcome(fence.lookup(['a', 'b'], () => 'later'));
    await settled();
    expect(waiting.state).toBe('pending');
    section.end();
    await settled();
    expect([waiting.value, fence.size]).toEqual(['later', 0]);
  });

  it('passes on an error of the fetch, the reason of the signal and a bad option, and leaves nothing', async () => {
    const desk = new Desk();
    const error = new Error('disk');
    expect(await failure(desk.fence.lookup('a', () => Promise.reject(error)))).toBe(error);
    const controller = new AbortController();
    const aborted = new Outcome(desk.fence.lookup('a', desk.fetch, { signal: controller.signal }));
    controller.abort('gone');
    await settled();
    expect(aborted.error).toBe('gone');
    expect(await failure(desk.fence.lookup('a', desk.fetch, { maxAttempts: 0 }))).toBeInstanceOf(InvalidArgumentError);
    expect(await failure(desk.fence.lookup('a', 'fetch' as never))).toBeInstanceOf(InvalidArgumentError);
    expect(desk.fence.size).toBe(0);
  });

  it('leaves nothing if identify throws, at whichever key', async () => {
    const fence = new KeyedFence<string>({
      identify: (key) => {
        if (key === 'bad') throw new Error('no name');
        return key;
      },
    });
    const scope = fence.keys(['a', 'bad']);
    for (const attempt of [fence.lookup(scope, () => 1), fence.begin(scope), fence.mutate(scope, () => {})]) {
      expect(await failure(attempt)).toMatchObject({ message: 'no name' });
    }
    expect(() => fence.tryBegin(scope)).toThrow('no name');
    expect(fence.size).toBe(0);
  });
});

describe('observe', () => {
  it('covers a key that is read, too, from the token on', async () => {
    const desk = new Desk();
    const reading = desk.lookup('a');
    desk.reads[0]!.attempt.observe('b');
    const { signal } = desk.reads[0]!.attempt;
    await desk.change('b');
    expect(signal.aborted).toBe(true);
    desk.reads[0]!.resolve('old');
    await settled();
    desk.reads[1]!.resolve('new');
    await settled();
    expect([reading.value, desk.fence.size]).toEqual(['new', 0]);
  });

  it('of a key that was hit before, by a section that has ended, is a collision although nobody used the key meanwhile', async () => {
    const desk = new Desk();
    const reading = desk.lookup('a');
    await desk.change('b');
    await desk.change(desk.fence.where((key) => key.startsWith('user:')));
    expect(desk.fence.size).toBe(3); // b and the condition are kept as long as the lookup runs
    for (const key of ['b', 'user:1']) {
      const read = desk.reads.at(-1)!;
      read.attempt.observe(key);
      read.resolve('old');
      await settled();
      if (key === 'b') await desk.change(desk.fence.where((each) => each.startsWith('user:')));
    }
    expect(desk.reads).toHaveLength(3);
    desk.reads[2]!.attempt.observe('c'); // never hit
    desk.reads[2]!.resolve('new');
    await settled();
    expect([reading.value, desk.fence.size]).toEqual(['new', 0]);
  });

  it('of a key that nothing has hit is no collision, however many others were', async () => {
    const desk = new Desk();
    const reading = desk.lookup('a');
    for (let i = 0; i < 10; i++) await desk.change(`${i}`);
    desk.reads[0]!.attempt.observe('10');
    desk.reads[0]!.resolve('first');
    await settled();
    expect([reading.value, desk.fence.size]).toEqual(['first', 0]);
  });

  it('collides if more sections have ended since the token than are remembered, and the table stays bounded', async () => {
    const fence = new KeyedFence<string>({ historyCapacity: 4 });
    const reads: Reading[] = [];
    const reading = new Outcome(
      fence.lookup('a', (attempt) => {
        const read = { ...deferred<string>(), attempt };
        reads.push(read);
        return read.promise;
      }),
    );
    for (let i = 0; i < 50; i++) await soon(fence.mutate(fence.keys([`${i}`, `x${i}`]), () => {}));
    expect(fence.size).toBeLessThanOrEqual(9); // two keys of each of four sections, and `a`
    reads[0]!.attempt.observe('b');
    reads[0]!.resolve('old');
    await settled();
    expect(reads).toHaveLength(2);
    reads[1]!.attempt.observe('b');
    reads[1]!.resolve('new');
    await settled();
    expect([reading.value, fence.size]).toEqual(['new', 0]);
  });

  it.each([
    ['does not lose to a section of more keys than sections are remembered', 1, 'old', 1],
    ['collides for what was forgotten: one section more than are remembered', 5, 'new', 2],
  ])('%s', async (_, sections, expected, attempts) => {
    const fence = new KeyedFence<string>({ historyCapacity: 4 });
    const reads: Reading[] = [];
    const reading = new Outcome(
      fence.lookup('a', (attempt) => {
        const read = { ...deferred<string>(), attempt };
        reads.push(read);
        return read.promise;
      }),
    );
    for (let i = 0; i < sections; i++) await soon(fence.mutate(fence.keys([...'bcdefghijk'].map((key) => key + i)), () => {}));
    reads[0]!.attempt.observe('z');
    reads[0]!.resolve('old');
    await settled();
    reads[1]?.attempt.observe('z');
    reads[1]?.resolve('new');
    await settled();
    expect([reading.value, reads.length, fence.size]).toEqual([expected, attempts, 0]);
  });

  it('keeps what was hit for the oldest lookup that runs, and lets it go with that one', async () => {
    const desk = new Desk();
    const [old] = [desk.lookup('old')];
    await desk.change('b');
    const young = desk.lookup('young');
    await desk.change('c');
    expect(desk.fence.size).toBe(4);
    desk.reads[0]!.resolve('1');
    await settled();
    expect([old.value, desk.fence.size]).toEqual(['1', 2]); // c, and young itself
    for (let i = 0; i < 3; i++) await soon(desk.fence.lookup('c', () => 'again')); // used, and kept again
    expect(desk.fence.size).toBe(2);
    desk.reads[1]!.resolve('2');
    await settled();
    expect([young.value, desk.fence.size]).toEqual(['2', 0]);
  });

  it('after the end of the attempt claims nothing', async () => {
    const desk = new Desk();
    desk.lookup('a');
    desk.reads[0]!.resolve('x');
    await settled();
    desk.reads[0]!.attempt.observe('b');
    expect([desk.fence.size, desk.reads[0]!.attempt.number, desk.reads[0]!.attempt.seq]).toEqual([0, 1, 0]);
  });
});

describe('a section', () => {
  it('names its keys, who changes, and ends once', async () => {
    const fence = new KeyedFence<string>();
    const owner = {};
    const section = await soon(fence.begin(fence.keys(['a', 'b', 'a']), { owner, kind: 'move', label: 'writer' }));
    expect(section).toMatchObject({ keys: ['a', 'b'], owner, kind: 'move', label: 'writer', active: true, blockable: true });
    expect([section.beginSeq, section.isAll, section.has('b'), section.has('c')]).toEqual([1, false, true, false]);
    expect(fence.size).toBe(2);
    section.end();
    section.end();
    expect([fence.size, section.active, fence.stats.ends]).toEqual([0, false, 1]);
  });

  it('over all keys hits loads in flight of any key, and is waited for by keys that come later', async () => {
    const desk = new Desk();
    const before = desk.lookup('a');
    const section = await soon(desk.fence.begin(desk.fence.all));
    expect([section.isAll, section.keys, section.has('anything')]).toEqual([true, undefined, true]);
    const inside = desk.lookup('new key');
    desk.reads[0]!.resolve('old');
    await settled();
    expect([before.state, inside.state, desk.reads.length]).toEqual(['pending', 'pending', 1]);
    section.end();
    await settled();
    await desk.answer('new', 1);
    expect([before.value, inside.value, desk.fence.size]).toEqual(['new', 'new', 0]);
  });

  it('over a condition hits the keys that match, those included that come while it runs, and no other', async () => {
    const desk = new Desk();
    const [match, other] = [desk.lookup('user:1'), desk.lookup('page:1')];
    const section = await soon(desk.fence.begin(desk.fence.where((key) => key.startsWith('user:'))));
    expect([section.keys, section.isAll, section.has('user:7'), section.has('page:7')]).toEqual([undefined, false, true, false]);
    const [inside, beside] = [desk.lookup('user:2'), desk.lookup('page:2')];
    await desk.answer('old');
    expect([match.state, other.value, inside.state, beside.value]).toEqual(['pending', 'old', 'pending', 'old']);
    section.end();
    await settled();
    await desk.answer('new', 3);
    expect([match.value, inside.value, desk.fence.size]).toEqual(['new', 'new', 0]);
  });

  it('over a condition that throws hits the key', async () => {
    const desk = new Desk();
    const reading = desk.lookup('a');
    const condition = () => {
      throw new Error('no idea');
    };
    await desk.change(desk.fence.where(condition));
    desk.reads[0]!.resolve('old');
    await settled();
    expect(reading.state).toBe('pending');
  });

  it('that cannot begin leaves nothing, and a subscriber that fails is the reason', async () => {
    const fence = new KeyedFence<string>();
    const subscription = fence.subscribe({
      invalidate: () => {
        throw new Error('busy');
      },
    });
    for (const scope of ['a', fence.keys(['a', 'b']), fence.where(() => true), fence.all]) {
      expect(await failure(fence.begin(scope))).toBeInstanceOf(SubscriberError);
      expect(await failure(fence.mutate(scope, () => {}))).toBeInstanceOf(SubscriberError);
      expect(() => fence.tryBegin(scope)).toThrow(SubscriberError);
    }
    expect(fence.size).toBe(0);
    subscription.close();
    expect(subscription.closed).toBe(true);
    await soon(fence.mutate('a', () => {}));
  });

  it('without waiting is refused while a lookup holds the key or a subscriber needs time', async () => {
    const desk = new Desk();
    const subscription = desk.fence.subscribe({ invalidate: () => Promise.resolve() });
    expect(desk.fence.tryBegin('a')).toBeUndefined();
    subscription.close();
    const section = desk.fence.tryBegin('a')!;
    expect([section.keys, section.blockable]).toEqual([['a'], false]);
    section.end();
    expect(desk.fence.size).toBe(0);
  });

  it('may be nested in another one of the same fence, and in nothing else', async () => {
    const fence = new KeyedFence<string>();
    const outer = await soon(fence.begin('a'));
    await soon(fence.mutate('a', () => {}, { within: outer }));
    const foreign = await soon(new RangeTracker().begin({ start: 0, end: 1 }));
    const within = foreign as unknown as KeyedInvalidation<string>;
    expect(await failure(fence.begin('a', { within }))).toBeInstanceOf(InvalidArgumentError);
    outer.end();
    expect(fence.size).toBe(0);
  });

  it('of mutate ends whatever happens, and passes on what the change returned or threw', async () => {
    const fence = new KeyedFence<string>();
    expect(await soon(fence.mutate('a', ({ keys }) => keys))).toEqual(['a']);
    const error = new Error('disk');
    expect(await failure(fence.mutate('a', () => Promise.reject(error)))).toBe(error);
    expect(await failure(fence.mutate('a', 1 as never))).toBeInstanceOf(InvalidArgumentError);
    expect([fence.size, fence.tracker.activeCount]).toEqual([0, 0]);
  });
});

describe('a subscriber', () => {
  it('is told of each change in keys, before it begins, and awaited', async () => {
    const fence = new KeyedFence<string>();
    const seen: KeyedChange<string>[] = [];
    const gate = deferred();
    fence.subscribe({
      invalidate(change) {
        seen.push(change);
        return gate.promise;
      },
    });
    const begin = new Outcome(fence.begin(fence.keys(['a', 'b']), { label: 'w' }));
    await settled();
    expect(begin.state).toBe('pending');
    expect(seen[0]).toMatchObject({ keys: ['a', 'b'], label: 'w', isAll: false });
    gate.resolve();
    await settled();
    expect(begin.state).toBe('resolved');
    begin.value!.end();
  });

  it('is told of a condition together with sections over single keys, without mixing them', async () => {
    const fence = new KeyedFence<string>();
    const seen: (readonly string[] | undefined)[] = [];
    fence.subscribe({ invalidate: ({ keys }) => void seen.push(keys) });
    const single = await soon(fence.begin('user:1'));
    const some = await soon(fence.begin(fence.where((key) => key === 'user:1')));
    expect(seen).toEqual([['user:1'], undefined]);
    single.end();
    some.end();
  });

  it('is told of a section begun on the tracker itself as of all keys', async () => {
    const fence = new KeyedFence<string>();
    let all = false;
    fence.subscribe({
      invalidate: ({ isAll }) => {
        all = isAll;
      },
    });
    await soon(fence.tracker.mutate({ start: 0, end: 1e12 }, () => {}));
    expect(all).toBe(true);
  });

  it('may ignore what does not concern it', async () => {
    const fence = new KeyedFence<string>();
    let calls = 0;
    fence.subscribe({ invalidate: () => void calls++ }, { ignore: ({ kind }) => kind === 'touch', label: 's' });
    await soon(fence.mutate('a', () => {}, { kind: 'touch' }));
    await soon(fence.mutate('a', () => {}));
    expect(calls).toBe(1);
    expect(() => fence.subscribe({} as never)).toThrow(InvalidArgumentError);
  });
});

describe('close', () => {
  it('rejects what waits and all that comes later', async () => {
    const desk = new Desk();
    const reading = desk.lookup('a');
    await soon(desk.fence.close());
    desk.reads[0]!.resolve('late');
    await settled();
    expect(reading.error).toBeInstanceOf(ClosedError);
    expect(await failure(desk.fence.begin('a'))).toBeInstanceOf(ClosedError);
    expect([desk.fence.closed, desk.fence.size]).toEqual([true, 0]);
    expect(`${desk.fence}`).toMatch(/^KeyedFence \{/);
  });
});

describe('arguments', () => {
  it('are checked before anything changes', () => {
    const fence = new KeyedFence<string>();
    expect(() => new KeyedFence({ identify: 1 as never })).toThrow(InvalidArgumentError);
    expect(() => fence.keys('abc')).toThrow(/an iterable of keys/);
    expect(() => fence.keys(7 as never)).toThrow(InvalidArgumentError);
    expect(() => fence.where('x' as never)).toThrow(InvalidArgumentError);
  });
});

describe('no key at all', () => {
  it('is an invalidation of nothing: nobody is told, nobody collides, and the change runs', async () => {
    const fence = new KeyedFence<string>();
    const told: unknown[] = [];
    fence.subscribe({ invalidate: (change) => void told.push(change.keys) });
    const none = fence.keys([]);
    const reading = new Outcome(fence.lookup(none, () => 'read'));
    expect(await soon(fence.mutate(none, () => fence.lookup(none, () => 'inside')))).toBe('inside');
    const section = fence.tryBegin(none)!;
    expect([section.keys, section.isAll, section.has('a')]).toEqual([[], false, false]);
    section.end();
    await soon(fence.invalidate(none));
    await settled();
    expect([reading.value, told, fence.size]).toEqual(['read', [], 0]);
  });

  it('is a lookup that waits only for what it observes', async () => {
    const fence = new KeyedFence<string>();
    const section = fence.tryBegin('a')!;
    let attempts = 0;
    const reading = new Outcome(
      fence.lookup(fence.keys([]), (attempt) => {
        attempts++;
        attempt.observe('a');
        return 'read';
      }),
    );
    await settled();
    expect([reading.state, attempts]).toEqual(['pending', 1]);
    section.end();
    await settled();
    expect([reading.value, attempts, fence.size]).toEqual(['read', 2, 0]);
  });
});

describe('tokens by hand', () => {
  const all = (fence: KeyedFence<string>): [string, string | KeyScope<string>][] => [
    ['the key', 'a'],
    ['a list with the key', fence.keys(['x', 'a'])],
    ['a condition', fence.where((key) => key === 'a')],
    ['all keys', fence.all],
  ];

  it('say "retry" for whatever has hit the key since, and "fine" for another key', async () => {
    const fence = new KeyedFence<string>();
    for (const [name, what] of all(fence)) {
      const seq = fence.tryReadBegin('a')!;
      const other = await fence.readBegin('b');
      await soon(fence.invalidate(what));
      expect([name, fence.readRetry('a', seq)]).toEqual([name, true]);
      expect([name, fence.readRetry('b', other)]).toEqual([name, what === fence.all]);
      expect([name, fence.readRetry('a', fence.tryReadBegin('a')!)]).toEqual([name, false]);
    }
  });

  it('are not handed out while the key is being changed, and readBegin waits for its end', async () => {
    const fence = new KeyedFence<string>();
    for (const [name, what] of all(fence)) {
      const before = fence.tryReadBegin('a')!;
      const section = fence.tryBegin(what)!;
      expect([name, fence.tryReadBegin('a'), fence.readRetry('a', before)]).toEqual([name, undefined, true]);
      const reading = new Outcome(fence.readBegin('a'));
      await settled();
      expect([name, reading.state]).toEqual([name, 'pending']);
      section.end();
      await settled();
      expect([name, fence.readRetry('a', reading.value!)]).toEqual([name, false]);
    }
  });

  it('cover a key that was named nowhere before: by readRetry alone, what is read while reading, too', async () => {
    const fence = new KeyedFence<string>();
    const seq = fence.tryReadBegin('a')!;
    await soon(fence.invalidate('late'));
    expect([fence.readRetry('late', seq), fence.readRetry(fence.keys(['a', 'late']), seq), fence.readRetry('a', seq)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('are lost, and counted, when more sections have ended since than are remembered; the table stays bounded', async () => {
    const fence = new KeyedFence<string>({ historyCapacity: 4 });
    const seq = fence.tryReadBegin('a')!;
    for (let i = 0; i < 4; i++) await soon(fence.invalidate(`k${i}`));
    expect([fence.readRetry('a', seq), fence.stats.historyLost]).toEqual([false, 0]);
    for (let i = 0; i < 50; i++) await soon(fence.invalidate(`k${i}`));
    expect([fence.readRetry('a', seq), fence.stats.historyLost]).toEqual([true, 1]);
    expect(fence.size).toBe(4);
  });

  it('leave nothing behind when the wait is aborted, and are refused once closed', async () => {
    const fence = new KeyedFence<string>();
    const section = fence.tryBegin('a')!;
    const controller = new AbortController();
    const reading = new Outcome(fence.readBegin('a', { signal: controller.signal }));
    await settled();
    controller.abort(new Error('enough'));
    await settled();
    expect(reading.error).toEqual(new Error('enough'));
    section.end();
    expect(fence.tracker.inspect().waiting).toBe(0);
    await fence.close();
    expect(() => fence.tryReadBegin('a')).toThrow(ClosedError);
    expect(await failure(fence.readBegin('a'))).toBeInstanceOf(ClosedError);
    expect(fence.readRetry('a', 0 as never)).toBe(true);
  });
});
