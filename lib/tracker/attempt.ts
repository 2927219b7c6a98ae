/**
 * Attempt: one call of a lookup's fetch, and all it has read.
 *
 * One is made for every lookup, so its fields are few, and `private` instead of `#private`: the engine defines native private
 * fields one by one. What most attempts never need (a signal, what was observed) lies in an object of its own.
 */

import { type ClosedError, CollisionError, CommitError } from '../base/errors.js';
import { type Spans, toSpans, unite } from '../base/range.js';
import { isThenable } from '../base/thenable.js';
import type { Collision, Ignore, Ranges, Seq } from '../base/vocabulary.js';
import type { InFlight } from './answers.js';
import type { Attempt, LookupOptions } from './options.js';
import type { Hold, Holder } from './parties.js';
import { deleteSpans, type Handles, insertSpans } from './register.js';
import { FINE, HIT, type Space, UNKNOWN } from './space.js';

/** What a lookup wants to know of the subscription through which it was asked. */
export interface Through {
  readonly closed: boolean;
  readonly label: string | undefined;
  readonly ignore: Ignore | undefined;
  closedError(): ClosedError;
}

/** What a lookup ignores: what its own options say, or else the subscription's. */
export function ignoreOf(options: LookupOptions<never, unknown> | undefined, through: Through | undefined): Ignore | undefined {
  return options?.ignore ?? through?.ignore;
}

/** The end of an attempt whose value was installed: its signal never fires. */
export const COMMITTED = { error: undefined } as const;

type AttemptEnd = { readonly collision: Collision } | { readonly error: unknown };

/** What an attempt has once it observes, or has been asked for its signal. */
interface Extra {
  /** What was observed beyond the lookup's own ranges. */
  observed: Spans | undefined;
  /** What it observed while it held had not been hit before that moment; from then on, it holds that, too. */
  wasFine: boolean;
  controller: AbortController | undefined;
  /** Registered as in flight exactly while this is set. */
  handles: Handles[] | undefined;
  /** What the link was told that it wants to hear of. */
  heard: Spans[] | undefined;
}

/** The object behind {@link Attempt}. */
export abstract class ReadAttempt implements Attempt, InFlight {
  /** The token: moved by {@link ReadAttempt.restart} alone, before anything is read. */
  seq: Seq;
  readonly space: Space;
  /** The ranges given to the lookup. */
  readonly base: Spans;
  private extra: Extra | undefined = undefined;
  /** How it ended, once it is over; kept for a signal that is asked for too late. */
  private end: AttemptEnd | undefined = undefined;

  /** Takes the token: constructed before anything is read. */
  constructor(space: Space, base: Spans) {
    this.space = space;
    this.base = base;
    this.seq = space.seq;
  }

  abstract readonly number: number;
  abstract readonly ignore: Ignore | undefined;
  /** Whose hold covers it, if there is one. */
  abstract readonly holder: Holder;

  get isOver(): boolean {
    return this.end !== undefined;
  }

  get observed(): Spans | undefined {
    return this.extra?.observed;
  }

  get signal(): AbortSignal {
    this.extra ??= newExtra();
    const { extra } = this;
    if (extra.controller === undefined) {
      this.space.link?.sync();
      extra.controller = new AbortController();
      if (this.end !== undefined) this.fire();
      else if (this.collides()) extra.controller.abort(new CollisionError(this.collision()));
      else {
        this.register(this.base);
        if (extra.observed !== undefined) this.register(extra.observed);
      }
    }
    return extra.controller.signal;
  }

  observe(ranges: Ranges): void {
    const spans = toSpans(ranges);
    if (this.end !== undefined) return;
    this.extra ??= newExtra();
    const { extra, holder } = this;
    extra.observed = extra.observed === undefined ? spans : unite(extra.observed, spans);
    if (holder.hold !== undefined) {
      this.space.gate.extend(holder, spans);
      extra.wasFine &&= this.space.check(spans, this.seq, this.ignore) === FINE;
    }
    if (extra.controller === undefined || extra.controller.signal.aborted) return;
    if (this.collides()) extra.controller.abort(new CollisionError(this.collision()));
    else this.register(spans);
  }

  /** Takes a new token: it has waited, and has read nothing. */
  restart(): void {
    this.seq = this.space.seq;
  }

  /** The check: over everything that was read, at this moment. What is forgotten counts as a hit, unless a hold vouches for it. */
  collides(): boolean {
    const { space, ignore, seq, extra } = this;
    const verdict = space.check(this.base, seq, ignore);
    if (verdict === HIT || (verdict === UNKNOWN && !isGuarded(this.holder))) return true;
    if (extra?.observed === undefined) return false;
    const seen = space.check(extra.observed, seq, ignore);
    return seen === HIT || (seen === UNKNOWN && !(isGuarded(this.holder) && extra.wasFine));
  }

  /** The reason for {@link collides}. A filter that changes its mind in between leaves no more to say than "ended". */
  collision(): Collision {
    const { seq, ignore } = this;
    const inBase = this.space.collision(this.base, seq, ignore);
    return inBase ?? this.space.collision(this.observed ?? [], seq, ignore) ?? { reason: 'ended' };
  }

  hit(): void {
    this.extra!.controller!.abort(this.space.closed ? this.space.closedError() : new CollisionError(this.collision()));
  }

  /** Over. Nothing stays registered. */
  finish(end: AttemptEnd): void {
    this.end = end;
    const { extra } = this;
    if (extra?.controller === undefined) return;
    for (const handles of extra.handles ?? []) deleteSpans(this.space.inFlight, handles);
    if (this.space.link !== undefined) for (const spans of extra.heard ?? []) this.space.link.hears(spans, -1);
    extra.handles = extra.heard = undefined;
    this.fire();
  }

  private fire(): void {
    const end = this.end!;
    if (end !== COMMITTED) this.extra!.controller!.abort('collision' in end ? new CollisionError(end.collision) : end.error);
  }

  private register(spans: Spans): void {
    const extra = this.extra!;
    extra.handles ??= [];
    extra.handles.push(insertSpans(this.space.inFlight, spans, this));
    if (this.space.link === undefined) return;
    extra.heard ??= [];
    extra.heard.push(spans);
    this.space.link.hears(spans, 1);
  }
}

function newExtra(): Extra {
  return { observed: undefined, wasFine: true, controller: undefined, handles: undefined, heard: undefined };
}

/** True if nothing can have begun over what it holds since its hold was admitted, which was before its token. */
function isGuarded({ hold, extensions }: { readonly hold: Hold | undefined; readonly extensions: Hold[] | undefined }): boolean {
  return hold?.admitted === true && !hold.crossed && (extensions?.every(({ crossed }) => !crossed) ?? true);
}

/** One attempt of a lookup that keeps its state itself (lookup.ts). */
export class LookupAttempt extends ReadAttempt {
  readonly number: number;
  readonly holder: Holder;

  constructor(space: Space, holder: Holder, base: Spans, number: number) {
    super(space, base);
    this.holder = holder;
    this.number = number;
  }

  get ignore(): Ignore | undefined {
    return this.holder.ignore;
  }
}

/** What `commit` has installed. Throws what it throws, or `CommitError`. */
export function committed<T, R>(commit: (value: T) => R, value: T): R {
  const result = commit(value);
  if (isThenable(result)) {
    Promise.resolve(result).catch(ignoreCall); // the caller gets CommitError; its rejection would come on top, unhandled
    throw new CommitError();
  }
  return result;
}

function ignoreCall(): void {}
