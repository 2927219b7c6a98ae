/** Changes: announced by mutations, by hand and by sections of the fence. */
import {
  dehydrate,
  hydrate,
  MutationObserver,
  type MutationOptions,
  onlineManager,
  type QueryClient,
  QueryObserver,
} from '@tanstack/query-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClosedError, InvalidArgumentError, SubscriberError } from '../../lib/index.js';
import { FencedQueryClient } from '../../lib/query/tanstack/index.js';
import { ManualClock } from '../support/model/clock.js';
import { deferred, failure, Outcome, soon } from '../support/turns.js';
import { Backend, settle } from './support/backend.js';
import { clearClients, fencedClient } from './support/clients.js';

const KEY = ['todos'] as const;
const TODOS = { queryKey: KEY };

afterEach(() => {
  onlineManager.setOnline(true);
  clearClients();
});

/** A client, and an observed query that has loaded 1. */
async function loaded(config = {}) {
  const client = fencedClient(config);
  const backend = new Backend();
  const observer = new QueryObserver(client, { ...TODOS, queryFn: backend.read });
  observer.subscribe(() => {});
  await backend.answerAll();
  expect(observer.getCurrentResult().data).toBe(1);
  return { client, backend, observer };
}

function mutating(client: QueryClient, options: MutationOptions<unknown, Error, unknown>): Outcome<unknown> {
  return new Outcome(new MutationObserver(client, { meta: { affects: TODOS }, ...options }).mutate(undefined));
}

