/**
 * Holds and answers of two processes under every order in which their steps can come, and their messages be heard: each process has a
 * lookup over both ranges, which holds them once it was hit, and a section over one. Nobody waits for himself, in whatever order; with
 * the rule that seems natural, that begins of others queue behind holds, there is an order in which nobody can go on.
 */
import { describe, expect, it } from 'vitest';
import { type Attempt, type Range, RangeTracker } from '../../lib/index.js';
import { Member } from '../../lib/redis/member.js';
import { RangeSide } from '../../lib/redis/ranges.js';
import type { Entered, RemoteOwner } from '../../lib/redis/side.js';
import { newLinkStats } from '../../lib/redis/stats.js';
import { unpackRanges, type WireData } from '../../lib/redis/wire.js';
import { type Actor, explore, type Scenario, ScheduleError, type Step } from '../../lib/testing/index.js';
import { spaceOf } from '../../lib/tracker/internal.js';
import { ManualClock } from '../support/clock.js';
import { range } from '../support/reading.js';
import { type FakePort, FakeServer } from '../support/redis/server.js';
import { settled } from '../support/redis/space.js';

const BOTH = range(0, 16);
const OWN = [range(0, 8), range(8, 16)] as const;

/** What is entered queues behind holds, as what begins here does. */
class QueueingSide extends RangeSide {
  override enter(data: WireData, owner: RemoteOwner, within: Entered | undefined): Promise<Entered> {
    if (data.all !== undefined) return super.enter(data, owner, within); // the gate
    return this.tracker.begin(unpackRanges(data)!, { owner });
  }
}

/** Nothing is entered. */
class BlindSide extends RangeSide {
  override enter(data: WireData, owner: RemoteOwner, within: Entered | undefined): Promise<Entered> {
    return data.all !== undefined ? super.enter(data, owner, within) : Promise.resolve({ end: () => {} });
  }
}

/** Two members, their trackers, and the messages that are on their way to each. */
class TwoProcesses {
  readonly server: FakeServer = new FakeServer();
  readonly trackers: RangeTracker[] = [];
  readonly ready: Promise<void>;
  readonly #queues: { hear: () => void; message: string }[][] = [[], []];
  readonly #wakes: (() => void)[] = [];
  readonly #active: Set<Range> = new Set();
  readonly #reads: number[] = [];
  #running = 0;

  constructor(Side: typeof RangeSide) {
    const ports = [0, 1].map((i) => this.#start(i, Side));
    this.ready = settled().then(() => {
      ports.forEach((port, i) => {
        port.deliver = (hear, message) => {
          this.#queues[i]!.push({ hear, message });
          this.#wake();
        };
      });
    });
  }

  #start(index: number, Side: typeof RangeSide): FakePort {
    const clock = new ManualClock(); // stands still: no lease is over
    const tracker = new RangeTracker({ clock });
    const port = this.server.port();
    let ids = 0;
    const member = new Member({
      ...{ side: new Side(tracker), port, clock, wallClock: () => 0, stats: newLinkStats() },
      options: { redis: port, space: 'test', grace: false },
      id: () => `m${index}${ids++ === 0 ? '' : `e${ids}`}`,
    });
    spaceOf(tracker).guard = () => member.isKnowing();
    member.start();
    this.trackers.push(tracker);
    return port;
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  /** Somebody who comes to an end by himself. */
  party(act: (step: Step) => Promise<void>): Actor {
    this.#running++;
    return async (step) => {
      await this.ready;
      await act(step);
      this.#running--;
      this.#wake();
    };
  }

  lookup(index: number): Actor {
    return this.party(async (step) => {
      const fetch = async ({ seq }: Attempt) => {
        this.#reads[index] = seq;
        await step('reads');
      };
      const commit = () => {
        if (this.#active.size > 0) throw new Error('a commit inside a section');
      };
      await this.trackers[index]!.lookup(BOTH, fetch, { maxAttempts: 1, commit });
    });
  }

  section(index: number): Actor {
    return this.party(async (step) => {
      await step('begins');
      const what = OWN[index]!;
      const section = await this.trackers[index]!.begin(what);
      this.#active.add(what);
      await step('ends');
      this.#active.delete(what);
      section.end();
    });
  }

  /** Hears what has come, one message a step, until nothing can come any more. */
  wire(index: number): Actor {
    return async (step) => {
      await this.ready;
      const queue = this.#queues[index]!;
      for (;;) {
        if (queue.length === 0) {
          if (this.isOver()) return;
          await new Promise<void>((resolve) => this.#wakes.push(resolve));
        } else {
          await step('hears');
          queue.shift()!.hear();
          this.#wake();
        }
      }
    };
  }

  isOver(): boolean {
    return this.#running === 0 && this.server.act.size === 0 && this.#queues.every(({ length }) => length === 0);
  }

  /** All that decides how it goes on: what the server has, what is on its way, what the trackers have, and what was read when. */
  state(): string {
    const { act, pend, meta } = this.server;
    const told = this.#queues.map((queue) => queue.map(({ message }) => message));
    const trackers = this.trackers.map((tracker) => [tracker.seq, tracker.inspect(), tracker.stats.attempts]);
    return JSON.stringify([
      [...act].sort(),
      [...pend].sort(),
      meta.get('seq'),
      told,
      trackers,
      this.#reads,
      this.#running,
      [...this.#active],
    ]);
  }

  end(): void {
    expect([this.server.pend.size, ...this.trackers.map(({ activeCount }) => activeCount)]).toEqual([0, 0, 0]);
  }
}

function scenario(parties: readonly ('lookup' | 'section')[], Side = RangeSide): () => Scenario {
  return () => {
    const world = new TwoProcesses(Side);
    const actors: Record<string, Actor> = {};
    for (const index of [0, 1]) {
      for (const kind of parties) actors[`${kind} ${index}`] = world[kind](index);
      actors[`wire ${index}`] = world.wire(index);
    }
    return { actors, checkPoints: false, state: () => world.state(), end: () => world.end() };
  };
}

/** How it fails. */
async function failure(Side: typeof RangeSide): Promise<string> {
  const error = await explore(scenario(['lookup', 'section'], Side)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ScheduleError);
  return (error as ScheduleError).message;
}

describe('holds and answers of two processes', () => {
  it('wait for each other in no order, and nothing is committed inside a section', { timeout: 120_000 }, async () => {
    const { complete, orders } = await explore(scenario(['lookup', 'section']));
    expect([complete, orders > 1_000_000]).toEqual([true, true]);
  });

  it('would wait for each other, if what begins elsewhere queued behind holds', async () => {
    expect(await failure(QueueingSide)).toContain(
      'nobody can go on: lookup 0 waits since "reads", section 0 waits since "begins"',
    );
  });

  it('would commit inside a section, if what begins elsewhere were not entered', async () => {
    expect(await failure(BlindSide)).toContain('a commit inside a section');
  });
});
