/**
 * Records: what the checker knows of each tracker, section and reader, found by the object itself without keeping it alive.
 *
 * What is over is forgotten at once, and not left to the collector: a weak map with thousands of dead entries makes every
 * collection slow.
 */
import type { Clock } from '../base/clock.js';
import type { ReaderInfo } from '../base/vocabulary.js';
import type { Invalidation, ObservedTracker } from '../tracker/index.js';

import type { Orders } from './order.js';
import { type Context, Ledger, type Party, ReaderRecord, SectionRecord } from './parties.js';
import { Trace } from './stack.js';

/** What is known of the call that something comes out of. */
interface Call {
  readonly context: Context | undefined;
  /** True if its first event is that it waits. */
  readonly isWaiting: boolean;
}

/** See the top of the file. */
export class Records {
  readonly #ledgers: WeakMap<ObservedTracker, Ledger> = new WeakMap();
  readonly #sections: WeakMap<Invalidation, SectionRecord> = new WeakMap();
  readonly #readers: WeakMap<ReaderInfo, ReaderRecord> = new WeakMap();
  readonly #orders: Orders;
  readonly #clock: Clock;

  constructor(orders: Orders, clock: Clock) {
    this.#orders = orders;
    this.#clock = clock;
  }

  /** The tracker's; `isNew` is called when it is seen for the first time. */
  ledger(tracker: ObservedTracker, isNew: (ledger: Ledger) => void): Ledger {
    let found = this.#ledgers.get(tracker);
    if (found === undefined) {
      const { label } = tracker.inspect();
      const name = label === undefined ? 'tracker' : `tracker ${JSON.stringify(label)}`;
      found = new Ledger(name, label === undefined ? undefined : this.#orders.labelled(label));
      this.#ledgers.set(tracker, found);
      isNew(found);
    }
    return found;
  }

  /** The section's, if it has been seen and is not over. */
  section(section: Invalidation): SectionRecord | undefined {
    return this.#sections.get(section);
  }

  /** The reader's, if it has been seen and is not over. */
  reader(reader: ReaderInfo): ReaderRecord | undefined {
    return this.#readers.get(reader);
  }

  /** Made in the call in which the section begins or queues. */
  addSection(section: Invalidation, ledger: Ledger, { context, isWaiting }: Call): SectionRecord {
    const { label } = section;
    const trace = new Trace(isWaiting ? 'wait' : 'begin');
    const orderClass = label === undefined ? ledger.orderClass : this.#orders.labelled(label);
    const added = new SectionRecord(section, ledger, { trace, context, orderClass, since: this.#clock.now() });
    this.#sections.set(section, added);
    return added;
  }

  /** Made in the call that the reader comes out of, which its first event does. */
  addReader(reader: ReaderInfo, ledger: Ledger, { context, isWaiting }: Call): ReaderRecord {
    const outside = context === undefined ? undefined : 'attempt';
    const trace = new Trace(isWaiting ? 'wait' : outside);
    const added = new ReaderRecord(reader, ledger, { trace, context });
    this.#readers.set(reader, added);
    return added;
  }

  /** It is over. */
  forgetSection(section: Invalidation): SectionRecord | undefined {
    return forget(this.#sections, section);
  }

  /** It is over. */
  forgetReader(reader: ReaderInfo): ReaderRecord | undefined {
    return forget(this.#readers, reader);
  }
}

function forget<Key extends object, R extends Party>(records: WeakMap<Key, R>, key: Key): R | undefined {
  const record = records.get(key);
  if (record === undefined) return undefined;
  record.finish();
  records.delete(key);
  return record;
}