describe('a mutation with meta.affects', () => {
  it('ends its section before its callbacks, which may wait for what they invalidate', async () => {
    const { client, backend } = await loaded();
    const done = mutating(client, {
      mutationFn: async () => backend.write(2),
      onSuccess: () => client.invalidateQueries(TODOS),
    });
    await backend.answerAll();
    expect(done.state).toBe('resolved');
    expect([client.getQueryData(KEY), backend.reads]).toEqual([2, 2]);
  });

  it('has its queries fetched again at its end, once, if the callbacks have not', async () => {
    const { client, backend } = await loaded();
    mutating(client, { mutationFn: async () => backend.write(2) });
    await backend.answerAll();
    expect([client.getQueryData(KEY), backend.reads]).toEqual([2, 2]);
  });

  it('fetches nothing again that its callbacks have set', async () => {
    const { client, backend } = await loaded();
    mutating(client, {
      mutationFn: async () => backend.write(2),
      onSuccess: () => void client.setQueryData(KEY, 2),
    });
    await backend.answerAll();
    expect([client.getQueryData(KEY), backend.reads]).toEqual([2, 1]);
  });

  it('has its queries fetched again if it fails, since nobody knows how far it got', async () => {
    const { client, backend } = await loaded();
    const error = new Error('the answer was lost');
    const done = mutating(client, {
      mutationFn: async () => {
        backend.value = 2;
        throw error;
      },
    });
    await backend.answerAll();
    expect(done.error).toBe(error);
    expect(client.getQueryData(KEY)).toBe(2);
  });

  it('marks what nobody observes as invalidated, and fetches it if the filters say so', async () => {
    const client = fencedClient();
    const backend = new Backend();
    void client.fetchQuery({ ...TODOS, queryFn: backend.read });
    await backend.answerAll();
    mutating(client, { mutationFn: async () => {} });
    await settle();
    expect([client.getQueryState(KEY)?.isInvalidated, backend.reads]).toEqual([true, 1]);
    mutating(client, { mutationFn: async () => {}, meta: { affects: [{ ...TODOS, refetchType: 'all' }] } });
    await backend.answerAll();
    expect([client.getQueryState(KEY)?.isInvalidated, backend.reads]).toEqual([false, 2]);
    mutating(client, { mutationFn: async () => {}, meta: { affects: [{ ...TODOS, refetchType: 'none' }] } });
    await settle();
    expect([client.getQueryState(KEY)?.isInvalidated, backend.reads]).toEqual([true, 2]);
  });

  it('may say what it affects by a function of its variables', async () => {
    const client = fencedClient();
    for (const id of [1, 2]) client.setQueryData(['todos', id], 'old');
    const affects = (id: number) => ({ queryKey: ['todos', id] });
    await soon(new MutationObserver(client, { mutationFn: async (_: number) => {}, meta: { affects } }).mutate(2));
    const marks = [1, 2].map((id) => client.getQueryState(['todos', id])?.isInvalidated);
    expect(marks).toEqual([false, true]);
  });

  it('fails before it begins if what it affects is no filter', async () => {
    const client = fencedClient();
    const mutationFn = vi.fn(async () => {});
    const done = mutating(client, { mutationFn, meta: { affects: ['todos'] } });
    await settle();
    expect(done.error).toBeInstanceOf(InvalidArgumentError);
    expect(mutationFn).not.toHaveBeenCalled();
  });

  it('has no section while it is paused offline', async () => {
    const { client, backend } = await loaded();
    onlineManager.setOnline(false);
    mutating(client, { mutationFn: async () => backend.write(2) });
    await settle();
    expect(client.isMutating()).toBe(1);
    expect(client.fence.tracker.activeCount).toBe(0);
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read, networkMode: 'always' }));
    await backend.answerAll();
    expect(reading.value).toBe(1);
    onlineManager.setOnline(true);
    await settle();
    await backend.answerAll();
    expect(client.getQueryData(KEY)).toBe(2);
  });

  it('has no section while another one of its scope runs', async () => {
    const { client, backend } = await loaded();
    const first = deferred<void>();
    const scope = { id: 'one by one' };
    mutating(client, { mutationFn: () => first.promise, scope, meta: { affects: { queryKey: ['others'] } } });
    mutating(client, { mutationFn: async () => backend.write(2), scope });
    await settle();
    expect(client.fence.tracker.activeCount).toBe(1);
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read }));
    await backend.answerAll();
    expect(reading.value).toBe(1);
    first.resolve();
    await settle();
    await backend.answerAll();
    expect(client.getQueryData(KEY)).toBe(2);
  });

  it('has a section for each try, and none while it waits for the next', async () => {
    vi.useFakeTimers();
    try {
      const { client, backend } = await loaded();
      const tries: (() => void)[] = [];
      const mutationFn = vi.fn(() => new Promise((_, reject) => tries.push(() => reject(new Error('busy')))));
      mutating(client, { mutationFn, retry: 1, retryDelay: 1000 });
      await settle();
      expect(client.fence.tracker.activeCount).toBe(1);
      tries[0]!();
      await settle();
      expect(client.fence.tracker.activeCount).toBe(0);
      await vi.advanceTimersByTimeAsync(1000);
      expect(client.fence.tracker.activeCount).toBe(1);
      tries[1]!();
      await backend.answerAll();
      expect(client.fence.tracker.activeCount).toBe(0);
      expect(backend.reads).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('that was paused and stored elsewhere has its section when it is resumed', async () => {
    const backend = new Backend();
    const mutationKey = ['write'];
    const sleeping = fencedClient();
    onlineManager.setOnline(false);
    mutating(sleeping, { mutationKey, mutationFn: async () => {} });
    await settle();
    const state = JSON.parse(JSON.stringify(dehydrate(sleeping)));
    onlineManager.setOnline(true);
    sleeping.clear();

    const client = fencedClient();
    const written = deferred<void>();
    client.setMutationDefaults(mutationKey, { mutationFn: () => written.promise.then(() => backend.write(2)) });
    hydrate(client, state);
    const resumed = client.resumePausedMutations();
    await settle();
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read }));
    await settle();
    expect([client.fence.tracker.activeCount, backend.reads]).toEqual([1, 0]);
    written.resolve();
    await backend.answerAll();
    await soon(resumed);
    expect(reading.value).toBe(2);
  });

  it('keeps the identity of its function, so that observers find their options equal', () => {
    const client = fencedClient();
    const options = { mutationFn: async () => {}, meta: { affects: TODOS } };
    const first = client.defaultMutationOptions(options);
    expect(first.mutationFn).not.toBe(options.mutationFn);
    expect(client.defaultMutationOptions(options).mutationFn).toBe(first.mutationFn);
    expect(client.defaultMutationOptions({ ...first, _defaulted: false }).mutationFn).toBe(first.mutationFn);
    expect(client.defaultMutationOptions({ mutationFn: options.mutationFn }).mutationFn).toBe(options.mutationFn);
  });
});

