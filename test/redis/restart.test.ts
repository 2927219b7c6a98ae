/**
 * A server that has lost its memory, over a server in memory and a clock that stands still: what ran before is announced again, and
 * nobody reads by then; whoever cannot announce it excludes others no longer when its last lease of before is over.
 */
import { describe, expect, it } from 'vitest';
import { range } from '../support/reading.js';
import { goOn, LEASE_MS, type Process, SharedSpace, settled, stop, WAIT_MS } from '../support/redis/space.js';
import { Outcome } from '../support/turns.js';

const PAGE = range(0, 8);

/** Two processes, one inside a section; the server has just been started anew, and the other process has noticed. */
async function restarted() {
  const space = new SharedSpace();
  const [a, b] = (await space.start(2)) as [Process, Process];
  const begin = new Outcome(a.tracker.begin(PAGE));
  await settled();
  const section = begin.value!;
  // Both have just renewed: the lease of the first is as long as it can be.
  for (const { port } of [a, b]) port.reconnect();
  await settled();
  space.server.restart();
  stop(a);
  b.port.reconnect();
  await settled();
  expect([b.link.state, b.events.at(-1)]).toEqual(['joining', { type: 'reset', reason: 'epoch' }]);
  return { space, a, b, section };
}

describe('coming in', () => {
  it('the lease of a join whose answer was lost counts from when it was sent first, as others have counted since then', async () => {
    const space = new SharedSpace();
    const [a] = (await space.start(1)) as [Process];
    const b = space.come();
    b.port.loseAnswers.set('join', 7); // half a lease
    while (space.server.mem.size < 2) await space.pass(1, 1);
    a.port.reconnect(); // sees it
    while (b.events.at(-1)?.type !== 'live') await space.pass(10);
    b.port.isRefused = b.port.isDeaf = true;
    const begin = new Outcome(a.tracker.begin(PAGE));
    while (begin.state === 'pending') {
      await space.pass(1, 1);
      if (begin.state === 'pending') continue;
      expect([a.link.stats.evictions, (await b.link).valid()]).toEqual([1, false]);
    }
  });

  it('a join whose answer was lost was asked for what has begun since: it is answered at the next one', async () => {
    const space = new SharedSpace();
    const [a] = (await space.start(1)) as [Process];
    const b = space.come();
    b.port.loseAnswers.set('join', 3);
    while (space.server.mem.size < 2) await space.pass(1, 1);
    b.port.isDeaf = true; // nothing is pushed to it: only the answer of a join tells
    const begin = new Outcome(a.tracker.begin(PAGE));
    await settled();
    expect([begin.state, b.events.at(-1)?.type]).toEqual(['pending', 'error']);
    await space.pass(LEASE_MS / 3);
    expect([begin.state, b.tracker.activeCount, a.link.stats.evictions]).toEqual(['resolved', 1, 0]);
    b.port.reconnect();
    begin.value!.end();
    await settled();
    expect(b.tracker.activeCount).toBe(0);
  });
});

describe('after a loss of memory', () => {
  it('the gate stays shut until what was announced again is read, also where every push of it was lost', async () => {
    const { space, a, b, section } = await restarted();
    await space.pass(LEASE_MS - 20);
    // The last moment of the lease: it announces its section again, and the other one hears nothing of it, and has trouble to read.
    b.port.isDeaf = true;
    b.port.held.add('XRANGE');
    goOn(a);
    await space.pass(10);
    const outcome = new Outcome(b.tracker.lookup(PAGE, () => 'read'));
    await space.pass(WAIT_MS - LEASE_MS + 30);
    expect([section.signal.aborted, b.tracker.activeCount, b.link.state, outcome.state]).toEqual([
      false,
      1,
      'joining',
      'pending',
    ]);
    b.port.release();
    await space.pass(30);
    expect([b.link.state, outcome.state, section.signal.aborted]).toEqual(['live', 'pending', false]);
    b.port.reconnect();
    section.end();
    await settled();
    expect(outcome.value).toBe('read');
  });

  it('a section that cannot be announced again in time has lost its lease, although its process is in again', async () => {
    const { space, a, b, section } = await restarted();
    await space.pass(LEASE_MS / 2);
    a.port.held.add('announce');
    goOn(a);
    await settled();
    expect(space.server.mem.size).toBe(2);
    let aborted: boolean | undefined;
    const commit = (value: string) => {
      aborted = section.signal.aborted;
      return value;
    };
    const outcome = new Outcome(b.tracker.lookup(PAGE, () => 'read', { commit }));
    await space.pass(WAIT_MS - LEASE_MS / 2 + 30);
    expect([outcome.value, aborted, section.signal.reason.message]).toEqual([
      'read',
      true,
      'the section excludes other processes no longer: lapsed',
    ]);
    a.port.release();
    await space.pass(WAIT_MS);
    expect([a.link.state, b.tracker.activeCount]).toEqual(['live', 1]);
    section.end();
    await settled();
    expect([b.tracker.activeCount, space.server.act.size]).toEqual([0, 0]);
  });

  it('a begin waits for the leases of before, of which the server knows nothing', async () => {
    const space = new SharedSpace();
    const [a, b] = (await space.start(2)) as [Process, Process];
    for (const { port } of [a, b]) port.reconnect();
    await settled();
    space.server.restart();
    a.port.isRefused = a.port.isDeaf = true; // it has no contact, and goes on as long as its lease runs
    b.port.reconnect();
    await settled();
    const begin = new Outcome(b.tracker.begin(PAGE));
    await space.pass(LEASE_MS - 20);
    expect([await a.tracker.lookup(PAGE, () => 'read'), begin.state]).toEqual(['read', 'pending']);
    await space.pass(WAIT_MS - LEASE_MS + 30);
    expect([begin.state, b.link.state, a.link.state]).toEqual(['resolved', 'live', 'joining']);
    const inside = new Outcome(a.tracker.lookup(PAGE, () => 'read'));
    a.port.isRefused = false;
    a.port.reconnect();
    await space.pass(LEASE_MS);
    expect([a.link.state, inside.state]).toEqual(['live', 'pending']);
    begin.value!.end();
    await settled();
    expect(inside.value).toBe('read');
  });

  it('a section whose announcement is answered too late has lost its lease, also before a timer says so', async () => {
    const { space, a, b, section } = await restarted();
    await space.pass(LEASE_MS / 2);
    a.port.held.add('announce');
    goOn(a);
    await settled();
    stop(a);
    await space.pass(WAIT_MS - LEASE_MS / 2 + 30);
    expect([b.link.state, section.signal.aborted]).toEqual(['live', false]); // it is stopped, and does not know
    a.port.release();
    await settled();
    expect(section.signal.aborted).toBe(true);
    goOn(a);
    section.end();
    await space.pass(WAIT_MS);
    expect([a.link.state, space.server.act.size, b.tracker.activeCount]).toEqual(['live', 0, 0]);
  });
});
