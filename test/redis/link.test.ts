/**
 * Links over a server in memory and a clock that stands still: what holds between processes, and what each of them does when it is
 * cut off, stopped, forgotten or lied to.
 */
import { describe, expect, it } from 'vitest';
import { ClosedError, SubscriberError } from '../../lib/index.js';
import type { RemoteOwner } from '../../lib/redis/index.js';
import { ManualFetch, range } from '../support/reading.js';
import { goOn, LEASE_MS, type Process, SharedSpace, settled, stop, WAIT_MS } from '../support/redis/space.js';
import { Outcome } from '../support/turns.js';

const PAGE = range(0, 8);
const OTHER = range(64, 72);

async function two(options: Parameters<SharedSpace['start']>[1] = {}) {
  const space = new SharedSpace();
  const [a, b] = (await space.start(2, options)) as [Process, Process];
  return { space, server: space.server, a, b };
}

/** A begin that has resolved. */
async function begun({ tracker }: Process, ranges = PAGE) {
  const outcome = new Outcome(tracker.begin(ranges));
  await settled();
  expect(outcome.state).toBe('resolved');
  return outcome.value!;
}

describe('the proof', () => {
  it('case 1: a member that has answered lets nothing be committed from its answer to the end', async () => {
    const { a, b } = await two();
    const read = new ManualFetch();
    const outcome = new Outcome(b.tracker.lookup(PAGE, read.fetch));
    const section = await begun(a);
    read.last.resolve('old');
    await settled();
    expect([outcome.state, b.tracker.stats.commits]).toEqual(['pending', 0]);
    section.end();
    await settled();
    read.last.resolve('new');
    await settled();
    expect(outcome.value).toBe('new');
  });

  it('case 2: a member that does not answer is out when its lease is over, and commits nothing from the begin on', async () => {
    const { space, a, b } = await two();
    const kept = b.tracker.tryReadBegin(PAGE)!;
    const read = new ManualFetch();
    const outcome = new Outcome(b.tracker.lookup(PAGE, read.fetch));
    stop(b);
    const begin = new Outcome(a.tracker.begin(PAGE));
    await space.pass(LEASE_MS - 20);
    expect(begin.state).toBe('pending');
    await space.pass(WAIT_MS + LEASE_MS / 3 - LEASE_MS + 60);
    expect([begin.state, a.link.stats.evictions]).toEqual(['resolved', 1]);
    // It wakes up. What it was told comes after what it has read.
    read.last.resolve('old');
    expect(b.tracker.readRetry(PAGE, kept)).toBe(true);
    expect(b.tracker.lapsed).toBe(true);
    await settled();
    expect(outcome.state).toBe('pending');
    goOn(b);
    await space.pass(50);
    expect([b.link.state, b.tracker.stats.commits, read.calls.length]).toEqual(['live', 0, 1]);
    begin.value!.end();
    await settled();
    read.last.resolve('new');
    await settled();
    expect(outcome.value).toBe('new');
  });

  it('case 3: a member that comes in while a section runs waits for its end', async () => {
    const { space, a } = await two();
    const section = await begun(a);
    const late = space.come();
    await settled();
    expect((await late.link).state).toBe('live');
    const outcome = new Outcome(late.tracker.lookup(PAGE, () => 'read'));
    expect(await late.tracker.lookup(OTHER, () => 'other')).toBe('other');
    await settled();
    expect(outcome.state).toBe('pending');
    section.end();
    await settled();
    expect(outcome.value).toBe('read');
  });

  it('case 4: when the server has lost its memory, nobody reads before what runs is announced again', async () => {
    const { space, server, a, b } = await two();
    const section = await begun(a);
    server.restart();
    stop(a); // and comes back within its lease
    await space.pass(LEASE_MS * 0.6);
    expect([b.link.state, b.events.at(-1)]).toEqual(['joining', { type: 'reset', reason: 'epoch' }]);
    const outcome = new Outcome(b.tracker.lookup(PAGE, () => 'read'));
    goOn(a);
    await space.pass(WAIT_MS + 20);
    expect([a.link.state, b.link.state, outcome.state, section.signal.aborted]).toEqual(['live', 'live', 'pending', false]);
    section.end();
    await settled();
    expect(outcome.value).toBe('read');
  });
});

