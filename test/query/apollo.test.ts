import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { ApolloLink } from '@apollo/client/link';
import { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../lib/index.js';
import { KeyedFence } from '../../lib/keyed/index.js';
import { fenceLink } from '../../lib/query/apollo/index.js';
import { deferred, Outcome } from '../support/turns.js';
import { Backend, settle } from './support/backend.js';

const TODO = gql`
  query Todo {
    todo {
      id
      n
    }
  }
`;
const USER = gql`
  query User {
    user {
      id
      n
    }
  }
`;
const WRITE = gql`
  mutation Write {
    write
  }
`;
const SAW = gql`
  subscription Saw {
    saw
  }
`;

/** A client over a server whose reads and writes are answered by the test. */
function world(isFenced = true) {
  const backend = new Backend();
  const fence = new KeyedFence<string>();
  const written = deferred<void>();
  let left = 0;
  const answer = async (name: string | undefined) => {
    if (name === 'Write') {
      await written.promise;
      backend.write(2);
      return { write: true };
    }
    const n = await backend.read();
    return name === 'Todo' ? { todo: { __typename: 'Todo', id: 1, n } } : { user: { __typename: 'User', id: 1, n } };
  };
  const server = new ApolloLink(
    ({ operationName }) =>
      new Observable((observer) => {
        if (operationName === 'Saw') {
          observer.next({ data: { saw: 1 } });
          return;
        }
        answer(operationName).then(
          (data) => {
            observer.next({ data });
            observer.complete();
          },
          (error) => observer.error(error),
        );
        return () => {
          left++;
        };
      }),
  );
  const keys: Record<string, string> = { Todo: 'todo', User: 'user', Write: 'todo' };
  const fenced = fenceLink({ fence, scope: ({ operationName }) => keys[operationName ?? ''] });
  const link = isFenced ? ApolloLink.from([fenced, server]) : server;
  const client = new ApolloClient({ cache: new InMemoryCache(), link });
  const n = () => (client.readQuery({ query: TODO }) as { todo: { n: number } } | null)?.todo.n;
  return { backend, fence, written, client, n, left: () => left };
}

async function refetchedByName(isFenced: boolean): Promise<unknown> {
  const { backend, written, client, n } = world(isFenced);
  client.watchQuery({ query: TODO }).subscribe({});
  await settle();
  void client.mutate({ mutation: WRITE, refetchQueries: ['Todo'] });
  written.resolve();
  await settle();
  await backend.answerAll();
  return n();
}

async function refetchedByHand(isFenced: boolean): Promise<unknown> {
  const { backend, written, client, n } = world(isFenced);
  const query = client.watchQuery({ query: TODO });
  query.subscribe({});
  await settle();
  void client.mutate({ mutation: WRITE }).then(() => query.refetch());
  written.resolve();
  await settle();
  await backend.answerAll();
  return n();
}

describe('what is seen at the end, where the server has 2', () => {
  for (const [name, run] of [
    ['the refetch of a mutation joins the older request', refetchedByName],
    ['a refetch by hand after a mutation joins the older request', refetchedByHand],
  ] as const) {
    it(name, async ({ task }) => {
      expect(await run(true)).toBe(2);
      Object.assign(task.meta, { plain: await run(false) });
    });
  }
});

describe('a fence link', () => {
  it('has a query wait for a mutation of its keys, and no other query', async () => {
    const { backend, written, client, fence } = world();
    const writing = new Outcome(client.mutate({ mutation: WRITE }));
    await settle();
    const todo = new Outcome(client.query({ query: TODO }));
    const user = new Outcome(client.query({ query: USER }));
    await backend.answerAll();
    expect([todo.state, user.state, writing.state]).toEqual(['pending', 'resolved', 'pending']);
    written.resolve();
    await settle();
    await backend.answerAll();
    expect([todo.value, writing.state, fence.size]).toMatchObject([{ data: { todo: { n: 2 } } }, 'resolved', 0]);
  });

  it('repeats a query that a push has overtaken at once, and gives the old request up', async () => {
    const { backend, fence, client, left } = world();
    const todo = new Outcome(client.query({ query: TODO }));
    await settle();
    backend.write(2);
    await fence.invalidate('todo');
    await settle();
    expect([backend.reads, left()]).toEqual([2, 1]);
    await backend.answerAll();
    expect(todo.value).toMatchObject({ data: { todo: { n: 2 } } });
  });

  it('leaves no gap between the check and the cache', async () => {
    for (let turns = 0; turns < 20; turns++) {
      const { backend, fence, client, n } = world();
      const query = client.watchQuery({ query: TODO });
      query.subscribe({});
      await settle();
      const answering = backend.answer();
      for (let i = 0; i < turns; i++) await undefined;
      backend.write(2);
      const seen = n();
      await fence.invalidate('todo');
      if (seen !== undefined) void query.refetch(); // as a push tells of what is in the cache
      await answering;
      await backend.answerAll();
      expect([turns, n()]).toEqual([turns, 2]);
    }
  });

  it('passes errors on, and has subscriptions go through', async () => {
    const { backend, client, fence } = world();
    const todo = new Outcome(client.query({ query: TODO }));
    await settle();
    await backend.fail(new Error('broken'));
    expect((todo.error as Error).message).toBe('broken');
    const seen: unknown[] = [];
    client.subscribe({ query: SAW }).subscribe({ next: ({ data }) => void seen.push(data) });
    await settle();
    expect([seen, fence.stats.begins]).toEqual([[{ saw: 1 }], 0]);
  });

  it('gives up when Apollo does, and leaves nothing behind', async () => {
    const { fence, client, left } = world();
    const subscription = client.watchQuery({ query: TODO }).subscribe({});
    await settle();
    expect(fence.size).toBe(1);
    subscription.unsubscribe();
    await settle();
    expect([fence.size, left()]).toEqual([0, 1]);
  });

  it('has the keys of an operation from its context, unless told otherwise', async () => {
    const fence = new KeyedFence<string>();
    const server = new ApolloLink(() => new Observable((observer) => observer.next({ data: { write: true } })));
    const client = new ApolloClient({ cache: new InMemoryCache(), link: ApolloLink.from([fenceLink({ fence }), server]) });
    void client.mutate({ mutation: WRITE, context: { fence: 'todo' } }).catch(() => {});
    await settle();
    expect(fence.inspect().sections.map(({ keys }) => keys)).toEqual([['todo']]);
    client.stop();
  });

  it('refuses bad options before anything has changed', () => {
    expect(() => fenceLink({ fence: {} as never })).toThrow(InvalidArgumentError);
    expect(() => fenceLink({ fence: new KeyedFence(), scopes: 1 } as never)).toThrow('did you mean "scope"?');
    expect(() => fenceLink({ fence: new KeyedFence(), scope: 'a' as never })).toThrow('scope is "a"');
  });
});
