// A service with lru-cache (npm install rangefence lru-cache) in front of a slow database: a GET is on its way while a PUT changes the
// row. Without the fence the GET would put the old row into the cache after the PUT, and every later GET would be answered with it.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { fence } from 'rangefence/keyed';

const rows = new Map([['/users/1', 'Ada']]);
let queries = 0;
async function select(key) {
  queries++;
  const row = rows.get(key);
  await sleep(300); // the answer of the database is on its way; it is as old as its snapshot
  return row;
}

const cache = fence(new LRUCache({ max: 1000, ttl: 60_000 }));

const server = createServer(async ({ url, method }, response) => {
  if (method === 'GET') return response.end(await cache.getOrLoad(url, select));
  // The entry is dropped before the row changes, and loads that are running will not be stored.
  await cache.mutate(url, async () => {
    await sleep(5);
    rows.set(url, 'Ada Lovelace');
  });
  response.end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const user = `http://127.0.0.1:${server.address().port}/users/1`;
const get = async () => (await fetch(user)).text();

const early = get();
while (queries === 0) await sleep(1); // it has read the old row
await fetch(user, { method: 'PUT' });

console.log(await early); // => 'Ada Lovelace'
console.log(await get()); // => 'Ada Lovelace'
console.log(queries); // => 2

server.closeAllConnections();
server.close();
