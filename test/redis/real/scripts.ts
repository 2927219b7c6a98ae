/**
 * The scripts and the server in memory, put to the same random calls.
 */
import { isDeepStrictEqual } from 'node:util';
import { Redis } from 'ioredis';
import { placeOf } from '../../../lib/redis/contact.js';
import type { Script } from '../../../lib/redis/index.js';
import { portOf } from '../../../lib/redis/options.js';
import * as scripts from '../../../lib/redis/scripts.js';
import { FakeServer } from '../../support/redis/server.js';
import { RedisServer } from './server.js';

const CALLS = 3000;

/** How many calls were answered alike. Throws at the first that was not. */
export async function compareScripts(binary: string): Promise<number> {
  const server = await RedisServer.start(binary);
  const client = new Redis(server.port);
  const port = portOf(client);
  const { channel, keys } = placeOf('alike');
  const fake = new FakeServer(() => 0);
  // Both start with the same number: the server's own time would not be the same.
  await client.hset(keys[0]!, 'seq', '4503599627370496');
  fake.meta.set('seq', '4503599627370496');
  let state = 20_261_201;
  const pick = <T>(list: readonly T[]): T => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return list[Math.floor((state / 2 ** 31) * list.length)]!;
  };
  const members = ['a.1', 'a.2', 'b.1', 'c.1'];
  const sids = ['a-1', 'a-2', 'b-1', 'c-1', 'a-11'];
  const counts = ['0', '1', '2', '3'];
  const data = ['{"k":["a"]}', '{"r":[["-",8]]}', '{"k":["\\u2028 # | !"]}'];
  const calls: Record<string, () => string[]> = {
    JOIN: () => [pick(members), 'epoch1', pick(['', ...members])],
    RENEW: () => [pick(members), pick(counts), pick(['epoch1', 'epoch1', 'epoch0']), ...sids.filter(() => pick([true, false]))],
    ANNOUNCE: () => [pick(members), pick(['epoch1', 'epoch1', 'epoch0']), pick(sids), pick(counts), pick(data)],
    ACK: () => [pick(members), pick(sids), pick(['', '', '"cannot"'])],
    END: () => [pick(members), pick(sids), pick(['e', 'x'])],
    EVICT: () => [pick(members), pick(counts), pick(['', ...members])],
    LEAVE: () => [pick(members)],
    NOTIFY: () => [pick(data)],
    STATUS: () => [pick(members), pick(sids)],
    SETTLE: () => [pick(['epoch1', 'epoch0'])],
    REFUSE: () => [pick(members)],
  };
  const names = [...Object.keys(calls), 'RENEW', 'ANNOUNCE', 'ANNOUNCE', 'JOIN', 'ACK', 'ACK'];
  try {
    for (let i = 0; i < CALLS; i++) {
      const name = i === 0 ? 'JOIN' : pick(names);
      const script = (scripts as unknown as Record<string, Script>)[name]!;
      const args = [channel, 'PUBLISH', '100000', ...calls[name]!()];
      const real = sorted(await port.run(script, keys, args));
      const played = sorted(fake.execute(script.name, args));
      if (i === 0) continue; // it takes the server's time
      if (!isDeepStrictEqual(real, played)) {
        const shown = JSON.stringify({ call: [name, ...args.slice(3)], real, played });
        throw new Error(`call ${i} is answered differently: ${shown}`);
      }
    }
    const stream = (await port.range(keys[1]!, '-')).map(([id, fields]) => `${id} ${fields.join(' ')}`);
    if (
      !isDeepStrictEqual(
        stream,
        fake.log.map(([id, fields]) => `${id} ${fields.join(' ')}`),
      )
    )
      throw new Error('the logs differ');
    return CALLS;
  } finally {
    client.disconnect();
    await server.end();
  }
}

/** The server keeps hashes in no order: their fields and values are compared as pairs. */
function sorted(answer: unknown): unknown {
  if (!Array.isArray(answer)) return String(answer);
  return answer.map((item) => (Array.isArray(item) ? pairs(item) : String(item)));
}

function pairs(list: readonly unknown[]): unknown {
  const texts: string[] = [];
  for (let i = 0; i < list.length; i += 2) texts.push(`${list[i]} ${list[i + 1]}`);
  return texts.sort();
}
