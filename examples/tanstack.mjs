// TanStack Query whose loads no change overtakes: the client of `rangefence/query/tanstack` goes wherever a QueryClient goes. Beside
// it, the same clicks with a plain client, which keeps the old list. Needs @tanstack/query-core (React Query has it inside).
import { setTimeout as sleep } from 'node:timers/promises';
import { MutationObserver, QueryClient, QueryObserver } from '@tanstack/query-core';
import { FencedQueryClient } from 'rangefence/query/tanstack';

/** A page opens, its first request is on its way, and somebody clicks "add"; resolves to what the page shows in the end. */
async function clickEarly(client) {
  let todos = ['write']; // on a server, whose answers are slow: each is as old as the moment in which it was made
  const queryFn = async () => {
    const answer = [...todos];
    await sleep(20);
    return answer;
  };
  const page = new QueryObserver(client, { queryKey: ['todos'], queryFn, staleTime: Number.POSITIVE_INFINITY });
  const leave = page.subscribe(() => {});
  const add = new MutationObserver(client, {
    mutationFn: async (todo) => {
      await sleep(5);
      todos = [...todos, todo];
    },
    meta: { affects: { queryKey: ['todos'] } }, // announced before the request is sent; a plain client knows nothing of it
    onSuccess: () => client.invalidateQueries({ queryKey: ['todos'] }),
  });
  await add.mutate('test');
  await sleep(80);
  const shown = page.getCurrentResult().data;
  leave();
  client.clear();
  return shown;
}

console.log(await clickEarly(new QueryClient())); // => ['write']
console.log(await clickEarly(new FencedQueryClient())); // => ['write', 'test']
