/**
 * The other side of thread.ts: what runs in the worker. It runs functions that come as text, each with what it needs as its argument.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { RangeTracker } from '../../../lib/index.js';
import { type ThreadHandle, ThreadOwner } from '../../../lib/threads/index.js';

/** What a function that runs in the worker is given. */
export interface Inside {
  readonly tracker: RangeTracker;
  /** What was transferred with it: words that all sides see. */
  readonly shared: Int32Array;
  /** For what a later function needs. */
  readonly kept: Record<string, unknown>;
  readonly ThreadOwner: typeof ThreadOwner;
  readonly RangeTracker: typeof RangeTracker;
  /** Sends something that is not an answer. */
  say(what: unknown): void;
}

const { handle, shared, label } = workerData as { handle: ThreadHandle; shared: SharedArrayBuffer; label: string };

const inside: Inside = {
  tracker: new RangeTracker({ label, space: handle }),
  shared: new Int32Array(shared),
  kept: {},
  ThreadOwner,
  RangeTracker,
  say: (said) => parentPort!.postMessage({ said }),
};

parentPort!.on('message', async ({ id, code, args }: { id: number; code: string; args: unknown[] }) => {
  try {
    const run = new Function(`return (${code})`)() as (inside: Inside, ...args: unknown[]) => unknown;
    parentPort!.postMessage({ id, result: await run(inside, ...args) });
  } catch (error) {
    parentPort!.postMessage({ id, error: { name: (error as Error).name, message: (error as Error).message } });
  }
});
parentPort!.postMessage({ said: 'ready' });
