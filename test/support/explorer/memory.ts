/**
 * Memory: what of a tracker's past decides its future, as a string, so that the explorer follows equal states once.
 *
 * It is told by the observer, and shows who is there in the order in which they came, as that order is what the tracker's
 * tickets say: sections from their begin, or from when they began to queue; holds from their announcement, what they have
 * discovered from then; readers that wait from when they parked last. For each lookup it counts what escalation counts, and
 * for each running fetch it says what it has read and whether that has been hit.
 *
 * Left out, because nothing in a scenario of six parties depends on it: the counter and the history themselves (what they
 * answer is asked), and heat, which takes more than thirty lost attempts to come into play.
 */

import type { Invalidation, Range, RangeTracker, ReaderInfo, TrackerObserver } from '../../../lib/index.js';
import { insidesOf } from '../insides.js';
import type { Moment, Witness } from '../model/witness.js';

/** One call of a fetch, or one round by hand. */
interface Reading {
  readonly label: string;
  /** What it reads, and what it may come to read. */
  readonly ranges: readonly Range[];
  readonly moment: Moment;
  readonly first: readonly number[];
}

/** See the top of the file. */
export class Memory {
  readonly observer: TrackerObserver;
  /** Who calls `readBegin` now: its reader has no label of its own. */
  caller = '';
  readonly #witness: Witness;
  #events = 0;
  /** When whoever is there has come. */
  readonly #came = new Map<Invalidation | ReaderInfo, number>();
  /** When a reader has parked last. */
  readonly #parked = new Map<ReaderInfo, number>();
  readonly #extended = new Map<string, number>();
  readonly #names = new Map<ReaderInfo, string>();
  readonly #losses = new Map<string, number>();
  readonly #readings = new Set<Reading>();

  constructor(witness: Witness) {
    this.#witness = witness;
    const { observer } = witness;
    this.observer = {
      ...observer,
      begin: (event) => {
        this.#events++;
        if (!this.#came.has(event.invalidation)) this.#came.set(event.invalidation, this.#events);
        observer.begin!(event);
      },
      wait: (event) => {
        this.#events++;
        const { waiter, blocker } = event;
        if ('blockable' in waiter) {
          if (!this.#came.has(waiter)) this.#came.set(waiter, this.#events);
        } else this.#parks(waiter, blocker);
        observer.wait!(event);
      },
      held: (event) => {
        this.#came.set(event.reader, ++this.#events);
        observer.held!(event);
      },
      collided: (event) => {
        this.#lose(event.reader.label!);
        observer.collided!(event);
      },
    };
  }

  /** At the begin of a fetch; call what it returns at its end. */
  reads(reading: Reading): () => void {
    this.#readings.add(reading);
    return () => this.#readings.delete(reading);
  }

  /** Right after `observe`: a hold reaches farther from now on. */
  extends(label: string): void {
    this.#extended.set(label, ++this.#events);
  }

  /** The state. */
  shown(tracker: RangeTracker): string {
    const { sections, holds } = insidesOf(tracker);
    const there: [came: number, name: string][] = [];
    for (const { invalidation, state, waiting } of sections) {
      const readers = waiting.map(({ reader }) => this.#nameOf(reader));
      there.push([this.#came.get(invalidation)!, `${invalidation.label} ${state} <${readers}>`]);
      for (const { reader } of waiting) there.push([this.#parked.get(reader)!, `${this.#nameOf(reader)} parked`]);
    }
    const holding = new Set<ReaderInfo>();
    for (const { reader, admitted, leftMs, ranges, waiting } of holds) {
      const came = holding.has(reader) ? this.#extended.get(reader.label!)! : this.#came.get(reader)!;
      holding.add(reader);
      const reach = ranges.map(({ start, end }) => `${start}-${end}`);
      there.push([came, `${reader.label} ${admitted ? 'holds' : 'would hold'} ${reach} ${leftMs} <${waiting}>`]);
    }
    there.sort(([a], [b]) => a - b);
    const names = there.map(([, name]) => name);
    const losses = [...this.#losses].map(([label, count]) => `${label} ${count}`).sort();
    return [names, losses, [...this.#readings].map((reading) => this.#show(reading)).sort()].join(' / ');
  }

  /** A wait that is not the first is a loss if what is in the way began after it had parked. */
  #parks(reader: ReaderInfo, blocker: Invalidation | ReaderInfo): void {
    if (reader.operation === 'readBegin') {
      if (!this.#names.has(reader)) this.#names.set(reader, this.caller);
    } else {
      const before = this.#parked.get(reader);
      if (before !== undefined && this.#came.get(blocker)! > before) this.#lose(reader.label!);
    }
    this.#parked.set(reader, this.#events);
  }

  #lose(label: string): void {
    this.#losses.set(label, (this.#losses.get(label) ?? 0) + 1);
  }

  #nameOf(reader: ReaderInfo): string {
    return reader.label ?? this.#names.get(reader)!;
  }

  #show({ label, ranges, moment, first }: Reading): string {
    return `${label} ${first} ${ranges.map((range) => Number(this.#witness.collides(range, moment)))}`;
  }
}
