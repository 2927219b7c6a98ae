/**
 * Ledger: the sections of one tracker that have begun and not ended.
 *
 * A tracker keeps its active sections alive, so a handle that is dropped shows nothing as long as the tracker lives. What
 * can be seen for certain is a tracker that is collected while sections of it are open: nobody can end them any more. For
 * the time before that, the open ones can be listed, with their age and whether the context that began them is over.
 */
import type { Ledger } from './parties.js';

/** A section that has begun and not ended. */
export interface OpenSection {
  /** The section, with its tracker and ranges, for people. */
  readonly section: string;
  /** The stack at which it began. */
  readonly beganAt: string;
  /** Milliseconds since then. */
  readonly forMs: number;
  /** The context that must end it, if one is known. */
  readonly obliged: string | undefined;
  /** True if that context is over: it has forgotten the section, or handed it to somebody without saying so. */
  readonly abandoned: boolean;
}

/** Which open sections are asked for. */
export interface LeaksOptions {
  /** Only those that have been open for at least so many milliseconds; default 0. */
  readonly olderThanMs?: number | undefined;
}

/** The open sections as users see them. */
export function openSections(ledgers: Iterable<Ledger>, now: number, { olderThanMs = 0 }: LeaksOptions): OpenSection[] {
  const found: OpenSection[] = [];
  for (const { open } of ledgers) {
    for (const { name, trace, since, context } of open) {
      const forMs = now - since;
      if (forMs < olderThanMs) continue;
      const abandoned = context?.over === true;
      found.push({ section: name, beganAt: trace.text, forMs, obliged: context?.label, abandoned });
    }
  }
  return found;
}

interface Watched {
  readonly ledger: Ledger;
  readonly collected: (ledger: Ledger) => void;
}

/** One for all checkers: one that belonged to a checker would go with it, before it could say anything. */
let registry: FinalizationRegistry<Watched> | undefined;

/** Calls back when the tracker has been collected. Nothing that `collected` reaches may reach the tracker. */
export function watchCollected(tracker: object, ledger: Ledger, collected: (ledger: Ledger) => void): void {
  registry ??= new FinalizationRegistry((watched) => watched.collected(watched.ledger));
  registry.register(tracker, { ledger, collected });
}