describe('a section', () => {
  it('drops what subscribers keep in all processes before its begin resolves, and is theirs to wait for', async () => {
    const { a, b } = await two();
    const log: string[] = [];
    let letGo!: () => void;
    b.tracker.subscribe(PAGE, {
      invalidate: ({ kind, label, owner }) => {
        log.push(`${kind} ${label} ${(owner as RemoteOwner).name} ${(owner as RemoteOwner).member === a.link.member}`);
        return new Promise<void>((resolve) => {
          letGo = resolve;
        });
      },
      end: () => void log.push('end'),
    });
    const begin = new Outcome(a.tracker.begin(PAGE, { kind: 'migrate', label: 'import', owner: 'importer' }));
    await settled();
    expect([begin.state, log]).toEqual(['pending', ['migrate import importer true']]);
    letGo();
    await settled();
    expect(begin.state).toBe('resolved');
    begin.value!.end();
    await settled();
    expect(log).toEqual(['migrate import importer true', 'end']);
  });

  it('cannot begin where a subscriber of another process fails, and leaves nothing behind', async () => {
    const { a, b, server } = await two();
    b.tracker.subscribe(PAGE, {
      invalidate: () => {
        throw new Error('cannot let go');
      },
    });
    const begin = new Outcome(a.tracker.begin(PAGE));
    await settled();
    expect(begin.error).toBeInstanceOf(SubscriberError);
    expect(String((begin.error as Error).message)).toContain('cannot let go');
    expect([server.act.size, server.pend.size, a.tracker.activeCount, b.tracker.activeCount]).toEqual([0, 0, 0, 0]);
  });

  it('is nested elsewhere as it is here', async () => {
    const { a, b } = await two();
    const told: boolean[] = [];
    b.tracker.subscribe(PAGE, { invalidate: ({ within }) => void told.push(within !== undefined) });
    const outer = await begun(a);
    const inner = new Outcome(a.tracker.begin(range(2, 4), { within: outer }));
    await settled();
    expect([inner.state, told]).toEqual(['resolved', [false, true]]);
    inner.value!.end();
    outer.end();
    await settled();
    expect(b.tracker.activeCount).toBe(0);
  });

  it('that will not wait is refused, as an answer of others cannot come at once', async () => {
    const { a } = await two();
    expect(a.tracker.tryBegin(PAGE)).toBeUndefined();
    await a.link.close();
    a.tracker.tryBegin(PAGE)!.end();
  });

  it('has a fence that is higher than that of any section before, in whatever process', async () => {
    const { space, server, a, b } = await two();
    const fences: number[] = [];
    for (const process of [a, b, a]) {
      const section = await begun(process);
      fences.push(process.link.grant(section)!.fence);
      section.end();
      await settled();
      expect(process.link.grant(section)).toBeUndefined();
    }
    server.restart();
    await space.pass(WAIT_MS + LEASE_MS);
    const section = await begun(b);
    fences.push(b.link.grant(section)!.fence);
    expect(fences).toEqual([...fences].sort((x, y) => x - y));
    expect(new Set(fences).size).toBe(4);
    expect(a.link.grant(section)).toBeUndefined();
    section.end();
  });

  it('of a process that has died is over when its lease is, and others go on', async () => {
    const { space, a, b } = await two();
    await begun(a);
    stop(a);
    const outcome = new Outcome(b.tracker.lookup(PAGE, () => 'what is there'));
    await space.pass(WAIT_MS + LEASE_MS / 3 + 20);
    expect(outcome.value).toBe('what is there');
  });

  it('that was declared over fires its signal, and is announced again until it is over here', async () => {
    const { space, a, b } = await two();
    const section = await begun(a);
    const { signal, fence } = a.link.grant(section)!;
    stop(a);
    await space.pass(WAIT_MS + LEASE_MS / 3 + 20);
    expect([signal.aborted, b.tracker.activeCount]).toEqual([false, 0]); // it is stopped, and does not know
    goOn(a);
    await space.pass(50);
    expect([signal.aborted, section.signal.aborted, a.link.grant(section)!.fence]).toEqual([true, true, fence]);
    expect(b.tracker.activeCount).toBe(1);
    section.end();
    await settled();
    expect(b.tracker.activeCount).toBe(0);
  });

  it('that was declared over before its end drops once more what others have read meanwhile', async () => {
    const { space, a, b } = await two();
    const section = await begun(a);
    const { fence } = a.link.grant(section)!;
    stop(a);
    await space.pass(WAIT_MS + LEASE_MS / 3 + 20);
    const other = await begun(b);
    expect(b.link.grant(other)!.fence).toBeGreaterThan(fence);
    other.end();
    const token = b.tracker.tryReadBegin(PAGE)!;
    expect(b.tracker.readRetry(PAGE, token)).toBe(false);
    section.end(); // too late, before its process knows
    goOn(a);
    await space.pass(50);
    expect(b.tracker.readRetry(PAGE, token)).toBe(true);
  });

  it('of a dead process is recovered by one of those who are left, before it is over', async () => {
    const log: string[] = [];
    let done!: () => void;
    const recover = (section: { fence: number; label: string | undefined }) => {
      log.push(`recover ${section.label} ${section.fence > 0}`);
      return new Promise<void>((resolve) => {
        done = resolve;
      });
    };
    const space = new SharedSpace();
    const [a, b, c] = (await space.start(3, { recover })) as [Process, Process, Process];
    new Outcome(a.tracker.begin(PAGE, { label: 'import' }));
    await settled();
    stop(a);
    const reads = [b, c].map(({ tracker }) => new Outcome(tracker.lookup(PAGE, () => 'read')));
    await space.pass(3 * WAIT_MS);
    expect([log, reads.map(({ state }) => state)]).toEqual([['recover import true'], ['pending', 'pending']]);
    done();
    await settled();
    expect(reads.map(({ value }) => value)).toEqual(['read', 'read']);
  });
});

