// A small query client, as React Query is one: components ask by key, share requests, and are told when what they show has become
// old. A mutation announces the keys that it changes, so no answer from before it is ever shown after it.
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyedFence } from 'rangefence/keyed';

class QueryClient {
  #fence = new KeyedFence();
  #data = new Map();
  #listeners = new Set();

  constructor() {
    this.#fence.subscribe({
      // Before the change: what is shown may not be taken for current any more.
      invalidate: (change) => {
        for (const key of this.#data.keys()) if (change.has(key)) this.#data.delete(key);
      },
      // After it: whoever shows such a key asks again.
      end: (change) => {
        for (const listener of this.#listeners) listener(change);
      },
    });
  }

  async query(key, request) {
    if (this.#data.has(key)) return this.#data.get(key);
    return this.#fence.lookup(key, ({ signal }) => request(signal), { commit: (data) => this.#data.set(key, data).get(key) });
  }

  /** Everything below a key changes: `todos` means `todos/1`, too. */
  mutate(key, change) {
    return this.#fence.mutate(this.#fence.prefix(key), change);
  }

  onChange(listener) {
    this.#listeners.add(listener);
  }
}

// A backend whose answers are slow: each is as old as the moment in which it was made.
let todos = ['write'];
const list = async () => {
  const answer = [...todos];
  await sleep(10);
  return answer;
};

const client = new QueryClient();
const shown = [];
client.onChange(async (change) => change.has('todos/all') && shown.push(await client.query('todos/all', list)));

const first = client.query('todos/all', list); // on its way, with the old list
await client.mutate('todos', () => sleep(1).then(() => (todos = ['write', 'test'])));

console.log(await first); // => ['write', 'test']
await sleep(30);
console.log(shown); // => [['write', 'test']]
