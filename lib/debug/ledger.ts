/**
 * Ledger: the sections of one tracker that have begun and not ended.
 *
 * A tracker keeps its active sections alive, so the owner is given a handle that is an object of its own (`given` of the
 * observer). When that is collected, nobody can end the section any more; nor when the tracker is. For the time before that,
 * the open ones can be listed, with their age and whether the context that began them is over.
 */
import { checkNames, type Names, names } from '../base/options.js';

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
  /**
   * True if that context is over (it has forgotten the section, or handed it to somebody without saying so), or if nobody holds
   * the section any more.
   */
  readonly abandoned: boolean;
}

/** Which open sections are asked for. */
export interface LeaksOptions {
  /** Only those that have been open for at least so many milliseconds; default 0. */
  readonly olderThanMs?: number | undefined;
}

const LEAKS_OPTIONS: Names = /* @__PURE__ */ names('olderThanMs');

/** The open sections as users see them. */
export function openSections(ledgers: Iterable<Ledger>, now: number, options: LeaksOptions): OpenSection[] {
  checkNames(options, LEAKS_OPTIONS, 'leaks');
  const { olderThanMs = 0 } = options;
  const found: OpenSection[] = [];
  for (const { open } of ledgers) {
    for (const { name, trace, since, context, dropped } of open) {
      const forMs = now - since;
      if (forMs < olderThanMs) continue;
      const abandoned = dropped || context?.over === true;
      found.push({ section: name, beganAt: trace.text, forMs, obliged: context?.label, abandoned });
    }
  }
  return found;
}

/** One for all checkers: one that belonged to a checker would go with it, before it could say anything. */
let registry: FinalizationRegistry<() => void> | undefined;

/** Calls back when the object has been collected, unless it is forgotten by its token. Nothing that these reach may reach it. */
export function watchCollected(object: object, collected: () => void, token?: object): void {
  registry ??= new FinalizationRegistry((call) => call());
  registry.register(object, collected, token);
}

/** Not called back any more. What is over is forgotten at once: a registry with thousands of entries costs each collection. */
export function forgetCollected(token: object): void {
  registry?.unregister(token);
}