describe('a lost answer', () => {
  it.each(['announce', 'ack', 'end', 'renew', ''])('of %j is asked for again, and no section stays for ever', async (name) => {
    const { space, server, a, b } = await two();
    for (const { port } of [a, b]) port.loseAnswers.set(name, 2);
    const begin = new Outcome(a.tracker.begin(PAGE));
    await space.pass(LEASE_MS);
    expect(begin.state).toBe('resolved');
    begin.value!.end();
    await space.pass(LEASE_MS);
    expect([server.act.size, server.pend.size, b.tracker.activeCount]).toEqual([0, 0, 0]);
    expect(await b.tracker.lookup(PAGE, () => 1)).toBe(1);
  });

  it('of what was not done is asked for again, too: answers, and ends', async () => {
    const { space, server, a, b } = await two();
    b.port.isRefused = true;
    const begin = new Outcome(a.tracker.begin(PAGE));
    await space.pass(60);
    expect(begin.state).toBe('pending');
    b.port.isRefused = false;
    await space.pass(100);
    expect(begin.state).toBe('resolved');
    a.port.isRefused = true;
    begin.value!.end();
    await space.pass(60);
    expect(server.act.size).toBe(1);
    a.port.isRefused = false;
    await space.pass(100);
    expect([server.act.size, b.tracker.activeCount]).toEqual([0, 0]);
  });

  it('that says that all have answered costs a third of a lease, and not more', async () => {
    const { space, a } = await two();
    a.port.isDeaf = true;
    const begin = new Outcome(a.tracker.begin(PAGE));
    await settled();
    expect(begin.state).toBe('pending');
    await space.pass(LEASE_MS / 3 + 10);
    expect(begin.state).toBe('resolved');
    begin.value!.end();
  });

  it('of an announcement that is run late, after the end, is cleared away by a renewal', async () => {
    const { space, server, a, b } = await two();
    await begun(a).then((section) => section.end());
    await settled();
    const call = server.calls.find((each) => each.startsWith('announce'))!;
    const [, member, epoch, sid, count, data] = call.split(' ') as [string, string, string, string, string, string];
    server.execute('announce', ['rangefence:{test}', 'PUBLISH', '100', member, epoch, sid, count, data]);
    await settled();
    expect(b.tracker.activeCount).toBe(1);
    await space.pass(LEASE_MS / 3 + 20);
    expect([server.act.size, b.tracker.activeCount]).toEqual([0, 0]);
  });
});

