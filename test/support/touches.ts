/**
 * Touches: which places of the columns a piece of work reads or writes. Counted from outside, by handing the library
 * columns that note every access, so what is counted is the code as it ships: it has no counter and no hook.
 */
import { BITS, type Columns } from '../../lib/interval-tree/columns.js';
import { Core } from '../../lib/interval-tree/core.js';

/** What was touched in interval trees. */
export interface TreeTouches {
  /** Nodes of which a place was read or written. A node of which only the record (parent, count) was read is not among them. */
  readonly nodes: number;
  /** Reads and writes of single numbers, records and handles included. */
  readonly steps: number;
  /** Whether columns were replaced: then they have been copied, and what followed the copying is not counted. */
  readonly grown: boolean;
}

type Column = Float64Array | Int32Array;

/** A column that calls `note` with the place of each number read or written, and otherwise does what it does. */
function noting<A extends Column>(column: A, note: (place: number) => void): A {
  const noted: A = new Proxy(column, {
    get(target, key) {
      const place = placeOf(key);
      if (place >= 0) {
        note(place);
        return target[place];
      }
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || key === 'constructor') return value;
      return (...args: number[]) => {
        const [from = 0, to = target.length] = key === 'fill' ? args.slice(1) : key === 'subarray' ? args : [0, 0];
        for (let i = from; i < to; i++) note(i);
        const result: unknown = value.apply(target, args);
        return result === target ? noted : result;
      };
    },
    set(target, key, value: number) {
      const place = placeOf(key);
      note(place);
      target[place] = value;
      return true;
    },
  });
  return noted;
}

/** -1 or NaN for what is not an index. */
function placeOf(key: string | symbol): number {
  return typeof key === 'symbol' ? -1 : Number(key);
}

const OPERATIONS = ['insert', 'delete', 'find', 'visit', 'locate'] as const;
const PLACES = ['lows', 'highs', 'links'] as const;
const RECORDS = ['meta', 'table'] as const;

/** Puts noting columns into one tree; returns what puts the plain ones back, and is true if any was replaced meanwhile. */
function watch(core: Columns<unknown>, noteNode: (node: number) => void, noteStep: () => void): () => boolean {
  const restore: (() => boolean)[] = [];
  const swap = <Name extends (typeof PLACES)[number] | (typeof RECORDS)[number]>(name: Name, note: (place: number) => void) => {
    const plain = core[name];
    const noted = noting(plain, note) as typeof plain;
    core[name] = noted;
    restore.push(() => {
      if (core[name] !== noted) return true;
      core[name] = plain;
      return false;
    });
  };
  for (const name of PLACES) swap(name, (place) => noteNode(place >> BITS));
  for (const name of RECORDS) swap(name, noteStep);
  return () => restore.map((put) => put()).includes(true);
}

/** What `work` touches in all interval trees together, whoever owns them. `work` must be over when it returns. */
export function treeTouches(work: () => void): TreeTouches {
  const prototype = Core.prototype as unknown as Record<string, (this: Core<unknown>, ...args: unknown[]) => unknown>;
  const plain = OPERATIONS.map((name) => prototype[name]!);
  const watched = new Map<Core<unknown>, () => boolean>();
  let nodes = 0;
  let steps = 0;
  let grown = false;
  const start = (core: Core<unknown>) => {
    const seen = new Set<number>();
    const noteNode = (node: number) => {
      steps++;
      if (seen.has(node)) return;
      seen.add(node);
      nodes++;
    };
    watched.set(
      core,
      watch(core, noteNode, () => steps++),
    );
  };
  OPERATIONS.forEach((name, i) => {
    prototype[name] = function (...args) {
      if (!watched.has(this)) start(this);
      return plain[i]!.apply(this, args);
    };
  });
  try {
    work();
  } finally {
    OPERATIONS.forEach((name, i) => {
      prototype[name] = plain[i]!;
    });
    for (const stop of watched.values()) grown = stop() || grown;
  }
  return { nodes, steps, grown };
}

/** Counts accesses to the columns of every history that grows while it is watched. */
export class RingWatch {
  #steps = 0;
  readonly #plain = globalThis.Float64Array;

  /** Runs `work`, in which histories build their columns, and whatever a history that was built here does later. */
  run<T>(work: () => T): T {
    const note = () => {
      this.#steps++;
    };
    globalThis.Float64Array = new Proxy(this.#plain, {
      construct: (target, args: [number]) => noting(new target(...args), note),
    });
    try {
      return work();
    } finally {
      globalThis.Float64Array = this.#plain;
    }
  }

  /** Numbers that `work` reads or writes. */
  steps(work: () => void): number {
    const before = this.#steps;
    this.run(work);
    return this.#steps - before;
  }
}
