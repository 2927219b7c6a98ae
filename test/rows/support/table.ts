/** A table in the order of its keys, as a database has it, and a window over it whose requests a test answers when it likes. */
import type { RowRequest } from '../../../lib/rows/index.js';

export interface Row {
  readonly key: number;
  readonly text: string;
}

export const keyOf = ({ key }: Row): number => key;
export const compare = (a: number, b: number): number => a - b;

export class Table {
  readonly rows: Row[] = [];

  /** Rows with the keys 10, 20, 30 … */
  static of(count: number): Table {
    const table = new Table();
    for (let i = 1; i <= count; i++) table.rows.push({ key: 10 * i, text: `${10 * i}` });
    return table;
  }

  /** Inserts, or updates. */
  put(key: number, text = `${key}`): void {
    const at = this.#placeOf(key);
    this.rows.splice(at, this.rows[at]?.key === key ? 1 : 0, { key, text });
  }

  delete(key: number): void {
    const at = this.#placeOf(key);
    if (this.rows[at]?.key === key) this.rows.splice(at, 1);
  }

  page({ from, to, limit }: Pick<RowRequest<number>, 'from' | 'to' | 'limit'>): Row[] {
    const first = from === undefined ? 0 : this.#placeOf(from);
    const last = to === undefined ? this.rows.length : this.#placeOf(to);
    return this.rows.slice(first, Math.min(last, first + limit));
  }

  #placeOf(key: number): number {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle]!.key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Requests for a table: each reads when it is asked, and its answer comes when the test says so. */
export class Requests {
  readonly table: Table;
  readonly asked: RowRequest<number>[] = [];
  readonly #answers: (() => void)[] = [];

  constructor(table: Table) {
    this.table = table;
  }

  readonly load = (request: RowRequest<number>): Promise<Row[]> => {
    this.asked.push(request);
    const rows = this.table.page(request);
    return new Promise((resolve) => this.#answers.push(() => resolve(rows)));
  };

  /** The bounds of what was asked for, and how much, since it was called last. */
  take(): (readonly [from: number | undefined, to: number | undefined, limit: number])[] {
    return this.asked.splice(0).map(({ from, to, limit }) => [from, to, limit] as const);
  }

  /** Answers what was asked first. */
  answerOne(): void {
    this.#answers.shift()?.();
  }

  answer(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }
}
