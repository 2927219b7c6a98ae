import { configureStore } from '@reduxjs/toolkit';
import { createApi, fetchBaseQuery } from '@reduxjs/toolkit/query';
import { describe, expect, it, vi } from 'vitest';
import { InvalidArgumentError } from '../../lib/index.js';
import { KeyedFence } from '../../lib/keyed/index.js';
import { fencedBaseQuery } from '../../lib/query/rtk/index.js';
import { ManualClock } from '../support/model/clock.js';
import { deferred, Outcome } from '../support/turns.js';
import { Backend, settle } from './support/backend.js';

interface Request {
  readonly write?: number;
}

/** A server behind a base query, and a store with an API over it. */
function world({ isFenced = true, behavior = 'immediately' as 'immediately' | 'delayed', onLate = () => {} } = {}) {
  const backend = new Backend();
  const clock = new ManualClock();
  const fence = new KeyedFence<string>({ clock });
  const signals: AbortSignal[] = [];
  const written = deferred<void>();
  const plain = async ({ write }: Request, { signal }: { signal: AbortSignal }) => {
    signals.push(signal);
    if (write === undefined) return { data: await backend.read() };
    await written.promise;
    backend.write(write);
    return { data: write };
  };
  const baseQuery = isFenced ? fencedBaseQuery(plain, { fence, onLate }) : plain;
  const api = createApi({
    baseQuery: baseQuery as typeof plain,
    tagTypes: ['Todo', 'User'],
    invalidationBehavior: behavior,
    endpoints: (build) => ({
      todo: build.query<number, void>({ query: () => ({}), providesTags: ['Todo'], extraOptions: { fence: 'todo' } as never }),
      user: build.query<number, void>({ query: () => ({}), providesTags: ['User'], extraOptions: { fence: 'user' } as never }),
      other: build.query<number, void>({ query: () => ({}) }),
      write: build.mutation<number, number>({
        query: (write) => ({ write }),
        invalidatesTags: ['Todo'],
        extraOptions: { fence: 'todo' } as never,
      }),
    }),
  });
  const store = configureStore({
    reducer: { [api.reducerPath]: api.reducer },
    middleware: (defaults) => defaults({ serializableCheck: false, immutableCheck: false }).concat(api.middleware),
  });
  const todo = () => api.endpoints.todo.select()(store.getState() as never).data;
  return { backend, clock, fence, signals, written, api, store, todo };
}

async function mutationDuringFirstQuery(isFenced: boolean): Promise<unknown> {
  const { backend, written, api, store, todo } = world({ isFenced });
  void store.dispatch(api.endpoints.todo.initiate());
  await settle();
  void store.dispatch(api.endpoints.write.initiate(2));
  await settle();
  written.resolve();
  await settle();
  await backend.answerAll();
  return todo();
}

async function pushInMidRequest(isFenced: boolean): Promise<unknown> {
  const { backend, fence, api, store, todo } = world({ isFenced });
  void store.dispatch(api.endpoints.todo.initiate());
  await settle();
  backend.write(2);
  await fence.invalidate('todo');
  store.dispatch(api.util.invalidateTags(['Todo']));
  await backend.answerAll();
  return todo();
}

describe('what is seen at the end, where the server has 2', () => {
  for (const [name, run] of [
    ['a mutation during the first query, invalidated immediately', mutationDuringFirstQuery],
    ['a push of the server in mid-request', pushInMidRequest],
  ] as const) {
    it(name, async ({ task }) => {
      expect(await run(true)).toBe(2);
      Object.assign(task.meta, { plain: await run(false) });
    });
  }
});

