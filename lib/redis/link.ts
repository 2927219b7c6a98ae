/**
 * Link: what users have of a shared space.
 */
import { CANCEL_NAMES, type CancelOptions, cancelOn, checkCancel } from '../base/cancel.js';
import { systemClock, wallClock } from '../base/clock.js';
import type { DisposableHandle } from '../base/dispose.js';
import { check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import { printed } from '../base/print.js';
import { spaceOf } from '../tracker/internal.js';
import type { Grant } from './announce.js';
import type { LinkState } from './host.js';
import { Member } from './member.js';
import { portOf, type ShareOptions } from './options.js';
import { NOTIFY } from './scripts.js';
import type { Side } from './side.js';
import { type LinkStats, newLinkStats } from './stats.js';
import type { WireData } from './wire.js';

/** How a change is told that nobody is waited for. */
export interface NotifyOptions {
  /** As of a begin. */
  kind?: string | undefined;
  /** As of a begin. */
  label?: string | undefined;
}

/** A tracker or a fence that is shared with other processes. `What` is what it has places of: ranges or keys. */
export interface Link<What> extends DisposableHandle {
  /** The name of this process in the space; another one for each link. For {@link Link.evict}, in another process. */
  readonly member: string;
  /**
   * - `live`: it takes part;
   * - `joining`: it does not, or not yet: lookups wait, or go on alone (`whenDetached`);
   * - `closed`: it is over, and the tracker is on its own.
   */
  readonly state: LinkState;
  /** True while it is live and its lease runs. Ask in the turn in which something that was kept is used. Two looks at clocks. */
  valid(): boolean;
  /** Resolves when it is live. Rejects: `ClosedError`, `TimeoutError`, the signal's reason. */
  live(options?: CancelOptions): Promise<void>;
  /**
   * What a section of this process has, from its resolved begin to its end: a number for the store to compare (`fence`), and a signal for when it excludes
   * others no longer. `undefined` for a section of somebody else, and where it goes on alone.
   */
  grant(section: object): Grant | undefined;
  /**
   * Says that something has changed, without waiting for anybody: every live member drops it when it hears of it, a third of a lease later
   * at the latest. A reader in between may get the old. Rejects with the error of the command; then it may have been told.
   */
  notify(what: What, options?: NotifyOptions): Promise<void>;
  /** Declares a process out of which you know that it has ended: nobody waits for its lease. `member` is that of its link. */
  evict(member: string): Promise<void>;
  /** Live counters. */
  readonly stats: Readonly<LinkStats>;
  /**
   * Leaves: nobody waits for this process any more. Everything that is kept here is dropped once, and then the tracker is on its own, and
   * hears nothing of others. Resolves when the server knows, or two leases later. Idempotent.
   */
  close(): Promise<void>;
}

const LIVE_OPTIONS: Names = /* @__PURE__ */ names(CANCEL_NAMES);
const NOTIFY_OPTIONS: Names = /* @__PURE__ */ names('kind label');

/** What is told of a change besides its place. Throws `InvalidArgumentError`: in another process nobody could do anything about it. */
export function told(options: NotifyOptions, where: string): WireData {
  checkNames(options, NOTIFY_OPTIONS, where);
  const { kind, label } = options;
  check(kind === undefined || typeof kind === 'string', 'kind', kind, 'a string');
  check(label === undefined || typeof label === 'string', 'label', label, 'a string');
  return { ...(kind === undefined ? {} : { kind }), ...(label === undefined ? {} : { label }) };
}

/** The object behind {@link Link}. */
export class OpenLink<What> implements Link<What> {
  readonly #side: Side;
  readonly #member: Member;
  readonly #stats: LinkStats = newLinkStats();
  readonly #describe: (what: What) => WireData;
  #closing: Promise<void> | undefined = undefined;

  /** The options have been checked; throws `InvalidArgumentError` for what only now can be seen. */
  constructor(side: Side, options: ShareOptions, describe: (what: What) => WireData) {
    const space = spaceOf(side.tracker);
    const port = portOf(options.redis);
    check(space.guard === undefined, 'tracker', side.tracker, 'one that is not shared already');
    const mayWait = options.replicas === undefined || options.replicas === 0 || port.wait !== undefined;
    check(mayWait, 'replicas', options.replicas, 'nothing in a cluster, whose clients cannot wait for a replica');
    this.#side = side;
    this.#describe = describe;
    this.#member = new Member({
      side,
      port,
      options,
      clock: space.clock ?? systemClock,
      wallClock: options.wallClock ?? wallClock,
      id: () => crypto.randomUUID(),
      stats: this.#stats,
    });
    space.guard = () => this.#member.isKnowing();
    this.#member.start();
  }

  get member(): string {
    return this.#member.name;
  }

  get state(): LinkState {
    return this.#member.state;
  }

  get stats(): Readonly<LinkStats> {
    return this.#stats;
  }

  valid(): boolean {
    return this.#member.valid();
  }

  live(options?: CancelOptions): Promise<void> {
    checkNames(options, LIVE_OPTIONS, 'live');
    if (options !== undefined) checkCancel(options);
    const { promise, giveUp } = this.#member.live();
    const bound = cancelOn(this.#member.clock, options, 'the link', giveUp);
    return bound === undefined ? promise : promise.finally(() => bound.clear());
  }

  grant(section: object): Grant | undefined {
    return this.#member.announcer.grant(this.#side.section(section));
  }

  async notify(what: What, options: NotifyOptions = {}): Promise<void> {
    const data = JSON.stringify({ ...told(options, 'notify'), ...this.#describe(what) });
    if (this.state === 'closed') throw this.#member.closedError();
    await this.#member.contact.run(NOTIFY, data);
  }

  evict(member: string): Promise<void> {
    check(typeof member === 'string' && member !== '', 'member', member, 'the `member` of a link');
    return this.#member.evict(member);
  }

  close(): Promise<void> {
    this.#closing ??= this.#member.close().then(() => {
      spaceOf(this.#side.tracker).guard = undefined;
    });
    return this.#closing;
  }

  [Symbol.dispose](): void {
    void this.close();
  }
}

printed(OpenLink.prototype, {
  name: 'Link',
  data: ({ member, state, stats }) => ({ member, state, ...stats }),
});