describe('a lost message', () => {
  it('is read from the log when the next one comes', async () => {
    const { a, b } = await two();
    b.port.isDeaf = true;
    await a.link.notify(PAGE);
    b.port.isDeaf = false;
    const token = b.tracker.tryReadBegin(PAGE)!;
    await a.link.notify(OTHER);
    await settled();
    expect([b.tracker.readRetry(PAGE, token), b.link.stats.gaps, b.link.stats.resets]).toEqual([true, 1, 0]);
  });

  it('is read from the log at the next renewal, where no other one comes, and the begin waits for that', async () => {
    const { space, a, b } = await two();
    b.port.isDeaf = true;
    const begin = new Outcome(a.tracker.begin(PAGE));
    await settled();
    expect(begin.state).toBe('pending');
    await space.pass(LEASE_MS / 3 + 10);
    expect([begin.state, b.link.stats.gaps]).toEqual(['resolved', 1]);
    begin.value!.end();
  });

  it('is read at once when the connection is there again', async () => {
    const { a, b } = await two();
    b.port.isDeaf = true;
    const begin = new Outcome(a.tracker.begin(PAGE));
    await settled();
    b.port.reconnect();
    await settled();
    expect(begin.state).toBe('resolved');
    begin.value!.end();
  });

  it('that was trimmed away makes the process start anew, also where it was the last one', async () => {
    const { space, server, a, b } = await two();
    const token = b.tracker.tryReadBegin(PAGE)!;
    b.port.isDeaf = true;
    await a.link.notify(PAGE);
    server.log = [];
    await space.pass(LEASE_MS / 3 + 20);
    expect(b.events.filter(({ type }) => type === 'reset').at(-1)).toEqual({ type: 'reset', reason: 'history-lost' });
    expect([b.link.state, b.tracker.readRetry(PAGE, token)]).toEqual(['live', true]);
  });

  it('does not end what the process itself changes: its sections go over to its next membership', async () => {
    const { space, server, a, b } = await two();
    const section = await begun(b);
    b.port.isDeaf = true;
    await a.link.notify(OTHER);
    server.log = [];
    const outcome = new Outcome(a.tracker.lookup(PAGE, () => 'read'));
    await space.pass(LEASE_MS);
    expect([b.link.stats.resets, b.link.state, outcome.state, section.signal.aborted]).toEqual([1, 'live', 'pending', false]);
    b.port.isDeaf = false;
    section.end();
    await space.pass(LEASE_MS);
    expect([outcome.value, server.act.size]).toEqual(['read', 0]);
  });
});

describe('coming in', () => {
  it('waits for the leases of before in an empty space, and for nothing in one that is settled', async () => {
    const space = new SharedSpace();
    const first = space.come();
    await space.pass(WAIT_MS - 15);
    expect(first.events.map(({ type }) => type)).toEqual(['reset']);
    await space.pass(20);
    expect((await first.link).state).toBe('live');
    const second = space.come();
    await settled();
    expect((await second.link).state).toBe('live');
  });

  it('enters a section once that is both pushed and in the answer', async () => {
    const { space, a } = await two();
    const late = space.come();
    late.port.held.add('join');
    await settled();
    const begin = new Outcome(a.tracker.begin(PAGE));
    await settled();
    late.port.release();
    await settled();
    await late.link;
    expect([begin.state, late.tracker.activeCount]).toEqual(['resolved', 1]);
    begin.value!.end();
    await settled();
    expect(late.tracker.activeCount).toBe(0);
  });

  it('does not answer for what is still in use here', async () => {
    const { space, a, b } = await two();
    let letGo!: () => void;
    let isSlow = true;
    b.tracker.subscribe(PAGE, {
      invalidate: () =>
        isSlow
          ? new Promise<void>((resolve) => {
              letGo = resolve;
            })
          : undefined,
    });
    const begin = new Outcome(a.tracker.begin(PAGE));
    await settled();
    b.port.isDeaf = true;
    space.server.log = [];
    await a.link.notify(OTHER);
    space.server.log = [];
    await space.pass(LEASE_MS / 3 + 20); // starts anew, and must not come in yet
    expect([b.link.state, begin.state]).toEqual(['joining', 'pending']);
    isSlow = false;
    letGo();
    b.port.reconnect();
    await space.pass(50);
    expect([b.link.state, begin.state]).toEqual(['live', 'resolved']);
    begin.value!.end();
  });

  it('announces a section once, that begins while what runs is announced again', async () => {
    const { space, server, a, b } = await two();
    server.restart();
    a.port.held.add('announce');
    const begin = new Outcome(a.tracker.begin(PAGE));
    await space.pass(LEASE_MS / 3 + 20);
    a.port.release();
    await space.pass(WAIT_MS + LEASE_MS);
    expect(begin.state).toBe('resolved');
    begin.value!.end();
    await space.pass(LEASE_MS);
    expect([server.act.size, server.pend.size, b.tracker.activeCount]).toEqual([0, 0, 0]);
  });

  it('is given up with the time or the signal of the call, and nothing is shared then', async () => {
    const space = new SharedSpace();
    const late = space.come({ timeoutMs: 50 });
    const aborted = new AbortController();
    const cut = space.come({ signal: aborted.signal });
    cut.port.isCut = true;
    aborted.abort(new Error('no more'));
    await space.pass(60);
    await space.pass(3 * LEASE_MS);
    await expect(late.link).rejects.toThrow('was not done within 50 ms');
    await expect(cut.link).rejects.toThrow('no more');
    expect([late.tracker.lapsed, late.tracker.activeCount, late.port.listeners]).toEqual([false, 0, 0]);
    expect([cut.tracker.lapsed, await cut.tracker.lookup(PAGE, () => 1)]).toEqual([false, 1]);
  });
});

