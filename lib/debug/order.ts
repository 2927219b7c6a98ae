/**
 * Order: which classes of sections were nested in which, and whether also the other way round.
 *
 * Classes, not sections: as lockdep does, one run that nests each way once is enough to know, although nothing hung. The
 * class of a section is its label; without one, the label of its tracker; without that, the tracker itself. A read inside
 * a section is an arrow of its own sort, from one tracker to another: reads wait for sections, and begins do not wait for
 * sections, so a read one way and a begin the other way cannot wait for each other.
 */
import type { LockOrderStep } from './errors.js';
import { type Context, type Nesting, OrderClass, type Party, type SectionRecord } from './parties.js';

/** Arrows remembered at most; lockdep has 32,768. Beyond it, new ones are not. Labels with a number in them would never end. */
const MAX_ARROWS = 16_384;

/** Two orders that exclude each other. */
export interface Inversion {
  readonly nesting: Nesting;
  readonly outer: OrderClass;
  readonly inner: OrderClass;
  readonly steps: readonly LockOrderStep[];
}

/** See the top of the file. */
export class Orders {
  readonly #labels: Map<string, OrderClass> = new Map();
  #arrows = 0;

  /** The class of this label. */
  labelled(label: string): OrderClass {
    let found = this.#labels.get(label);
    if (found === undefined) {
      found = new OrderClass(JSON.stringify(label));
      if (this.#labels.size < MAX_ARROWS) this.#labels.set(label, found);
    }
    return found;
  }

  /** Notes that something came inside everything that the context is in; returns what was nested the other way before. */
  nest(nesting: Nesting, inner: Party, context: Context | undefined): Inversion[] {
    const found: Inversion[] = [];
    if (context === undefined) return found;
    for (const outer of around(context)) {
      if (outer.ledger === inner.ledger || this.#arrows >= MAX_ARROWS) continue;
      const inversion = this.#note(nesting, outer, inner);
      if (inversion !== undefined) found.push(inversion);
    }
    return found;
  }

  #note(nesting: Nesting, outer: SectionRecord, inner: Party): Inversion | undefined {
    const from = outer.orderClass;
    const to = inner.orderClass;
    if (from === to || from.inner[nesting].has(to)) return undefined;
    const step: LockOrderStep = {
      waiter: inner.name,
      waitedAt: inner.trace.text,
      blocker: outer.name,
      beganAt: outer.trace.text,
      obliged: outer.context?.label,
    };
    from.inner[nesting].set(to, step);
    this.#arrows++;
    const back = wayTo(nesting, to, from, new Set());
    return back === undefined ? undefined : { nesting, outer: from, inner: to, steps: [step, ...back] };
  }
}

/** The sections that a context is in: those that must be ended after it goes on. */
function* around(context: Context): Generator<SectionRecord> {
  for (const each of context.chain()) {
    if (each.serves !== undefined) yield each.serves;
    yield* each.held ?? [];
  }
}

/** The arrows from one class to another, if there is a way. */
function wayTo(nesting: Nesting, from: OrderClass, goal: OrderClass, seen: Set<OrderClass>): LockOrderStep[] | undefined {
  seen.add(from);
  const direct = from.inner[nesting].get(goal);
  if (direct !== undefined) return [direct];
  for (const [next, step] of from.inner[nesting]) {
    if (seen.has(next)) continue;
    const rest = wayTo(nesting, next, goal, seen);
    if (rest !== undefined) return [step, ...rest];
  }
  return undefined;
}
