/**
 * Load: one run of a query's function, from TanStack's call of its persister to a value that no change has overtaken.
 *
 * Algorithm note
 *
 *     a lookup of the query's key:                    (waits for active changes of it; maxWaitMs at most)
 *         value = queryFn(context)
 *         told of a change of the key: given up       (at once; the next attempt waits for the end of the change)
 *         collides ? again
 *     landed                                          (TanStack stores it some microtasks later: see flights.ts)
 *
 * It retries and never holds: a hold would delay the change that is announced after the fact, and with it whoever waits for it.
 *
 * A function that writes to its own query while it runs (`streamedQuery`) is known by the key in its context, which is a copy that
 * nobody else has. What an attempt has written is taken back before the next one, and what it writes once it is overtaken counts
 * for nothing: otherwise chunks would be there twice.
 *
 * The signal in the context stays a getter: reading it tells TanStack that the load can be aborted, and then every unmount does.
 */
import { CancelledError, type Query, type QueryFunctionContext, type QueryKey, type QueryState } from '@tanstack/query-core';

import { CollisionError } from '../../base/errors.js';
import { LeaveSignal } from '../../base/leave-signal.js';
import { assimilate } from '../../base/thenable.js';
import type { KeyedAttempt, KeyedChange, KeyedFence } from '../../keyed/index.js';

/** What loads share. */
export interface Loading {
  readonly fence: KeyedFence<QueryKey>;
  readonly maxWaitMs: number;
}

/** What the load reads with: the query's function, or a persister around it. */
export type Read = (context: QueryFunctionContext) => unknown;

/** Attempts by the copies of the key that their functions got. */
const attempts: WeakMap<QueryKey, LoadAttempt> = new WeakMap();

/** The attempt whose function has this very key, if there is one. */
export function attemptOf(queryKey: QueryKey): LoadAttempt | undefined {
  return attempts.get(queryKey);
}

/** The reason with which a lookup ends that has waited too long. */
const WAITED = Symbol('waited');

/** One call of the query's function. */
export class LoadAttempt {
  /** A change has hit it. */
  overtaken = false;
  /** Its function has written to its own query. */
  wrote = false;
  /** The query's state when it began. */
  readonly before: QueryState;
  private reason: unknown = undefined;
  private controller: AbortController | undefined = undefined;
  private reject: (error: unknown) => void = ignore;

  constructor(query: Query) {
    this.before = query.state;
  }

  /** TanStack's context with a key of its own, and signals that fire when the attempt is overtaken, too. */
  contextOf(context: QueryFunctionContext): QueryFunctionContext {
    if (!Array.isArray(context.queryKey)) return context; // TanStack complains of that, and goes on
    const queryKey = [...context.queryKey];
    attempts.set(queryKey, this);
    const attempt = this;
    // One literal, for it is made for every load; and what it does not name, by name.
    const own: Record<PropertyKey, unknown> = {
      client: context.client,
      queryKey,
      meta: context.meta,
      get signal() {
        return attempt.signal(context.signal);
      },
    };
    for (const name in context) if (!(name in own)) own[name] = context[name as keyof QueryFunctionContext];
    // Streams look at the signal under a name of TanStack's own.
    for (const name of Object.getOwnPropertySymbols(context)) {
      const value = Reflect.get(context, name);
      const get = () => (value instanceof AbortSignal ? this.signal(value) : value);
      Object.defineProperty(own, name, { get, enumerable: true });
    }
    return own as unknown as QueryFunctionContext;
  }

  private signal(theirs: AbortSignal): AbortSignal {
    if (typeof AbortSignal.any !== 'function') return theirs;
    this.controller ??= new AbortController();
    if (this.overtaken) this.controller.abort(this.reason);
    return AbortSignal.any([theirs, this.controller.signal]);
  }

  /** What was returned, or a promise that rejects when the attempt is overtaken. */
  unlessOvertaken(returned: unknown, failed: () => void): unknown {
    const late = assimilate(returned);
    if (late === undefined) return returned;
    return new Promise((resolve, reject) => {
      this.reject = reject;
      late.then(resolve, (error) => {
        if (!this.overtaken) failed();
        reject(error);
      });
    });
  }

