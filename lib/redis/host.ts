/**
 * Host: what the parts of a member (announce.ts, remote.ts) need of it.
 */
import type { Clock } from '../base/clock.js';
import type { Contact } from './contact.js';
import type { Lease } from './lease.js';
import type { LinkEvent, ResetReason } from './options.js';
import type { Script } from './port.js';
import type { Side } from './side.js';
import type { LinkStats } from './stats.js';

/** One membership; compared as an object. */
export interface Identity {
  readonly member: string;
  readonly epoch: string;
}

/** `joining` behind a gate, `live`, or `closed`. */
export type LinkState = 'joining' | 'live' | 'closed';

/** See the top of the file; member.ts has what is said of each. */
export interface Host {
  readonly name: string;
  readonly clock: Clock;
  readonly contact: Contact;
  readonly side: Side;
  readonly stats: LinkStats;
  readonly lease: Lease;
  readonly state: LinkState;
  readonly identity: Identity | undefined;
  readonly renewals: number;
  readonly isLocal: boolean;
  readonly ackTimeoutMs: number | undefined;
  valid(): boolean;
  event(event: LinkEvent): void;
  insist(identity: Identity, script: Script, ...args: readonly string[]): Promise<unknown>;
  joined(): Promise<Identity | undefined>;
  refuse(member: string): Promise<void>;
  reset(reason: ResetReason): void;
}
