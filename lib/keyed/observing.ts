/**
 * Observing: an attempt of a keyed lookup, which observes keys where the tracker's observes ranges.
 */
import type { Seq } from '../base/vocabulary.js';
import type { Attempt } from '../tracker/index.js';
import type { KeyedAttempt } from './fence-types.js';
import type { KeyScope } from './scope.js';
import type { Reads } from './table.js';

/** The tracker's attempt, observing keys. */
export class ObservingAttempt<K> implements KeyedAttempt<K> {
  private readonly attempt: Attempt;
  private readonly reads: Reads<K>;

  constructor(attempt: Attempt, reads: Reads<K>) {
    this.attempt = attempt;
    this.reads = reads;
  }

  get number(): number {
    return this.attempt.number;
  }

  get seq(): Seq {
    return this.attempt.seq;
  }

  get signal(): AbortSignal {
    return this.attempt.signal;
  }

  observe(key: K | KeyScope<K>): void {
    const ranges = this.reads.observe(key, this.attempt.seq);
    if (ranges !== undefined) this.attempt.observe(ranges);
  }
}
