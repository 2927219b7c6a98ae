/**
 * Watch: a lookup that runs again at the end of each change that hits it.
 *
 * A change that comes while the lookup runs makes it begin again by itself; so the end of a change has something to do only when no
 * lookup is running. The value is handed over in the turn of the check, as a commit: nobody can come in between.
 */
import type { DisposableHandle } from '../base/dispose.js';
import { check } from '../base/errors.js';
import { LeaveSignal } from '../base/leave-signal.js';
import { checkNames, names } from '../base/options.js';
import type { Ranges } from '../base/vocabulary.js';
import { type Fetch, type LookupOptions, RangeTracker } from '../tracker/index.js';

import type { KeyedFetch } from './fence-types.js';
import { KeyedFence } from './keyed-fence.js';
import { hits, type KeyScope } from './scope.js';

/** How something is watched. */
export interface WatchOptions extends Omit<LookupOptions<unknown>, 'commit' | 'timeoutMs'> {
  /** Told of an error of `load` or `onValue`; the next change tries again. Default: the host reports it as an uncaught exception. */
  onError?: ((error: unknown) => void) | undefined;
}

/** Something that is watched, until closed. */
export interface Watch extends DisposableHandle {
  /** True after `close()`, after the signal has fired, or after what is watched was closed. */
  readonly closed: boolean;
  /** No load and no `onValue` begins after this has returned. Idempotent. */
  close(): void;
}

const OPTIONS = /* @__PURE__ */ names('ignore label maxAttempts whenExhausted holdMs signal onError');

/**
 * Reads these keys now and at the end of each change of them, and hands each value to `onValue`, in the turn of the check: it is never
 * one that a change has overtaken. `load` may observe more; then a change of that counts while it runs, and not afterwards. Never rejects; throws
 * `InvalidArgumentError`. Costs a lookup for each change.
 */
export function watch<K, T>(
  fence: KeyedFence<K>,
  key: K | KeyScope<K>,
  load: KeyedFetch<K, T>,
  onValue: (value: T) => void,
  options?: WatchOptions,
): Watch;
/** The same for ranges of a tracker. */
export function watch<T>(
  tracker: RangeTracker,
  ranges: Ranges,
  load: Fetch<T>,
  onValue: (value: T) => void,
  options?: WatchOptions,
): Watch;
export function watch<K, T>(
  space: KeyedFence<K> | RangeTracker,
  what: K | KeyScope<K> | Ranges,
  load: KeyedFetch<K, T> | Fetch<T>,
  onValue: (value: T) => void,
  options: WatchOptions = {},
): Watch {
  const isSpace = space instanceof KeyedFence || space instanceof RangeTracker;
  check(isSpace, 'fence', space, 'a KeyedFence or a RangeTracker');
  check(typeof load === 'function', 'load', load, 'a function');
  check(typeof onValue === 'function', 'onValue', onValue, 'a function');
  checkNames(options, OPTIONS, 'watch');
  const { onError, signal, ...lookup } = options;
  check(onError === undefined || typeof onError === 'function', 'onError', onError, 'a function');
  check(signal === undefined || typeof signal?.addEventListener === 'function', 'signal', signal, 'an AbortSignal');
  const { ignore, label } = options;
  const watching = { ignore, label };
  const leaving = new LeaveSignal();
  /** A lookup runs that has not committed: it sees changes itself. */
  let isRunning = false;
  /** A change has ended since its last attempt began: of one that fails then, nobody sees it. */
  let isDue = false;
  const commit = (value: T): void => {
    isRunning = false; // and not when it resolves: a change may begin and end before that
    onValue(value);
  };
  const bounds = { ...lookup, signal: leaving as unknown as AbortSignal, commit };
  const loading = (attempt: never): T | PromiseLike<T> => {
    isDue = false;
    return load(attempt);
  };
  const fail = (error: unknown): void => {
    isRunning = false;
    if (leaving.aborted || space.closed) return;
    if (isDue) run();
    if (onError === undefined) throw error;
    onError(error);
  };
  const read = (): Promise<void> =>
    space instanceof KeyedFence
      ? space.lookup(what as K | KeyScope<K>, loading as KeyedFetch<K, T>, bounds)
      : space.lookup(what as Ranges, loading as Fetch<T>, bounds);
  const run = (): void => {
    isDue = true;
    if (isRunning || leaving.aborted) return;
    isRunning = true;
    read().catch(fail);
  };
  const subscription =
    space instanceof KeyedFence
      ? space.subscribe({ invalidate: () => {}, end: (change) => hits(change, what as K | KeyScope<K>) && run() }, watching)
      : space.subscribe(what as Ranges, { invalidate: () => {}, end: run }, watching);
  const close = (): void => {
    signal?.removeEventListener('abort', close);
    subscription.close();
    leaving.fire(undefined);
  };
  signal?.addEventListener('abort', close, { once: true });
  if (signal?.aborted === true) close();
  run();
  const handle = {
    get closed() {
      return subscription.closed;
    },
    close,
    [Symbol.dispose]: close,
  };
  return handle;
}
