/**
 * LeaveSignal: the signal of a lookup that this package makes for somebody else, and may give up.
 */

/**
 * As much of an AbortSignal as the tracker looks at, for the one listener of one lookup. A real one, made for each read, would
 * cost as much as all the rest of it.
 */
export class LeaveSignal {
  aborted = false;
  reason: unknown = undefined;
  private listener: { handleEvent(): void } | undefined = undefined;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(_type: 'abort', listener: { handleEvent(): void }): void {
    this.listener = listener;
  }

  removeEventListener(): void {
    this.listener = undefined;
  }

  /** Idempotent. */
  fire(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.listener?.handleEvent();
  }
}