  /** Nobody waits for it any more. */
  overtake(reason: unknown): void {
    if (this.overtaken) return;
    this.overtaken = true;
    this.reason = reason;
    this.reject(reason);
    this.controller?.abort(reason);
  }
}

/** See the top of the file. */
export class Load {
  /** True while an attempt is running that no change has overtaken: a change that comes makes it run again. */
  reading = false;
  /** Its value or its error is known, and TanStack's to handle. */
  isOver = false;
  /** An older fetch of the same query has landed in it. */
  isMixed = false;
  /** It has waited too long, and reads without the fence: what it returns is not to be relied on. */
  isUnfenced = false;
  private readonly loading: Loading;
  private readonly query: Query;
  private readonly read: Read;
  private readonly context: QueryFunctionContext;
  private readonly leaving: LeaveSignal = new LeaveSignal();
  private attempt: LoadAttempt | undefined = undefined;
  private timer: unknown = undefined;

  constructor(loading: Loading, query: Query, read: Read, context: QueryFunctionContext) {
    this.loading = loading;
    this.query = query;
    this.read = read;
    this.context = context;
  }

  /** Runs the first attempt at once if no change of the key is active. Resolves with what TanStack is to store. */
  start(): Promise<unknown> {
    const { fence } = this.loading;
    const result = fence.lookup(this.query.queryKey, (attempt) => this.run(attempt), {
      maxAttempts: Number.POSITIVE_INFINITY,
      signal: this.leaving as unknown as AbortSignal,
      commit: (value) => {
        this.reading = false;
        this.isOver = true;
        return value;
      },
    });
    if (this.attempt === undefined) this.wait();
    return result.catch((error) => {
      this.proceed();
      this.isOver = true;
      if (error !== WAITED) throw error;
      this.isUnfenced = true;
      return this.begin();
    });
  }

  /** Its function has written to its own query. */
  get hasWritten(): boolean {
    return this.attempt?.wrote === true;
  }

  private run(attempt: KeyedAttempt<QueryKey>): unknown {
    this.proceed();
    // It was hit, and nobody has said so: too many changes have come since.
    if (attempt.number > 1) this.attempt?.overtake(undefined);
    this.reading = true;
    return this.begin();
  }

  private begin(): unknown {
    const { query, attempt: last } = this;
    if (last?.wrote === true) {
      const { fetchStatus, isInvalidated } = query.state;
      query.setState({ ...last.before, fetchStatus, isInvalidated });
    }
    const attempt = new LoadAttempt(query);
    this.attempt = attempt;
    const failed = () => {
      this.reading = false;
    };
    try {
      return attempt.unlessOvertaken(this.read(attempt.contextOf(this.context)), failed);
    } catch (error) {
      failed();
      throw error;
    }
  }

  /** A change of the key begins. */
  overtaken({ kind, label, beginSeq: seq }: KeyedChange<QueryKey>): void {
    if (!this.reading) return;
    this.reading = false;
    this.wait();
    this.attempt!.overtake(new CollisionError({ reason: 'active', kind, seq, ...(label === undefined ? {} : { label }) }));
  }

  /** Nobody wants it any more: TanStack has begun another fetch, or given this one up. */
  stop(): void {
    if (this.isOver) return;
    this.proceed();
    this.reading = false;
    const reason = new CancelledError({ silent: true });
    this.leaving.fire(reason);
    this.attempt?.overtake(reason); // what it writes would mix with what the next one does
    this.isOver = true;
  }

  private wait(): void {
    const { fence, maxWaitMs } = this.loading;
    if (maxWaitMs === Number.POSITIVE_INFINITY || this.timer !== undefined) return;
    this.timer = fence.clock.setTimeout(() => {
      this.timer = undefined;
      this.leaving.fire(WAITED);
    }, maxWaitMs);
  }

  private proceed(): void {
    if (this.timer !== undefined) this.loading.fence.clock.clearTimeout(this.timer);
    this.timer = undefined;
  }
}

function ignore(): void {}
