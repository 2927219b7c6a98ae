/**
 * Graph: who waits for whom, and who must end what is waited for.
 *
 * Algorithm note
 *
 * Every wait has an explicit set of parties that must end it [1]:
 *
 *   a queued begin            ends its wait when the holding lookup does
 *   a section that begins     needs every subscriber's callback that has asked for time
 *   a section that has begun  needs the context that must end it: the change of a `mutate`, otherwise the context that was
 *                             declared around the begin; nobody, if there is none or it is over
 *   a load that is shared     needs the context of the function that loads
 *   a lookup that waits to    needs what it waits for itself (one that has its turn gives it up after `holdMs`, whatever
 *   hold                      happens: nothing to follow there)
 *
 * A context goes on only if nothing it waits for, nor anything that those started in it wait for, stands. A wait W closes
 * a cycle if, from what it waits for, one comes along these arrows to a context that W itself keeps from going on.
 * Arrows through a hold are bounded by `holdMs`: such a cycle ends, with a lookup that fails or gets in line again; it is a warning.
 *
 * [1] Linux, Documentation/locking/crossrelease.rst (2017), since withdrawn: it had to guess who would complete a wait.
 */

import type { LockOrderKind, LockOrderStep } from './errors.js';
import { type Context, LoadRecord, type Party, ReaderRecord, SectionRecord, type Wait } from './parties.js';

/** A cycle of waits: each waits for what the next one's context must end. */
export interface Cycle {
  readonly kind: LockOrderKind;
  readonly severity: 'error' | 'warning';
  readonly waits: readonly Wait[];
  readonly steps: readonly LockOrderStep[];
}

interface Arrow {
  readonly wait: Wait;
  /** Through whom the blocker depends on the next wait; `undefined` if it waits itself. */
  readonly obliged: Context | undefined;
}

/** The cycle that this wait closes, if any. O(waits that stand in contexts that depend on each other). */
export function cycleOf(start: Wait): Cycle | undefined {
  const { context } = start.waiter;
  if (context === undefined || context.over) return undefined;
  const path = search(start, context, new Set());
  return path === undefined ? undefined : describeCycle(path);
}

/** Depth first, each blocker once. */
function search(wait: Wait, goal: Context, seen: Set<Party>): Arrow[] | undefined {
  const { blocker } = wait;
  if (seen.has(blocker)) return undefined;
  seen.add(blocker);
  for (const obliged of obligedBy(blocker)) {
    if (goal.isInside(obliged)) return [{ wait, obliged }];
    for (const next of obliged.blocking()) {
      const rest = search(next, goal, seen);
      if (rest !== undefined) return [{ wait, obliged }, ...rest];
    }
  }
  if (blocker.wait === undefined) return undefined;
  const rest = search(blocker.wait, goal, seen);
  return rest === undefined ? undefined : [{ wait, obliged: undefined }, ...rest];
}

/** The contexts that must go on for this one to end: all of them must. */
function obligedBy(party: Party): Iterable<Context> {
  if (party instanceof LoadRecord) return party.context === undefined || party.context.over ? [] : [party.context];
  if (!(party instanceof SectionRecord)) return [];
  if (party.state === 'beginning') return [...(party.callbacks ?? [])].filter(({ over }) => !over);
  const { context } = party;
  return party.state === 'begun' && context !== undefined && !context.over ? [context] : [];
}

function describeCycle(path: readonly Arrow[]): Cycle {
  const [{ wait, obliged }] = path as [Arrow];
  const isCallback = wait.blocker instanceof SectionRecord && obliged !== undefined && wait.blocker.callbacks?.has(obliged);
  const alone: LockOrderKind = isCallback === true ? 'callback-wait' : 'self-wait';
  const isBounded = path.some((arrow) => arrow.wait.blocker instanceof ReaderRecord);
  return {
    kind: path.length > 1 ? 'cycle' : alone,
    severity: isBounded ? 'warning' : 'error',
    waits: path.map((arrow) => arrow.wait),
    steps: path.map((arrow) => ({
      waiter: arrow.wait.waiter.name,
      waitedAt: arrow.wait.waiter.trace.text,
      blocker: arrow.wait.blocker.name,
      beganAt: arrow.wait.blocker.trace.text,
      obliged: arrow.obliged?.label,
    })),
  };
}

/** For people. */
export function summaryOf({ steps, severity }: Cycle): string {
  const links = steps.map(({ waiter, blocker, obliged }) => {
    return `${waiter} waits for the ${blocker}${obliged === undefined ? '' : `, which needs ${obliged} to go on`}`;
  });
  const ends = severity === 'warning' ? '; only holdMs will end it: say `within` for a section inside another' : '';
  return `${links.join('; ')}, which waits for this${ends}`;
}