describe('a fenced base query', () => {
  it('has a query wait for a mutation of its keys, and no other query', async () => {
    const { backend, written, api, store, fence } = world();
    void store.dispatch(api.endpoints.write.initiate(2));
    await settle();
    const todo = new Outcome(store.dispatch(api.endpoints.todo.initiate()).unwrap());
    const user = new Outcome(store.dispatch(api.endpoints.user.initiate()).unwrap());
    const other = new Outcome(store.dispatch(api.endpoints.other.initiate()).unwrap());
    await backend.answerAll();
    expect([todo.state, user.value, other.value]).toEqual(['pending', 1, 1]);
    written.resolve();
    await settle();
    await backend.answerAll();
    expect([todo.value, fence.size]).toEqual([2, 0]);
  });

  it('repeats a query that was overtaken at once, and aborts the old request', async () => {
    const { backend, fence, signals, api, store } = world();
    const todo = new Outcome(store.dispatch(api.endpoints.todo.initiate()).unwrap());
    await settle();
    backend.write(2);
    await fence.invalidate('todo');
    await settle();
    expect([backend.reads, signals.map(({ aborted }) => aborted)]).toEqual([2, [true, false]]);
    await backend.answerAll();
    expect(todo.value).toBe(2);
  });

  it('passes on what the base query answers, errors included', async () => {
    const { backend, api, store } = world();
    const todo = store.dispatch(api.endpoints.todo.initiate());
    await settle();
    const failing = new Outcome(todo.unwrap());
    await backend.fail(Object.assign(new Error('broken')));
    expect(failing.state).toBe('rejected');
  });

  it('gives up when RTK does, and leaves nothing behind', async () => {
    const { fence, signals, api, store } = world();
    const todo = store.dispatch(api.endpoints.todo.initiate());
    await settle();
    todo.abort();
    await settle();
    expect([signals[0]!.aborted, fence.size]).toEqual([true, 0]);
    expect((await todo).isError).toBe(true);
  });

  it('tells of a change between the check and the store, once RTK has stored', async () => {
    for (let turns = 0; turns < 25; turns++) {
      const late = vi.fn();
      const { backend, clock, fence, api, store, todo } = world({ onLate: late });
      late.mockImplementation(() => store.dispatch(api.util.invalidateTags(['Todo'])));
      const subscription = store.dispatch(api.endpoints.todo.initiate());
      await settle();
      const answering = backend.answer();
      for (let i = 0; i < turns; i++) await undefined;
      backend.write(2);
      const telling = fence.invalidate('todo').then(() => store.dispatch(api.util.invalidateTags(['Todo'])));
      await Promise.all([answering, telling]);
      await settle();
      clock.advance(0);
      await backend.answerAll();
      expect([turns, todo()]).toEqual([turns, 2]);
      clock.advance(0);
      expect(clock.pending).toBe(0);
      subscription.unsubscribe();
    }
  });

  it('takes tags for a function of the request, several keys and conditions', async () => {
    const fence = new KeyedFence<string>();
    const backend = new Backend();
    const late: string[] = [];
    const base = async (_arg: string, _api: object, _extra: object) => ({ data: await backend.read() });
    const clock = fence.clock;
    const fenced = fencedBaseQuery(base, {
      fence,
      tags: (arg) => (arg === 'all' ? fence.all : fence.keys(arg.split(','))),
      onLate: (arg) => void late.push(arg),
    });
    const api = { signal: new AbortController().signal, type: 'query' as const };
    const both = new Outcome(fenced('a,b', api, {}));
    const all = new Outcome(fenced('all', api, {}));
    await settle();
    backend.write(2);
    await fence.invalidate('b');
    await backend.answerAll();
    expect([both.value, all.value]).toEqual([{ data: 2 }, { data: 2 }]);
    await fence.invalidate(fence.where((key) => key === 'a'));
    await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 1));
    expect(late.sort()).toEqual(['a,b', 'all']);
  });

  it('refuses bad options before anything has changed', () => {
    const fence = new KeyedFence<string>();
    const base = fetchBaseQuery({ baseUrl: '/' });
    expect(() => fencedBaseQuery(base, { fence: {} as never })).toThrow(InvalidArgumentError);
    expect(() => fencedBaseQuery(undefined as never, { fence })).toThrow('baseQuery');
    expect(() => fencedBaseQuery(base, { fence, tag: () => 'a' } as never)).toThrow('did you mean "tags"?');
    expect(() => fencedBaseQuery(base, { fence, tags: 'a' as never })).toThrow('tags is "a"');
  });
});