describe('mutate', () => {
  it('runs the change between begin and end, returns what it returned, and has the queries fetched again', async () => {
    const { client, backend } = await loaded();
    const told: unknown[] = [];
    const done = client.mutate(TODOS, async (section) => {
      told.push(section.active, section.has(KEY), section.has(['users']), client.getQueryState(KEY)?.isInvalidated);
      backend.value = 2;
      return 'written';
    });
    await backend.answerAll();
    expect([await soon(done), ...told]).toEqual(['written', true, true, false, true]);
    expect([client.getQueryData(KEY), backend.reads]).toEqual([2, 2]);
  });

  it('has what was set by hand inside it read again', async () => {
    const { client, backend } = await loaded();
    const done = client.mutate(TODOS, async () => {
      client.setQueryData(KEY, 'a guess');
      backend.value = 2;
    });
    await backend.answerAll();
    await soon(done);
    expect(client.getQueryData(KEY)).toBe(2);
  });

  it('passes an error of the change on, and has the queries fetched again', async () => {
    const { client, backend } = await loaded();
    const error = new Error('refused');
    const done = failure(client.mutate([TODOS], () => Promise.reject(error)));
    await backend.answerAll();
    expect(await done).toBe(error);
    expect(backend.reads).toBe(2);
  });

  it('takes several filters as one section', async () => {
    const client = fencedClient();
    for (const key of ['a', 'b', 'c']) client.setQueryData([key], 0);
    const filters = [{ queryKey: ['a'] }, { predicate: ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[0] === 'c' }];
    await soon(client.mutate(filters, () => {}));
    expect(['a', 'b', 'c'].map((key) => client.getQueryState([key])?.isInvalidated)).toEqual([true, false, true]);
    expect(client.fence.stats.begins).toBe(1);
  });

  it('refuses what is no filter, and options that it does not know, before anything has changed', async () => {
    const client = fencedClient();
    const change = vi.fn();
    for (const filters of ['todos', null, [KEY], Promise.resolve({})]) {
      expect(await failure(client.mutate(filters as never, change))).toBeInstanceOf(InvalidArgumentError);
    }
    const error = (await failure(client.mutate(TODOS, change, { lable: 'x' } as never))) as Error;
    expect(error.message).toBe('option "lable" is not known to mutate; did you mean "label"?');
    expect(change).not.toHaveBeenCalled();
    expect(() => new FencedQueryClient({ fence: { maxWait: 1 } as never })).toThrow('did you mean "maxWaitMs"?');
    expect(() => new FencedQueryClient({ fence: { maxWaitMs: 0 } })).toThrow('maxWaitMs is 0; expected a positive number');
  });

  it('is bounded for a function that reads what it changes: it reads, and the query is read again at the end', async () => {
    const clock = new ManualClock();
    const { client, backend } = await loaded({ fence: { clock, maxWaitMs: 3000 } });
    const options = { ...TODOS, queryFn: backend.read };
    const done = new Outcome(client.mutate(TODOS, async () => await client.fetchQuery(options)));
    await settle();
    expect([done.state, backend.open]).toEqual(['pending', 0]);
    clock.advance(3000);
    await settle();
    backend.value = 2; // after it has been read
    await backend.answer();
    expect(done.value).toBe(1);
    await backend.answerAll();
    expect([client.getQueryData(KEY), client.getQueryState(KEY)?.isInvalidated]).toEqual([2, false]);
    expect([clock.pending, client.fence.size]).toEqual([0, 0]);
  });

  it('leaves what was read without the fence marked until its end', async () => {
    const clock = new ManualClock();
    const client = fencedClient({ fence: { clock } });
    const backend = new Backend();
    const written = deferred<void>();
    const done = new Outcome(client.mutate(TODOS, () => written.promise));
    await settle();
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read }));
    clock.advance(4999);
    await settle();
    expect(backend.open).toBe(0);
    clock.advance(1);
    await backend.answerAll();
    expect([reading.value, client.getQueryState(KEY)?.isInvalidated]).toEqual([1, true]);
    written.resolve();
    await settle();
    expect(done.state).toBe('resolved');
  });
});