describe('without contact', () => {
  it('nothing is committed from the end of the lease on, and all goes on when contact is there again', async () => {
    const { space, a, b } = await two();
    b.port.isRefused = true;
    const token = b.tracker.tryReadBegin(PAGE)!;
    await space.pass(LEASE_MS / 3);
    expect([b.tracker.lapsed, b.tracker.readRetry(PAGE, token)]).toEqual([false, false]);
    await space.pass((2 * LEASE_MS) / 3 + 5);
    const outcome = new Outcome(b.tracker.lookup(PAGE, () => 'read'));
    await settled();
    expect([b.tracker.lapsed, outcome.state, b.link.state, b.link.valid()]).toEqual([true, 'pending', 'joining', false]);
    expect(a.link.valid()).toBe(true);
    b.port.isRefused = false;
    await space.pass(300);
    expect([outcome.value, b.link.state, b.link.stats.lapses]).toEqual(['read', 'live', 1]);
  });

  it('the lease counts from the sending of a renewal, however late its answer comes', async () => {
    const { space, b } = await two();
    b.port.held.add('renew');
    while (b.port.waiting === 0) await space.pass(1, 1);
    const sentAt = space.clock.now();
    await space.pass(LEASE_MS / 3);
    b.port.release();
    b.port.isRefused = true;
    await space.pass(sentAt + LEASE_MS - space.clock.now() - 2, 1);
    expect(b.link.valid()).toBe(true);
    await space.pass(4, 1);
    expect([b.link.valid(), b.link.state]).toEqual([false, 'joining']);
  });

  it('a process that says so goes on alone, with nothing kept, and takes part again when it can', async () => {
    const { space, a, b } = await two({ whenDetached: 'local' });
    const token = b.tracker.tryReadBegin(PAGE)!;
    b.port.isRefused = true;
    await space.pass(3 * LEASE_MS);
    expect([b.link.state, b.link.valid(), b.tracker.lapsed]).toEqual(['joining', false, false]);
    expect([await b.tracker.lookup(PAGE, () => 'alone'), b.tracker.readRetry(PAGE, token)]).toEqual(['alone', true]);
    const alone = b.tracker.tryReadBegin(PAGE)!;
    const section = await begun(b, OTHER);
    expect(b.link.grant(section)).toBeUndefined();
    b.port.isRefused = false;
    await space.pass(300);
    expect([b.link.state, b.tracker.readRetry(PAGE, alone)]).toEqual(['live', true]);
    const other = new Outcome(a.tracker.lookup(OTHER, () => 'read')); // what runs there is announced now
    await settled();
    expect(other.state).toBe('pending');
    section.end();
    await settled();
    expect(other.value).toBe('read');
  });

  it.each([3_600_000, -3_600_000])('the wall clock is set by %d ms: nothing is lost but a lease', async (offset) => {
    const { space, a, b } = await two();
    b.clock.wallOffset = offset;
    await space.pass(LEASE_MS);
    expect([b.link.state, b.link.stats.lapses]).toEqual(['live', offset > 0 ? 1 : 0]);
    const section = await begun(a);
    section.end();
  });

  it('a member that does not answer in time is out when its lease is over, although it renews it', async () => {
    const { space, a, b } = await two({ ackTimeoutMs: 100 });
    b.port.held.add('ack');
    const begin = new Outcome(a.tracker.begin(PAGE));
    await space.pass(2 * WAIT_MS);
    expect([begin.state, b.events.some(({ reason }) => reason === 'gone')]).toEqual(['resolved', true]);
    expect(a.events.some(({ type, member }) => type === 'refused' && member?.startsWith(b.link.member))).toBe(true);
    begin.value!.end();
  });

  it('no begin counts, and no renewal, that too few replicas have', async () => {
    const space = new SharedSpace();
    const alone = space.come({ replicas: 1 });
    await space.pass(WAIT_MS + 300);
    expect(alone.events.some(({ type }) => type === 'live')).toBe(false);
    alone.port.replicas = 1;
    await space.pass(WAIT_MS + 300);
    const link = await alone.link;
    alone.port.replicas = 0;
    const begin = new Outcome(alone.tracker.begin(PAGE));
    await space.pass(LEASE_MS + 20);
    expect([begin.state, link.valid()]).toEqual(['pending', false]);
    alone.port.replicas = 1;
    await space.pass(WAIT_MS);
    expect([begin.state, link.valid()]).toEqual(['resolved', true]);
    begin.value!.end();
  });
});

