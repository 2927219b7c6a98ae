/**
 * Bounded: several steps under one signal and one time limit.
 */
import { type CancelOptions, cancelOn, checkCancel } from '../base/cancel.js';
import type { Clock } from '../base/clock.js';

/**
 * What `work` resolves with, unless the caller's signal or time limit comes first: then it rejects with that reason at once,
 * and the signal that `work` has got fires with it. Leaves no listener and no timer.
 */
export function bounded<T>(
  clock: Clock,
  options: CancelOptions | undefined,
  what: string,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (options?.signal === undefined && options?.timeoutMs === undefined) return work(undefined);
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    checkCancel(options);
    const cancellation = cancelOn(clock, options, what, (error) => {
      reject(error);
      controller.abort(error);
    });
    work(controller.signal)
      .then(resolve, reject)
      .finally(() => cancellation?.clear());
  });
}

/** Resolves after so many milliseconds; rejects with the signal's reason if that comes first. Leaves nothing. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = clock.setTimeout(() => {
      cancellation?.clear();
      resolve();
    }, ms);
    const cancellation = cancelOn(clock, { signal }, 'pause', (error) => {
      clock.clearTimeout(timer);
      reject(error);
    });
  });
}