describe('a section of the fence', () => {
  it('by hand has its queries marked, waited for, and fetched again', async () => {
    const { client, backend } = await loaded();
    const section = await soon(client.fence.begin(['todos']));
    expect(client.getQueryState(KEY)?.isInvalidated).toBe(true);
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read, staleTime: 60_000 }));
    await backend.answerAll();
    expect([reading.state, backend.reads]).toEqual(['pending', 1]);
    backend.value = 2;
    section.end();
    await backend.answerAll();
    expect([reading.value, client.getQueryData(KEY), backend.reads]).toEqual([2, 2, 2]);
  });

  it('knows a key by its hash', async () => {
    const client = fencedClient();
    client.setQueryData(['todos', { page: 1, size: 2 }], 0);
    await soon(client.fence.invalidate(['todos', { size: 2, page: 1 }]));
    expect(client.getQueryState(['todos', { page: 1, size: 2 }])?.isInvalidated).toBe(true);
    expect(client.fence.size).toBe(0);
  });

  it('is told of what is invalidated: other readers of the same keys, and subscribers', async () => {
    const client = fencedClient();
    const told: boolean[] = [];
    client.fence.subscribe({ invalidate: (change) => void told.push(change.has(['todos', 1])) });
    const answers = [deferred<number>(), deferred<number>()];
    let reads = 0;
    const reading = new Outcome(client.fence.lookup(['todos', 1], () => answers[reads++]!.promise));
    await client.invalidateQueries(TODOS);
    answers[0]!.resolve(1);
    await settle();
    answers[1]!.resolve(2);
    await settle();
    expect([reading.value, told]).toEqual([2, [true]]);
  });

  it('waits for a subscriber that takes its time, and invalidateQueries does, too', async () => {
    const client = fencedClient();
    const confirmed = deferred<void>();
    client.fence.subscribe({ invalidate: ({ blockable }) => (blockable ? confirmed.promise : false) });
    const done = new Outcome(client.invalidateQueries(TODOS));
    await settle();
    expect(done.state).toBe('pending');
    confirmed.resolve();
    await settle();
    expect(done.state).toBe('resolved');
  });

  it('fails where a subscriber fails, and invalidateQueries rejects', async () => {
    const client = fencedClient();
    client.fence.subscribe({
      invalidate: () => {
        throw new Error('no');
      },
    });
    expect(await failure(client.invalidateQueries(TODOS))).toBeInstanceOf(SubscriberError);
  });

  it('is over for good once the fence is closed: loads reject, invalidateQueries goes on', async () => {
    const client = fencedClient();
    await soon(client.fence.close());
    const read = client.fetchQuery({ ...TODOS, queryFn: () => 1 });
    expect(await failure(read)).toBeInstanceOf(ClosedError);
    await soon(client.invalidateQueries(TODOS));
  });
});

describe('a query that is invalidated by itself', () => {
  it('has its load overtaken', async () => {
    const client = fencedClient();
    const backend = new Backend();
    const reading = new Outcome(client.fetchQuery({ ...TODOS, queryFn: backend.read }));
    backend.value = 2;
    client.getQueryCache().find(TODOS)!.invalidate();
    await backend.answerAll();
    expect(reading.value).toBe(2);
  });
});