describe('the end', () => {
  it('of a link is heard by all: nobody waits for it, and nothing of it is left', async () => {
    const { space, server, a, b } = await two();
    await begun(a);
    const outcome = new Outcome(b.tracker.lookup(PAGE, () => 'read'));
    await settled();
    await a.link.close();
    await settled();
    expect([outcome.value, a.link.state, a.link.valid()]).toEqual(['read', 'closed', false]);
    await begun(b).then((section) => section.end());
    await settled();
    await b.link.close();
    expect([server.act.size, server.pend.size, server.mem.size]).toEqual([0, 0, 0]);
    expect([a.port.listeners, b.port.listeners, space.clock.pending]).toEqual([0, 0, 0]);
    for (const { link, tracker } of [a, b]) {
      await expect(link.live()).rejects.toBeInstanceOf(ClosedError);
      await expect(link.notify(PAGE)).rejects.toBeInstanceOf(ClosedError);
      expect(tracker.lapsed).toBe(false);
      await tracker.mutate(PAGE, () => {});
    }
  });

  it('of a link drops what is kept once, and the tracker goes on alone', async () => {
    const { a, b } = await two();
    const token = b.tracker.tryReadBegin(PAGE)!;
    await b.link.close();
    expect(b.tracker.readRetry(PAGE, token)).toBe(true);
    const alone = b.tracker.tryReadBegin(PAGE)!;
    await begun(a).then((section) => section.end());
    await settled();
    expect(b.tracker.readRetry(PAGE, alone)).toBe(false);
  });

  it('of a tracker is the end of its link', async () => {
    const { server, a } = await two();
    await a.tracker.close();
    await settled();
    expect([a.link.state, server.mem.size]).toEqual(['closed', 1]);
  });

  it('of a process that is known is told by whoever knows', async () => {
    const { a, b, server } = await two();
    stop(b);
    const begin = new Outcome(a.tracker.begin(PAGE));
    await settled();
    expect(begin.state).toBe('pending');
    await a.link.evict(b.link.member);
    await settled();
    expect([begin.state, server.mem.size]).toEqual(['resolved', 1]);
    begin.value!.end();
  });

  it('comes once: another link may share the tracker after it, and not before', async () => {
    const { space, a } = await two();
    const again = { redis: space.server.port(), space: 'test', leaseMs: LEASE_MS };
    const { shareRanges } = await import('../../lib/redis/index.js');
    await expect(shareRanges(a.tracker, again)).rejects.toThrow('one that is not shared already');
    await a.link.close();
    const link = await shareRanges(a.tracker, again);
    expect(link.state).toBe('live');
    await link.close();
  });
});

describe('a lookup that holds', () => {
  it('is passed by what begins elsewhere, so that holds and answers of two processes never wait for each other', async () => {
    const { space, a, b } = await two();
    // In each, a hold waits for a section of its own process, whose answer would have to queue behind the hold of the other one.
    const own = [range(0, 8), range(8, 16)] as const;
    const reads = [new ManualFetch(), new ManualFetch()];
    const processes = [a, b] as const;
    const lookups = processes.map(
      ({ tracker }, i) => new Outcome(tracker.lookup(range(0, 16), reads[i]!.fetch, { maxAttempts: 1, timeoutMs: 5000 })),
    );
    const begins = processes.map(({ tracker }, i) => new Outcome(tracker.begin(own[i]!)));
    for (const read of reads) read.last.resolve('stale');
    await settled();
    expect(begins.map(({ state }) => state)).toEqual(['resolved', 'resolved']);
    for (const { value } of begins) value!.end();
    await space.pass(20);
    for (const read of reads) read.last.resolve('fresh');
    await settled();
    expect(lookups.map(({ value }) => value)).toEqual(['fresh', 'fresh']);
  });
});
