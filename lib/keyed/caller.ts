/**
 * Caller: one call that waits for a flight, and what it is told of itself meanwhile.
 */
import type { Activity } from '../base/activity.js';
import type { Cancellation } from '../base/cancel.js';
import type { CallContext } from '../base/context.js';

import type { Request } from './slot.js';

/** See the top of the file. */
export interface Caller<K> {
  readonly request: Request<K>;
  /** What is done for this caller runs in its context. */
  readonly context: CallContext;
  /** The activity that it is a part of. */
  readonly inside: Activity | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  cancellation: Cancellation | undefined;
  /** It has got the last value. It stays, so that the load goes on; its status is not touched any more. */
  isServed: boolean;
}

/** A change has overtaken what these callers wait for. */
export function noteRetry<K>(callers: readonly Caller<K>[]): void {
  for (const { request, isServed } of callers) {
    if (!isServed && request.status !== undefined) request.status.retried = (request.status.retried ?? 0) + 1;
  }
}

/** These callers wait for a change. */
export function noteWait<K>(callers: readonly Caller<K>[]): void {
  for (const { request, isServed } of callers) if (!isServed && request.status !== undefined) request.status.waited = true;
}

/** Those who would rather have the last value than wait get it. Returns how many. */
export function serveLast<K>(callers: readonly Caller<K>[]): number {
  let count = 0;
  for (const caller of callers) {
    const { last, status } = caller.request;
    if (last === undefined || last === null || caller.isServed) continue;
    caller.isServed = true;
    caller.cancellation?.clear();
    status!.stale = true;
    caller.resolve(last.value);
    count++;
  }
  return count;
}
