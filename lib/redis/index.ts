/**
 * The tracker's promise in several processes, over a Redis server that they share.
 *
 * The way of a section: it begins in a tracker here (ranges.ts, keys.ts hear of it as subscribers), and announce.ts tells the server
 * (scripts.ts), which gives it a number and tells everybody; log.ts of every other member puts that in its place, and remote.ts begins
 * the section there, passes what lookups hold, and answers; with the last answer the begin here resolves.
 * The way of a check: the space asks its guard, and member.ts asks lease.ts.
 * The way of a doubt (a lapsed lease, another memory of the server, lost records): member.ts shuts a gate over everything, comes in
 * again as a new member, enters what runs elsewhere, and opens it. roster.ts finds those who are silent.
 *
 * share.ts has the ways in, link.ts what users get, options.ts what they say. port.ts is all that is known of clients, and ioredis.ts
 * and node-redis.ts have it (listeners.ts: one connection for all who listen). Nothing of either is imported.
 *
 * Not to be touched: that a lease counts from its sending; that an answer is given after the local begin; that sections of others
 * are entered before the gate is over.
 *
 * @packageDocumentation
 */
export type { Grant } from './announce.js';
export type { LinkState } from './host.js';
export type { KeyText } from './keys.js';
export type { Link, NotifyOptions } from './link.js';
export type { DeadSection, LinkEvent, ResetReason, ShareOptions } from './options.js';
export type { RedisPort, Script, StreamEntry } from './port.js';
export { type Announcer, announceOnly, type SharedCache, type ShareKeysOptions, shareKeys, shareRanges } from './share.js';
export { RemoteOwner } from './side.js';
export type { LinkStats } from './stats.js';
