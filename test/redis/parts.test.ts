/**
 * The parts of a link that need no server: leases, rosters, the log, and what travels.
 */
import { describe, expect, it } from 'vitest';
import { Lease, waitFor } from '../../lib/redis/lease.js';
import { Log, type LogParts } from '../../lib/redis/log.js';
import type { StreamEntry } from '../../lib/redis/port.js';
import { Roster } from '../../lib/redis/roster.js';
import { dataOf, packRanges, recordFrom, recordOf, running, unpackRanges } from '../../lib/redis/wire.js';
import { range } from '../support/reading.js';
import { turns } from '../support/turns.js';

describe('a lease', () => {
  function make() {
    const now = { monotonic: 0, wall: 5000 };
    const lease = new Lease(100, () => ({ ...now }));
    return { now, lease };
  }

  it('runs from the sending of a renewal, for its length, and at its length it is over', () => {
    const { now, lease } = make();
    expect(lease.valid()).toBe(false);
    const sent = lease.moment();
    now.monotonic = now.wall = 60;
    lease.renewed(sent);
    now.wall = 5000;
    now.monotonic = 99.9;
    expect([lease.valid(), lease.leftMs()]).toEqual([true, expect.closeTo(0.1)]);
    now.monotonic = 100;
    expect(lease.valid()).toBe(false);
  });

  it('stays over, whatever the clocks say, until a renewal that is sent later', () => {
    const { now, lease } = make();
    lease.renewed(lease.moment());
    now.wall += 100;
    expect(lease.valid()).toBe(false);
    now.wall -= 100;
    expect(lease.valid()).toBe(false);
    now.monotonic = 1;
    lease.renewed(lease.moment());
    expect(lease.valid()).toBe(true);
  });

  it('is over when either clock says so, and a wall clock that is set back does not make it longer', () => {
    for (const [monotonic, wall, isValid] of [
      [50, 5050, true],
      [50, 5100, false], // suspended: the monotonic clock stood still
      [99, -1e9, true], // set back
      [100, -1e9, false],
      [1, 5000 + 3.6e6, false], // set forward
    ] as const) {
      const { now, lease } = make();
      lease.renewed(lease.moment());
      Object.assign(now, { monotonic, wall });
      expect([monotonic, wall, lease.valid()]).toEqual([monotonic, wall, isValid]);
    }
  });

  it('is not shortened by an answer that comes late', () => {
    const { now, lease } = make();
    const early = lease.moment();
    now.monotonic = 30;
    lease.renewed(lease.moment());
    lease.renewed(early);
    now.monotonic = 120;
    expect(lease.valid()).toBe(true);
    lease.drop();
    expect([lease.valid(), lease.leftMs()]).toEqual([false, 0]);
  });

  it('is waited for longer than it lasts by any clock within the drift', () => {
    for (const leaseMs of [10, 900, 5000]) expect(waitFor(leaseMs, 0.1)).toBeGreaterThan(leaseMs * 1.1);
  });
});

describe('a roster', () => {
  it('knows those who have not counted on for the whole time, from when the count was seen first', () => {
    const roster = new Roster(100);
    roster.saw(['a', '1', 'b', '1'], 0);
    roster.saw(['a', '2', 'b', '1'], 60);
    expect([roster.silent(99, 'c'), roster.dueMs(99, 'c')]).toEqual([[], 1]);
    expect(roster.silent(100, 'c')).toEqual([{ member: 'b', count: '1' }]);
    expect(roster.silent(100, 'b')).toEqual([]);
    expect(roster.silent(160, 'b')).toEqual([{ member: 'a', count: '2' }]);
    expect(roster.dueMs(0, 'b')).toBe(160);
  });

  it('begins anew with a count that goes back, or a member that comes again, or when nothing is known', () => {
    const roster = new Roster(100);
    roster.saw(['a', '5'], 0);
    roster.saw(['a', '4'], 50);
    expect(roster.silent(149, 'x')).toEqual([]);
    roster.saw([], 150);
    roster.saw(['a', '4'], 160);
    expect([roster.silent(200, 'x'), roster.members]).toEqual([[], ['a']]);
    roster.clear();
    expect([roster.members, roster.dueMs(0, 'x')]).toEqual([[], Number.POSITIVE_INFINITY]);
  });
});

