// @vitest-environment jsdom
import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import useSWR, { type Key, type KeyedMutator, type Middleware, SWRConfig, unstable_serialize } from 'swr';
import { afterEach, describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../lib/index.js';
import { KeyedFence } from '../../lib/keyed/index.js';
import { fenceMiddleware } from '../../lib/query/swr/index.js';
import { type Deferred, deferred } from '../support/turns.js';
import { Backend, settle } from './support/backend.js';

interface Place {
  readonly textContent: string;
}
const { document } = globalThis as unknown as { readonly document: { createElement(tag: string): Place } };

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const unmounts: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const unmount of unmounts.splice(0)) await unmount();
});

interface World {
  readonly backend: Backend;
  readonly fence: KeyedFence<string>;
  readonly shown: () => string;
  readonly mutate: KeyedMutator<number>;
  readonly unmount: () => Promise<void>;
}

/** Hooks of one key on a page, each of which shows its data. */
async function page({ isFenced = true, key = 'todo' as Key, hooks = 1, use = [] as Middleware[] } = {}): Promise<World> {
  const backend = new Backend();
  const fence = new KeyedFence<string>();
  let mutate: KeyedMutator<number> | undefined;
  const Todo = () => {
    const swr = useSWR<number>(key, backend.read);
    ({ mutate } = swr);
    return createElement('span', null, String(swr.data));
  };
  const place = document.createElement('div');
  const root = createRoot(place as never);
  const value = { provider: () => new Map(), dedupingInterval: 0, use: isFenced ? [fenceMiddleware(fence), ...use] : use };
  const todos = Array.from({ length: hooks }, (_, i) => createElement(Todo, { key: i }));
  const unmount = () => act(async () => root.unmount());
  unmounts.push(unmount);
  await act(async () => root.render(createElement(SWRConfig, { value }, ...todos)));
  return { backend, fence, shown: () => place.textContent, mutate: mutate!, unmount };
}

/** What a user does to announce a write; a plain client has nobody to tell. */
function announced<T>({ fence }: World, isFenced: boolean, write: () => Promise<T>): Promise<T> {
  return isFenced ? fence.mutate('todo', write) : write();
}

async function overlappingMutates(isFenced: boolean): Promise<unknown> {
  const world = await page({ isFenced });
  const { backend, shown, mutate } = world;
  await act(() => backend.answerAll());
  const answers: Deferred<number>[] = [deferred(), deferred()];
  await act(async () => {
    for (const { promise } of answers)
      void announced(world, isFenced, () => mutate(promise, { revalidate: false }) as Promise<unknown>);
    await settle();
    // The second is written first; the first one wins on the server, and SWR shows the other.
    answers[1]!.resolve(1);
    await settle();
    backend.write(2);
    answers[0]!.resolve(2);
    await settle();
    await backend.answerAll();
  });
  return shown();
}

async function readerInsideWrite(isFenced: boolean): Promise<unknown> {
  const world = await page({ isFenced });
  const { backend, shown, mutate } = world;
  await act(() => backend.answerAll());
  const written = deferred<void>();
  await act(async () => {
    const writing = announced(world, isFenced, async () => {
      await written.promise;
      backend.write(2);
    });
    await settle();
    void mutate();
    await backend.answerAll();
    written.resolve();
    await writing;
    await backend.answerAll();
  });
  return shown();
}

describe('what is seen at the end, where the server has 2', () => {
  for (const [name, run] of [
    ['two overlapping asynchronous mutates with revalidate: false', overlappingMutates],
    ['a reader inside an announced write', readerInsideWrite],
  ] as const) {
    it(name, async ({ task }) => {
      expect(await run(true)).toBe('2');
      Object.assign(task.meta, { plain: await run(false) });
    });
  }
});

describe('the middleware', () => {
  it('repeats a load that was overtaken, and has nothing revalidated besides', async () => {
    const { backend, fence, shown } = await page();
    await act(async () => {
      backend.write(2);
      await fence.invalidate('todo');
      await backend.answerAll();
    });
    expect([shown(), backend.reads, fence.size]).toEqual(['2', 2, 0]);
  });

  it('has what is mounted read again at the end of a change, once for all hooks of a key', async () => {
    const { backend, fence, shown, unmount } = await page({ hooks: 3 });
    await act(() => backend.answerAll());
    expect([shown(), backend.reads]).toEqual(['111', 1]);
    await act(async () => {
      await fence.mutate('todo', () => backend.write(2));
      await backend.answerAll();
    });
    expect([shown(), backend.reads]).toEqual(['222', 2]);
    await act(async () => {
      await fence.mutate('user', () => backend.write(3));
      await backend.answerAll();
    });
    expect(backend.reads).toBe(2);
    await unmount();
    await fence.mutate('todo', () => {});
    expect(backend.reads).toBe(2);
  });

  it('loses nothing that is hit between the check and what SWR shows', async () => {
    for (let turns = 0; turns < 15; turns++) {
      const { backend, fence, shown } = await page();
      await act(async () => {
        const answering = backend.answer();
        for (let i = 0; i < turns; i++) await undefined;
        backend.write(2);
        fence.tryBegin('todo')!.end();
        await answering;
        await backend.answerAll();
      });
      expect([turns, shown()]).toEqual([turns, '2']);
    }
  });

  it('knows a key as SWR serialises it, and leaves a key alone that there is not', async () => {
    const key = ['todo', { page: 1 }];
    const { backend, fence, shown } = await page({ key });
    await act(async () => {
      backend.write(2);
      await fence.invalidate(unstable_serialize(key));
      await backend.answerAll();
    });
    expect(shown()).toBe('2');
    const none = await page({ key: null });
    expect([none.shown(), none.backend.reads]).toEqual(['undefined', 0]);
  });

  it('passes an error on', async () => {
    let error: unknown;
    const watch: Middleware = (next) => (key, fetcher, config) => {
      const swr = next(key, fetcher, config);
      ({ error } = swr);
      return swr;
    };
    const { backend } = await page({ use: [watch] });
    const broken = new Error('broken');
    await act(() => backend.fail(broken));
    expect(error).toBe(broken);
  });

  it('refuses bad options before anything has changed', () => {
    expect(() => fenceMiddleware({} as never)).toThrow(InvalidArgumentError);
    expect(() => fenceMiddleware(new KeyedFence<string>(), { key: 1 } as never)).toThrow('did you mean "keyOf"?');
    expect(() => fenceMiddleware(new KeyedFence<string>(), { keyOf: 'a' as never })).toThrow('keyOf is "a"');
  });
});
