/**
 * Attempt: one call of a lookup's fetch, and all it has read.
 */

import { CollisionError } from '../base/errors.js';
import { type Spans, toSpans, unite } from '../base/range.js';
import type { Collision, Ignore, Ranges, Seq } from '../base/vocabulary.js';
import type { Attempt } from './options.js';
import type { Reader } from './parties.js';
import { deleteSpans, type Handles, insertSpans } from './register.js';
import { FINE, HIT, type InFlight, type Space, UNKNOWN } from './space.js';

/** The end of an attempt whose value was installed: its signal never fires. */
export const COMMITTED = { error: undefined } as const;

type AttemptEnd = { readonly collision: Collision } | { readonly error: unknown };

/** The object behind {@link Attempt}. Registered as in flight exactly while `handles` is set. */
export class LookupAttempt implements Attempt, InFlight {
  readonly number: number;
  readonly seq: Seq;
  /** What was observed beyond the lookup's own ranges. */
  observed: Spans | undefined = undefined;
  /** What it observed while it held had not been hit before that moment; from then on, it holds that, too. */
  private wasFine = true;
  private readonly space: Space;
  private readonly reader: Reader;
  private readonly base: Spans;
  private controller: AbortController | undefined = undefined;
  private handles: Handles[] | undefined = undefined;
  /** How it ended, once it is over; kept for a signal that is asked for too late. */
  private end: AttemptEnd | undefined = undefined;

  /** Takes the token: constructed before anything is read. `base` are the ranges given to the lookup. */
  constructor(space: Space, reader: Reader, base: Spans, number: number) {
    this.space = space;
    this.reader = reader;
    this.base = base;
    this.number = number;
    this.seq = space.seq;
  }

  get ignore(): Ignore | undefined {
    return this.reader.ignore;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.end !== undefined) this.fire();
      else if (this.collides()) this.controller.abort(new CollisionError(this.collision()));
      else {
        this.register(this.base);
        if (this.observed !== undefined) this.register(this.observed);
      }
    }
    return this.controller.signal;
  }

  observe(ranges: Ranges): void {
    const spans = toSpans(ranges);
    if (this.end !== undefined) return;
    this.observed = this.observed === undefined ? spans : unite(this.observed, spans);
    if (this.reader.hold !== undefined) {
      this.space.gate.extend(this.reader, spans);
      this.wasFine &&= this.space.check(spans, this.seq, this.ignore) === FINE;
    }
    if (this.controller === undefined || this.controller.signal.aborted) return;
    if (this.collides()) this.controller.abort(new CollisionError(this.collision()));
    else this.register(spans);
  }

  /** The check: over everything that was read, at this moment. What is forgotten counts as a hit, unless a hold vouches for it. */
  collides(): boolean {
    const { space, ignore, seq, observed } = this;
    const verdict = space.check(this.base, seq, ignore);
    if (verdict === HIT || (verdict === UNKNOWN && !this.isGuarded)) return true;
    if (observed === undefined) return false;
    const seen = space.check(observed, seq, ignore);
    return seen === HIT || (seen === UNKNOWN && !(this.isGuarded && this.wasFine));
  }

  /** True if nothing can have begun over what it holds since its hold was admitted, which was before its token. */
  private get isGuarded(): boolean {
    const { hold, extensions } = this.reader;
    return hold?.admitted === true && !hold.crossed && (extensions?.every(({ crossed }) => !crossed) ?? true);
  }

  /** The reason for {@link collides}. A filter that changes its mind in between leaves no more to say than "ended". */
  collision(): Collision {
    const { seq, ignore } = this;
    const inBase = this.space.collision(this.base, seq, ignore);
    return inBase ?? this.space.collision(this.observed ?? [], seq, ignore) ?? { reason: 'ended' };
  }

  hit(): void {
    this.controller!.abort(this.space.closed ? this.space.closedError() : new CollisionError(this.collision()));
  }

  /** Over. Nothing stays registered. */
  finish(end: AttemptEnd): void {
    this.end = end;
    if (this.controller === undefined) return;
    for (const handles of this.handles ?? []) deleteSpans(this.space.inFlight, handles);
    this.handles = undefined;
    this.fire();
  }

  private fire(): void {
    const end = this.end!;
    if (end !== COMMITTED) this.controller!.abort('collision' in end ? new CollisionError(end.collision) : end.error);
  }

  private register(spans: Spans): void {
    this.handles ??= [];
    this.handles.push(insertSpans(this.space.inFlight, spans, this));
  }
}
