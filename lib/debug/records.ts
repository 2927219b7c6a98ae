/**
 * Records: what the checker knows of each tracker, section and reader, found by the object itself without keeping it alive.
 */
import type { Invalidation } from '../invalidation.js';
import type { TrackerEvent } from '../observer.js';
import type { Range } from '../range.js';
import type { ReaderInfo } from '../reader.js';
import type { RangeTracker } from '../tracker.js';
import type { Context } from './context.js';
import { ReaderRecord, SectionRecord } from './graph.js';
import { Ledger } from './ledger.js';
import type { Orders } from './order.js';
import { Trace } from './stack.js';

/** What is known of the call that a reader comes out of. */
interface Call {
  readonly context: Context | undefined;
  readonly isWaiting: boolean;
}

/** See the top of the file. */
export class Records {
  readonly #ledgers: WeakMap<RangeTracker, Ledger> = new WeakMap();
  readonly #sections: WeakMap<Invalidation, SectionRecord> = new WeakMap();
  readonly #readers: WeakMap<ReaderInfo, ReaderRecord> = new WeakMap();
  readonly #orders: Orders;

  constructor(orders: Orders) {
    this.#orders = orders;
  }

  /** The tracker's; `isNew` is called when it is seen for the first time. */
  ledger(tracker: RangeTracker, isNew?: (ledger: Ledger) => void): Ledger {
    let found = this.#ledgers.get(tracker);
    if (found === undefined) {
      const { label } = tracker.inspect();
      const name = label === undefined ? 'tracker' : `tracker ${JSON.stringify(label)}`;
      found = new Ledger(name, label === undefined ? undefined : this.#orders.labelled(label));
      this.#ledgers.set(tracker, found);
      isNew?.(found);
    }
    return found;
  }

  /** The section's, if it has been seen. */
  known(section: Invalidation): SectionRecord | undefined {
    return this.#sections.get(section);
  }

  /** The section's, made now by the context in which it begins or queues. */
  section(ledger: Ledger, section: Invalidation, context: Context | undefined, since: number): SectionRecord {
    let found = this.#sections.get(section);
    if (found === undefined) {
      const { label, kind, ranges } = section;
      const what = label === undefined ? `section of kind ${JSON.stringify(kind)}` : `section ${JSON.stringify(label)}`;
      const orderClass = label === undefined ? ledger.orderClass : this.#orders.labelled(label);
      const name = `${what} over ${show(ranges)} of the ${ledger.name}`;
      found = new SectionRecord(name, new Trace(true), context, { ledger, orderClass, since });
      this.#sections.set(section, found);
    }
    return found;
  }

  /** The reader's, made now by the context in which it was called: its first event comes out of that very call. */
  reader({ tracker }: TrackerEvent, reader: ReaderInfo, { context, isWaiting }: Call): ReaderRecord {
    let found = this.#readers.get(reader);
    if (found === undefined) {
      const { operation, label } = reader;
      const what = label === undefined ? operation : `${operation} ${JSON.stringify(label)}`;
      const trace = new Trace(isWaiting || context !== undefined);
      found = new ReaderRecord(`${what} of the ${this.ledger(tracker).name}`, trace, context);
      this.#readers.set(reader, found);
    }
    return found;
  }
}

function show(ranges: readonly Range[]): string {
  const [first] = ranges;
  const more = ranges.length > 1 ? ` and ${ranges.length - 1} more` : '';
  return `[${first!.start}, ${first!.end})${more}`;
}
