/**
 * Workspace: the temporary folder and the signals. Whatever ends the process, short of SIGKILL, removes the folder.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Ctrl-C, a polite kill, and a closed terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The reason with which {@link Workspace.signal} fires. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** As shells report a process that a signal has ended: 128 and its number. */
  readonly exitCode: number;

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`interrupted by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** See the top of the file. */
export class Workspace {
  /** A path in the folder, for the copy. */
  readonly path: string;
  /** Fires at the first of {@link SIGNALS}: end cleanly. */
  readonly signal: AbortSignal;
  readonly #folder: string;
  readonly #controller = new AbortController();

  constructor() {
    this.signal = this.#controller.signal;
    for (const name of SIGNALS) process.on(name, this.#interrupt);
    // Synchronous, and for every way out: an error nobody caught, and the second Ctrl-C.
    process.on('exit', this.#remove);
    this.#folder = mkdtempSync(join(tmpdir(), 'rangefence-demo-'));
    this.path = join(this.#folder, 'pages');
  }

  /** Removes the folder and lets go of the signals. Idempotent. */
  close(): void {
    this.#remove();
    process.off('exit', this.#remove);
    for (const name of SIGNALS) process.off(name, this.#interrupt);
  }

  readonly #interrupt = (name: NodeJS.Signals): void => {
    const reason = new Interrupted(name as (typeof SIGNALS)[number]);
    // The second one comes from somebody who does not want to wait for the end of a slice.
    if (this.signal.aborted) process.exit(reason.exitCode);
    this.#controller.abort(reason);
  };

  readonly #remove = (): void => {
    rmSync(this.#folder, { recursive: true, force: true });
  };
}