describe('the log', () => {
  function make(stream: StreamEntry[] = []) {
    const seen: string[] = [];
    const reads: ((entries: readonly StreamEntry[]) => void)[] = [];
    const parts: LogParts = {
      apply: ({ seq }) => void seen.push(String(seq)),
      read: (from) =>
        new Promise((resolve) => {
          seen.push(`read ${from}`);
          reads.push(resolve);
        }),
      lost: () => void seen.push('lost'),
      gap: () => {},
    };
    const log = new Log(parts);
    const answer = async (...seqs: number[]) => {
      reads.shift()!([...stream, ...seqs.map((seq): StreamEntry => [`${seq}-0`, ['t', 'h', 's', '', 'm', '', 'd', '{}']])]);
      await turns();
    };
    return { log, seen, answer };
  }
  const push = (seq: number) => `[${seq},"h","","",{}]`;

  it('applies each number once, and in order', () => {
    const { log, seen } = make();
    log.start(5);
    for (const seq of [6, 6, 4, 7]) log.push(push(seq));
    expect(seen).toEqual(['6', '7']);
  });

  it('reads what is missing, and what is pushed meanwhile', async () => {
    const { log, seen, answer } = make();
    log.start(5);
    log.push(push(8));
    log.push(push(9));
    await answer(6, 7, 8, 9);
    log.push(push(10));
    expect(seen).toEqual(['read 6-0', '6', '7', '8', '9', '10']);
  });

  it('goes on where a push fills the hole before the reading', async () => {
    const { log, seen, answer } = make();
    log.start(5);
    log.push(push(7));
    log.push(push(6));
    await answer(6, 7);
    expect(seen).toEqual(['read 6-0', '6', '7']);
  });

  it('is lost with a hole in what was read, and with an answer that does not reach the number it must', async () => {
    for (const entries of [[7, 8], [6], []]) {
      const { log, seen, answer } = make();
      log.start(5);
      log.noticed(8);
      await answer(...entries);
      expect(seen.at(-1)).toBe('lost');
      log.push(push(9)); // nothing is applied any more
      expect(seen.at(-1)).toBe('lost');
    }
  });

  it('remembers as a number what is pushed before it starts', async () => {
    const { log, seen, answer } = make();
    log.push(push(7));
    log.push(push(8));
    log.start(7);
    await answer(8);
    expect(seen).toEqual(['read 8-0', '8']);
  });

  it('takes no notice of what is no record', () => {
    const { log, seen } = make();
    log.start(5);
    for (const message of ['', 'x', '{}', '[]', '["6","h"]', 'null']) log.push(message);
    expect(seen).toEqual([]);
  });
});

describe('what travels', () => {
  it('are ranges, with infinite ends, fractions and large numbers', () => {
    const ranges = [range(Number.NEGATIVE_INFINITY, -1.5), range(0, 0.1), range(2 ** 53, Number.POSITIVE_INFINITY)];
    const data = JSON.parse(JSON.stringify({ r: packRanges(ranges) }));
    expect(unpackRanges(data)).toEqual(ranges);
    expect(Object.is(unpackRanges(JSON.parse(JSON.stringify({ r: packRanges([range(-0, 1)]) })))![0]!.start, 0)).toBe(true);
  });

  it('is everything, where it cannot be read', () => {
    for (const data of [{}, { r: [] }, { r: 'x' }, { r: [[2, 1]] }, { r: [['x', 1]] }]) {
      expect(unpackRanges(data as never)).toBeUndefined();
    }
    expect([dataOf('{'), dataOf('7'), dataOf('{"k":["a"]}')]).toEqual([{ all: 1 }, { all: 1 }, { k: ['a'] }]);
  });

  it('are records, by push and from the stream', () => {
    const record = { seq: 2 ** 52, type: 'b', sid: 's', member: 'm', data: { k: ['a'] } };
    expect(recordOf(`[${2 ** 52},"b","s","m",{"k":["a"]}]`)).toEqual(record);
    expect(recordFrom([`${2 ** 52}-0`, ['t', 'b', 's', 's', 'm', 'm', 'd', '{"k":["a"]}']])).toEqual(record);
  });

  it('is what runs: own sections by their names, those of others with what they are about', () => {
    const { own, others } = running(['s1', '5 me.1 0 {"all":1}', 's2', '6 you.3 12 {"k":["a b  c","\u2028\\n"]}'], 'me.1');
    expect([...own]).toEqual(['s1']);
    expect([...others]).toEqual([['s2', { member: 'you.3', data: { k: ['a b  c', '\u2028\n'] } }]]);
  });
});
