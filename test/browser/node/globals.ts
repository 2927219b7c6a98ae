/**
 * Globals of Node that tests use, made of what a browser has. They are imported into the tests that name them, and are no
 * globals here: what is tested must do without.
 */

type Uncaught = (error: unknown) => void;

/** What a browser sends for an error that nobody has caught, and for a promise that nobody listens to. */
interface UncaughtEvent extends Event {
  readonly error?: unknown;
  readonly reason?: unknown;
}

/** A task of its own, after the microtasks of this one. */
export function setImmediate(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  const arrive = (): void => {
    port1.close();
    callback();
  };
  Object.assign(port1, { onmessage: arrive });
  port2.postMessage(undefined);
}

const handlers = new Set<Uncaught>();

/** Takes an uncaught error away from the test runner, as a handler of `uncaughtException` takes it away from Node. */
function take(event: UncaughtEvent): void {
  if (handlers.size === 0) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  for (const handler of handlers) handler(event.type === 'error' ? event.error : event.reason);
}

const page = globalThis as unknown as EventTarget;
page.addEventListener('error', take, { capture: true });
page.addEventListener('unhandledrejection', take, { capture: true });

export const process = {
  env: {} as Record<string, string | undefined>,
  listeners: (_event: 'uncaughtException'): Uncaught[] => [...handlers],
  on: (_event: 'uncaughtException', handler: Uncaught): void => void handlers.add(handler),
  removeAllListeners: (_event: 'uncaughtException'): void => handlers.clear(),
};

export const Buffer = {
  concat(parts: readonly Uint8Array[]): Uint8Array {
    const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  },
  /** 0 if both have the same bytes, as with Node; which of two different ones is the greater one nobody asks. */
  compare(one: Uint8Array, other: Uint8Array): number {
    if (one.length !== other.length) return 1;
    for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return 1;
    return 0;
  },
};
