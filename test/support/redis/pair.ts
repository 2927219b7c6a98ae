/**
 * Two processes as one tracker: what reads is one member of a space, what changes is another one. For the contract suite, which makes
 * its trackers in the middle of a test, and cannot wait: the members are there before their trackers are.
 *
 * `begin`, `mutate` and `invalidate` take the whole way: announced, entered, answered. `tryBegin` cannot wait for an answer, and is
 * refused where a tracker is shared (link.test.ts). Here it is a program that speaks the protocol and waits for nobody: what it says
 * is heard in the same turn.
 */
import { type BeginOptions, type Invalidation, type Ranges, RangeTracker, type RangeTrackerOptions } from '../../../lib/index.js';
import { placeOf } from '../../../lib/redis/contact.js';
import { Member } from '../../../lib/redis/member.js';
import { RangeSide } from '../../../lib/redis/ranges.js';
import type { Entered, RemoteOwner, Side, SideListener } from '../../../lib/redis/side.js';
import { newLinkStats } from '../../../lib/redis/stats.js';
import { unpackRanges, type WireData } from '../../../lib/redis/wire.js';
import type { ContractTracker } from '../../../lib/testing/contract/index.js';
import { type Section, spaceOf } from '../../../lib/tracker/internal.js';
import { ManualClock } from '../clock.js';
import { FakeServer } from './server.js';
import { settled } from './space.js';

/** The member that waits for nobody. */
const RAW = 'raw';

/** A side whose tracker comes later. */
class LateSide implements Side {
  tracker: RangeTracker = new RangeTracker();
  /** What begins without waiting. */
  raw: { begun(section: Section, data: WireData): void | false; ended(section: Section): boolean } | undefined = undefined;
  /** What came in the same turn could not begin in it. */
  refused: { readonly error: unknown } | undefined = undefined;
  #side: RangeSide = new RangeSide(this.tracker);
  #listener: SideListener | undefined = undefined;
  #stop: (() => void) | undefined = undefined;

  bind(tracker: RangeTracker): void {
    this.#stop?.();
    this.tracker = tracker;
    this.#side = new RangeSide(tracker);
    if (this.raw !== undefined) this.#listen(); // nothing begins where it is read
  }

  listen(listener: SideListener): () => void {
    this.#listener = listener;
    return () => this.#stop?.();
  }

  #listen(): void {
    const { begun, ended } = this.#listener!;
    this.#stop = this.#side.listen({
      begun: (section, describe) => {
        if (section.blockable || this.raw === undefined) return begun(section, describe);
        return this.raw.begun(section, describe());
      },
      ended: (section) => {
        if (this.raw?.ended(section) !== true) ended(section);
      },
    });
  }

  section(given: object): Section {
    return this.#side.section(given);
  }

  enter(data: WireData, owner: RemoteOwner, within: Entered | undefined): Promise<Entered> {
    if (owner.member !== RAW) return this.#side.enter(data, owner, within);
    return prompt(this.raw === undefined ? this.#enterNow(data, owner, within) : NOTHING); // there, it is its own
  }

  #enterNow(data: WireData, owner: RemoteOwner, within: Entered | undefined): Entered {
    const { kind, label } = data;
    const outer = within as Invalidation | undefined;
    try {
      const section = this.tracker.tryBegin(unpackRanges(data)!, {
        kind,
        label,
        owner,
        within: outer?.active ? outer : undefined,
      });
      this.refused = section === undefined ? { error: undefined } : undefined;
      return section ?? NOTHING;
    } catch (error) {
      this.refused = { error };
      return NOTHING;
    }
  }
}

const NOTHING: Entered = { end: () => {} };

/** A promise that answers in the turn in which it is asked. */
function prompt(value: Entered): Promise<Entered> {
  // biome-ignore lint/suspicious/noThenProperty: that is what it is
  const answered = { then: (resolve: (value: Entered) => void) => resolve(value) };
  return answered as unknown as Promise<Entered>;
}

/** See the top of the file. */
export class Pair {
  readonly server: FakeServer = new FakeServer();
  readonly #reads: LateSide = new LateSide();
  readonly #changes: LateSide = new LateSide();
  readonly #sids: Map<Section, string> = new Map();
  readonly #place: readonly string[] = [placeOf('pair').channel, 'PUBLISH', '1000000'];
  #count = 0;

  /** Resolves when both members have come in. */
  static async start(): Promise<Pair> {
    const pair = new Pair();
    const members = [pair.#reads, pair.#changes].map((side, i) => pair.#member(side, `member${i}`));
    await settled();
    if (members.some(({ state }) => state !== 'live')) throw new Error('a member has not come in');
    return pair;
  }

  #member(side: LateSide, name: string): Member {
    let ids = 0;
    const port = this.server.port();
    port.deliver = (hear) => hear();
    // A clock of its own, which stands still: the clock of the suite is that of the trackers.
    const clock = new ManualClock();
    const member = new Member({
      ...{ side, port, clock, wallClock: () => 0, stats: newLinkStats() },
      options: { redis: port, space: 'pair', grace: false },
      id: () => (ids++ === 0 ? name : `${name}e${ids}`),
    });
    member.start();
    return member;
  }

  /** A tracker of which one half is in each process. */
  make(options: RangeTrackerOptions): ContractTracker {
    const reads = new RangeTracker(options);
    const { observer: _, ...rest } = options;
    const changes = new RangeTracker(rest);
    for (const tracker of [reads, changes]) spaceOf(tracker).guard = () => true;
    this.#changes.raw = {
      begun: (section, data) => this.#announce(section, data),
      ended: (section) => this.#end(section),
    };
    this.#reads.bind(reads);
    this.#changes.bind(changes);
    return bothOf(reads, changes);
  }

  #announce(section: Section, data: WireData): void | false {
    const sid = `${RAW}-${++this.#count}`;
    const within = section.within === undefined ? undefined : this.#sids.get(section.within);
    this.#sids.set(section, sid);
    this.server.mem.set(`${RAW}.1`, '1');
    const epoch = this.server.meta.get('epoch')!;
    const text = JSON.stringify(within === undefined ? data : { ...data, w: within });
    this.server.execute('announce', [...this.#place, `${RAW}.1`, epoch, sid, '1', text]);
    this.server.mem.delete(`${RAW}.1`);
    const { refused } = this.#reads;
    this.#reads.refused = undefined;
    if (refused === undefined) return;
    this.#end(section);
    if (refused.error !== undefined) throw refused.error;
    return false;
  }

  #end(section: Section): boolean {
    const sid = this.#sids.get(section);
    if (sid === undefined) return false;
    this.#sids.delete(section);
    this.server.execute('end', [...this.#place, `${RAW}.1`, sid, 'e']);
    return true;
  }
}

function bothOf(reads: RangeTracker, changes: RangeTracker): ContractTracker {
  const own: Partial<ContractTracker> = {
    begin: (ranges: Ranges, options?: BeginOptions) => changes.begin(ranges, options),
    tryBegin: (ranges: Ranges, options?: BeginOptions) => changes.tryBegin(ranges, options),
    mutate: <T>(ranges: Ranges, change: (section: Invalidation) => T | PromiseLike<T>, options?: BeginOptions) =>
      changes.mutate(ranges, change, options),
    invalidate: (ranges: Ranges, options?: BeginOptions) => changes.invalidate(ranges, options),
    close: (options) => {
      changes.close(options).catch(() => {});
      return reads.close(options);
    },
  };
  return new Proxy(reads, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key as keyof ContractTracker];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
