/** Where the pages have their rows from. */
import { RowWindow } from '../../lib/rows/index.js';

export interface Item {
  readonly id: number;
  readonly text: string;
}

/** What is used of a browser's event source. */
export interface Events {
  addEventListener(name: string, listener: (event: { readonly data: string }) => void): void;
}

export async function fetchRows(
  path: string,
  parameters: Record<string, number | undefined>,
  signal?: AbortSignal,
): Promise<Item[]> {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const response = await fetch(`${path}?${given.map(([name, value]) => `${name}=${value}`).join('&')}`, {
    signal: signal ?? null,
  });
  return (await response.json()) as Item[];
}

/** A window over the backend, told of its changes. */
export function windowOver(events: Events): RowWindow<Item, number> {
  const rows = new RowWindow<Item, number>({
    load: ({ from, to, limit, signal }) => fetchRows('/by-key', { from, to, limit }, signal),
    keyOf: ({ id }) => id,
    compare: (a, b) => a - b,
  });
  events.addEventListener('changed', ({ data }) => rows.changed({ key: Number(data) }));
  events.addEventListener('restored', () => rows.reset());
  return rows;
}
