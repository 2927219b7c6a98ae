// @vitest-environment jsdom
/** The case that most people meet: React in StrictMode, useQuery, and a mutation that invalidates while the first load runs. */
import { QueryClient, QueryClientProvider, useMutation, useQuery } from '@tanstack/react-query';
import { act, createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, expect, it } from 'vitest';
import { FencedQueryClient } from '../../lib/query/tanstack/index.js';
import { Backend, settle } from './support/backend.js';
import { clearClients, kept } from './support/clients.js';

/** What is used of the page. */
interface Place {
  readonly textContent: string;
  querySelector(selector: string): { click(): void } | null;
}
const { document } = globalThis as unknown as { readonly document: { createElement(tag: string): Place } };

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

afterEach(clearClients);

function Todos({ client, backend }: { client: QueryClient; backend: Backend }) {
  const { data } = useQuery({ queryKey: ['todos'], queryFn: backend.read });
  const { mutate } = useMutation({
    mutationFn: async () => backend.write(2),
    onSuccess: () => client.invalidateQueries({ queryKey: ['todos'] }),
  });
  return createElement('button', { type: 'button', onClick: () => mutate() }, String(data));
}

async function shown(client: QueryClient): Promise<string | null> {
  const backend = new Backend();
  const place = document.createElement('div');
  const root = createRoot(place as never);
  const app = createElement(QueryClientProvider, { client }, createElement(Todos, { client, backend }));
  await act(async () => root.render(createElement(StrictMode, null, app)));
  await act(async () => {
    place.querySelector('button')!.click();
    await settle();
  });
  await act(async () => {
    await backend.answerAll();
    await new Promise((resolve) => setTimeout(resolve)); // TanStack tells its observers by a timer
  });
  const text = place.textContent;
  await act(async () => root.unmount());
  return text;
}

it('in StrictMode, a mutation that invalidates while the first load runs shows what it has written', async ({ task }) => {
  expect(await shown(kept(new FencedQueryClient()))).toBe('2');
  Object.assign(task.meta, { plain: await shown(kept(new QueryClient())) });
});
