/**
 * `node:events` in a browser, which tells nobody who listens to a signal: the `abort` listeners that are attached to it now,
 * counted as they come and go. Loaded before anything else, so that no listener is older than the count.
 */

type Add = EventTarget['addEventListener'];
type Remove = EventTarget['removeEventListener'];
type Listener = NonNullable<Parameters<Add>[1]>;

const attached = new WeakMap<EventTarget, Set<Listener>>();
const { addEventListener, removeEventListener } = EventTarget.prototype;

/** The listeners that are attached to the signal now. */
export function getEventListeners(signal: AbortSignal, type: string): readonly Listener[] {
  if (type !== 'abort') throw new TypeError(`${type} listeners are not counted; expected abort`);
  return [...(attached.get(signal) ?? [])];
}

/** Before the browser adds it, so that one with `once` is gone from the set when it is called, as with Node. */
function note(signal: AbortSignal, listener: Listener, options: Parameters<Add>[2]): void {
  const { once = false, signal: until } = typeof options === 'object' ? options : {};
  if (until !== undefined) throw new TypeError('an abort listener that another signal removes is not counted');
  const listeners = attached.get(signal) ?? new Set();
  attached.set(signal, listeners.add(listener));
  if (once) addEventListener.call(signal, 'abort', () => void listeners.delete(listener), { once: true });
}

const added: Add = function (this: EventTarget, ...[type, listener, options]: Parameters<Add>) {
  if (this instanceof AbortSignal && type === 'abort' && listener !== null) note(this, listener, options);
  addEventListener.call(this, type, listener, options);
};

const removed: Remove = function (this: EventTarget, ...[type, listener, options]: Parameters<Remove>) {
  if (type === 'abort' && listener !== null) attached.get(this)?.delete(listener);
  removeEventListener.call(this, type, listener, options);
};

Object.assign(EventTarget.prototype, { addEventListener: added, removeEventListener: removed });
