// Several processes, each with a cache of its own in front of one table: a change in one of them is over only when no other serves the
// old value. Needs ioredis and a Redis server: the one at REDIS_URL, or that of this machine.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { shareKeys } from 'rangefence/redis';

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
const users = await shareKeys(new Map(), { redis, space: 'example-users' });

let loads = 0;
const load = (id) => {
  loads++;
  return redis.get(`example-user:${id}`); // the table: any database will do
};

async function leave() {
  await users.link.close(); // nobody waits for one who has said that he goes
  redis.disconnect();
}

/** One of the others: answers what is asked, out of its cache if it can. */
function serve() {
  process.on('message', async (id) => process.send({ value: await users.getOrLoad(id, load), loads }));
  process.on('disconnect', leave);
  process.send('ready');
}

async function main() {
  const others = [fork(fileURLToPath(import.meta.url)), fork(fileURLToPath(import.meta.url))];
  await Promise.all(others.map((one) => once(one, 'message')));
  const ask = async (one) => {
    const answer = once(one, 'message');
    one.send('1');
    return (await answer)[0];
  };
  const askAll = () => Promise.all(others.map(ask));

  await redis.set('example-user:1', 'Ada');
  await askAll();
  console.log(await askAll()); // => [{ value: 'Ada', loads: 1 }, { value: 'Ada', loads: 1 }]
  await users.mutate('1', () => redis.set('example-user:1', 'Grace'));
  console.log(await askAll()); // => [{ value: 'Grace', loads: 2 }, { value: 'Grace', loads: 2 }]

  await redis.del('example-user:1');
  for (const one of others) one.disconnect();
  await Promise.all(others.map((one) => once(one, 'exit')));
  await leave();
}

if (process.send === undefined) await main();
else serve();
