/**
 * `npx tsx bench/redis/figures.ts`: what a begin costs in round trips with 2, 4 and 8 members, when each message takes 5 ms on its way;
 * how long a process takes to come back; and what is left in the server afterwards.
 */
import { Redis } from 'ioredis';
import type { Ranges } from '../../lib/index.js';
import { RangeTracker } from '../../lib/index.js';
import { type Link, shareRanges } from '../../lib/redis/index.js';
import { RedisServer, sleep } from '../../test/redis/real/server.js';
import { Switch } from '../../test/redis/real/switch.js';
import { program } from '../../test/support/programs.js';
import { number, table } from '../support/text.js';

const PAGE = { start: 0, end: 8 };
const BEGINS = 60;

const binary = program('redis-server', 'REDIS_SERVER');
if (binary === undefined) {
  console.error('NOT RUN: there is no redis-server in the path or at $REDIS_SERVER (Debian: apt-get install redis-server)');
  process.exit(3);
}

function middle(list: number[]): number {
  return list.sort((a, b) => a - b)[list.length >> 1]!;
}

async function time(act: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await act();
  return performance.now() - from;
}

async function members(port: number, count: number, leaseMs: number) {
  const clients = Array.from({ length: count }, () => new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null }));
  for (const client of clients) client.on('error', () => {});
  const trackers = clients.map(() => new RangeTracker());
  const links: Link<Ranges>[] = await Promise.all(
    trackers.map((tracker, i) => shareRanges(tracker, { redis: clients[i]!, space: 'figures', leaseMs })),
  );
  const close = async () => {
    await Promise.all(links.map((link) => link.close()));
    for (const client of clients) client.disconnect();
  };
  return { clients, trackers, links, close };
}

const rows: string[][] = [];
for (const delayMs of [0, 5]) {
  for (const count of [1, 2, 4, 8]) {
    const server = await RedisServer.start(binary);
    const wire = await Switch.open(server.port, delayMs);
    const { clients, trackers, links, close } = await members(wire.port, count, 1000);
    const [client, tracker, link] = [clients[0]!, trackers[0]!, links[0]!];
    const pings: number[] = [];
    const begins: number[] = [];
    const told: number[] = [];
    for (let i = 0; i < BEGINS; i++) {
      pings.push(await time(() => client.ping()));
      begins.push(
        await time(async () => {
          (await tracker.begin(PAGE)).end();
        }),
      );
      await sleep(2 * delayMs + 5);
      told.push(await time(() => link.notify(PAGE)));
    }
    const [ping, begin] = [middle(pings), middle(begins)];
    let many = 0;
    const until = performance.now() + 1000;
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        while (performance.now() < until) {
          await tracker.invalidate(PAGE);
          many++;
        }
      }),
    );
    const shown = [ping, begin, middle(told)].map((ms) => ms.toFixed(2));
    rows.push([`${count}, ${delayMs} ms each way`, ...shown, (begin / ping).toFixed(2), number(many)]);
    await close();
    wire.close();
    await server.end();
  }
}
console.log(
  table(['members', 'ping p50, ms', 'begin p50, ms', 'notify p50, ms', 'begin / ping', 'sections/s, 32 at once'], rows),
);

// A server that is started again, and what is left when all are gone.
const server = await RedisServer.start(binary);
const { trackers, links, close } = await members(server.port, 4, 1000);
await server.stop();
await server.start();
const back = await time(async () => {
  while (links.some(({ stats, state }) => stats.resets === 0 || state !== 'live')) await sleep(5);
});
console.log(`after a restart of the server, four members are live again in ${back.toFixed(0)} ms (W + 1 s = 2120 ms)`);
for (let i = 0; i < 10_000 / 50; i++) await Promise.all(Array.from({ length: 50 }, (_, j) => trackers[j % 4]!.invalidate(PAGE)));
await close();
console.log(`after 10,000 sections and close(), the server has: ${await server.command('KEYS', '*')}`.replaceAll('\n', ', '));
await server.end();
console.log(
  `active handles: ${process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'TCPSocketWrap').length}`,
);
