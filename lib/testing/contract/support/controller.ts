/**
 * An abort controller that knows how many listeners its signal has. No host but Node can be asked, so the two methods by
 * which listeners come and go are wrapped, on this one signal.
 */

type Arguments = Parameters<AbortSignal['addEventListener']>;

/** One listener that was attached and not detached. */
interface Attached {
  readonly listener: unknown;
  readonly capture: boolean;
  readonly once: boolean;
  /** Attached after the abort, it never fires, so `once` does not take it away. */
  readonly late: boolean;
  /** Detaches the listener when it fires. */
  readonly until: AbortSignal | undefined;
}

/** An AbortController whose listeners can be counted. */
export class WatchedController extends AbortController {
  #attached: Attached[] = [];

  constructor() {
    super();
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    const method = (value: (...args: Arguments) => void) => ({ value, configurable: true, writable: true });
    Object.defineProperties(signal, {
      addEventListener: method((...args) => {
        this.#note(args);
        add(...args);
      }),
      removeEventListener: method((...args) => {
        this.#forget(args);
        remove(...args);
      }),
    });
  }

  /** Abort listeners that are attached now. */
  get listeners(): number {
    this.#dropGone();
    return this.#attached.length;
  }

  #note([type, listener, options]: Arguments): void {
    this.#dropGone();
    if (type !== 'abort' || this.#find(listener, options) >= 0) return;
    const { once = false, signal: until } = typeof options === 'object' ? options : {};
    this.#attached.push({ listener, capture: isCapture(options), once, late: this.signal.aborted, until });
  }

  /** The host has detached these itself: they have fired, or were to stay only until another signal fires. */
  #dropGone(): void {
    const { aborted } = this.signal;
    this.#attached = this.#attached.filter(({ once, late, until }) => !(once && aborted && !late) && until?.aborted !== true);
  }

  #forget([type, listener, options]: Arguments): void {
    const at = type === 'abort' ? this.#find(listener, options) : -1;
    if (at >= 0) this.#attached.splice(at, 1);
  }

  /** A host tells listeners apart by function and phase. */
  #find(listener: unknown, options: Arguments[2]): number {
    return this.#attached.findIndex((one) => one.listener === listener && one.capture === isCapture(options));
  }
}

function isCapture(options: Arguments[2]): boolean {
  return typeof options === 'object' ? options.capture === true : options === true;
}

/** Node, which warns of more than ten listeners of one signal, lets hundreds of waits share this one. Elsewhere, does nothing. */
export function allowManyListeners(signal: AbortSignal): void {
  const { process } = globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } };
  const events = process?.getBuiltinModule?.('node:events') as { setMaxListeners(n: number, ...of: unknown[]): void } | undefined;
  events?.setMaxListeners(0, signal);
}
