/**
 * The tracker's promise across worker threads, over memory that they share.
 *
 * Each thread keeps its own space (lib/tracker), and replays into it what the others begin and end. words.ts says what is in the memory.
 *
 * The way of a begin: the space enters it and asks link.ts, which has log.ts publish it, and waits.ts look at those who commit over it
 * and at those who ask to be told; bell.ts rings them. In each other thread, follow.ts reads the event, or, too far behind, table.ts
 * what is open; replicas.ts enters it, tells the subscribers, and has it confirmed.
 * The way of a check: the space asks link.ts to open its commit slot and to replay what is new; then it looks at itself alone.
 *
 * shared-space.ts is the hub: places (handle.ts), and recover.ts for those who have died. stripes.ts and texts.ts are what words stand
 * for; a full space says so by errors.ts.
 *
 * Not to be touched: that each word has one writer; that an event is published before anybody is looked at; that the bell's value is
 * taken before the look; that an acknowledgement only goes forward.
 *
 * @packageDocumentation
 */
import { check } from '../base/errors.js';
import { fillInLinks } from '../base/links.js';
import type { Linked, Space, SpaceLink } from '../tracker/internal.js';
import type { Port, ThreadHandle } from './handle.js';
import { Link } from './link.js';

/** Ports of handles that have a tracker. */
const used: WeakSet<Port> = new WeakSet();

fillInLinks((given, linked: Linked<Space>): SpaceLink => {
  const handle = given as ThreadHandle;
  check(!used.has(handle.port), 'space', handle, 'a handle that no other tracker was made with');
  used.add(handle.port);
  const link = new Link(handle, linked);
  link.join();
  return link;
});

export { CapacityError } from './errors.js';
export type { Port, ThreadHandle } from './handle.js';
export { type DeadThread, SharedSpace, type SharedSpaceOptions, type SharedSpaceStats } from './shared-space.js';
export { ThreadOwner } from './texts.js';
export type { Shape } from './words.js';
