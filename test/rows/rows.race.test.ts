/**
 * A window of rows under random readers, views that show what they have read and read again when they are told to, writers who say afterwards
 * what they have changed, others who announce it, lost connections and failures, in random schedules, judged by the table itself.
 *
 * `RANGEFENCE_RUNS=50` plays 10,000 schedules.
 */
import { expect, test } from 'vitest';
import { type RowChange, type RowRequest, type RowStatus, RowWindow } from '../../lib/rows/index.js';
import { ManualClock } from '../support/model/clock.js';
import { Random, seeds } from '../support/model/random.js';
import { Scheduler } from '../support/model/scheduler.js';
import { compare, keyOf, type Row, Table } from './support/table.js';

const BROKEN = new Error('the network is down');
const LEFT = new Error('the user has left');
const KEYS = 400;

class World {
  readonly random: Random;
  readonly clock = new ManualClock();
  readonly scheduler: Scheduler;
  readonly table = Table.of(10 + 20);
  readonly rows: RowWindow<Row, number>;
  readonly fails: boolean;
  /** Changes that were made and not said yet, or announced and not over. */
  unsaid = 0;
  reading = 0;
  answered = 0;
  judged = 0;
  marked = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.scheduler = new Scheduler(this.random, this.clock, 0.2);
    this.fails = this.random.chance(0.3);
    const blockRows = 1 + this.random.below(5);
    this.rows = new RowWindow<Row, number>({
      ...{ load: (request) => this.#load(request), keyOf, compare, blockRows, clock: this.clock },
      maxLoadRows: blockRows * (1 + this.random.below(6)),
      keepRows: this.random.pick([0, 7, 100_000]),
      coalesceMs: this.random.pick([0, 1, 16]),
    });
  }

  async pause(most: number): Promise<void> {
    for (let i = this.random.below(most + 1); i > 0; i--) await this.scheduler.pause();
  }

  async #load(request: RowRequest<number>): Promise<Row[]> {
    this.reading++;
    try {
      await this.pause(2);
      const isTorn = this.random.chance(0.2);
      const rows = this.table.page(request);
      if (isTorn) {
        // Two reads, as a server without a snapshot makes them.
        await this.pause(2);
        const half = rows.slice(0, rows.length >> 1);
        const from = half.length === 0 ? request.from : half.at(-1)!.key + 1;
        rows.splice(0, rows.length, ...half, ...this.table.page({ ...request, from, limit: request.limit - half.length }));
      }
      await this.pause(3);
      if (this.fails && this.random.chance(0.1)) throw BROKEN;
      return rows;
    } finally {
      this.reading--;
    }
  }

  // --- who reads

  /** Captures, in the turn in which a read is answered, what it has to be: `status` is written then. */
  #judging(start: number, end: number): { readonly status: RowStatus; expected: readonly Row[] | undefined } {
    const world = this;
    const judge = {
      expected: undefined as readonly Row[] | undefined,
      status: {
        set retried(_: number) {
          judge.expected = world.unsaid > 0 ? undefined : world.table.rows.slice(start, end);
        },
        get retried() {
          return 0;
        },
        stale: false,
      },
    };
    return judge;
  }

  async read(start: number, end: number, allowStale: boolean, signal?: AbortSignal): Promise<readonly Row[]> {
    const judge = this.#judging(start, end);
    const rows = await this.rows.read(start, end, { ...(allowStale ? { allowStale } : {}), status: judge.status, signal });
    this.answered++;
    if (judge.status.stale === true) this.marked++;
    else if (judge.expected !== undefined) {
      this.judged++;
      expect(rows).toEqual(judge.expected);
    }
    if (judge.status.stale === true && !allowStale) throw new Error('nobody has allowed stale rows');
    return rows;
  }

  async reader(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await this.pause(6);
      const start = this.random.below(40);
      const leaving = new AbortController();
      const read = this.read(start, start + 1 + this.random.below(12), this.random.chance(0.4), leaving.signal);
      const ignored = read.catch((error) => {
        if (error !== BROKEN && error !== LEFT) throw error;
      });
      if (this.random.chance(0.2)) {
        await this.pause(3);
        leaving.abort(LEFT);
      }
      await ignored;
    }
  }

  /** Shows some rows, and reads them again whenever it is told that they may be others. */
  view(start: number, end: number): { readonly isIdle: boolean; judge(): void } {
    let shown: readonly Row[] = [];
    let isDue = true;
    let isReading = false;
    const show = async () => {
      isReading = true;
      while (isDue) {
        isDue = false;
        try {
          shown = await this.read(start, end, true);
        } catch (error) {
          if (error !== BROKEN) throw error;
          isDue = true; // it tries again, as people do
        }
      }
      isReading = false;
    };
    this.rows.onChange((changed) => {
      if (changed.start >= end) return;
      isDue = true;
      if (!isReading) show();
    });
    show();
    return {
      get isIdle() {
        return !isReading;
      },
      judge: () => expect(shown).toEqual(this.table.rows.slice(start, end)),
    };
  }

  /** The same without any care: it asks whenever it is told, and shows the answer to what it has asked last. */
  careless(start: number, end: number): { readonly isIdle: boolean; judge(): void } {
    let shown: readonly Row[] = [];
    let last = 0;
    let reading = 0;
    const show = async () => {
      const mine = ++last;
      reading++;
      for (;;) {
        try {
          const read = await this.read(start, end, true);
          if (mine === last) shown = read;
          break;
        } catch (error) {
          if (error !== BROKEN) throw error;
        }
      }
      reading--;
    };
    this.rows.onChange((changed) => {
      if (changed.start < end) show();
    });
    show();
    return {
      get isIdle() {
        return reading === 0;
      },
      judge: () => expect(shown).toEqual(this.table.rows.slice(start, end)),
    };
  }

  // --- who writes

  #write(): RowChange<number> {
    if (this.random.chance(0.1)) {
      const from = this.random.below(KEYS);
      const to = from + 1 + this.random.below(100);
      for (const { key } of this.table.page({ from, to, limit: KEYS })) this.#one(key);
      return { from, to };
    }
    const key = this.random.below(KEYS);
    this.#one(key);
    return { key };
  }

  #one(key: number): void {
    if (this.random.chance(0.4)) this.table.delete(key);
    else this.table.put(key, `${key}, ${this.random.below(1000)}`);
  }

  async writer(): Promise<void> {
    for (let i = 0; i < 8; i++) {
      await this.pause(6);
      this.unsaid++;
      const change = this.#write();
      await this.pause(this.random.chance(0.7) ? 1 : 8);
      this.unsaid--;
      if (this.random.chance(0.05)) this.rows.reset();
      else this.rows.changed(change);
    }
  }

  async announcer(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await this.pause(12);
      const key = this.random.below(KEYS);
      const change = async () => {
        this.unsaid++;
        await this.pause(2);
        this.#one(key);
        await this.pause(2);
        this.#one(key);
        this.unsaid--;
        if (this.fails && this.random.chance(0.2)) throw BROKEN;
      };
      await this.rows.mutate({ key }, change).catch((error) => expect(error).toBe(BROKEN));
    }
  }

  async run(): Promise<void> {
    const views = [this.view(0, 5), this.view(3, 17), this.careless(10, 22), this.view(20, 28)];
    const parts = [this.reader(), this.reader(), this.writer(), this.writer(), this.announcer()];
    let isDone = false;
    const all = Promise.all(parts).finally(() => {
      isDone = true;
    });
    all.catch(() => {});
    const isQuiet = () => isDone && this.reading === 0 && views.every(({ isIdle }) => isIdle) && this.clock.pending === 0;
    await this.scheduler.run(isQuiet, () => {});
    await all;
    for (let i = 0; i < 64; i++) await undefined;
    if (!isQuiet()) await this.scheduler.run(isQuiet, () => {});
    for (const { judge } of views) judge();
    let everything: readonly Row[] | undefined;
    const last = this.read(0, KEYS, false)
      .catch(() => this.read(0, KEYS, false))
      .catch(() => this.read(0, KEYS, false));
    last.then(
      (rows) => {
        everything = rows;
      },
      () => {
        everything = this.table.rows; // thrice without luck
      },
    );
    await this.scheduler.run(
      () => everything !== undefined,
      () => {},
    );
    expect(everything).toEqual(this.table.rows);
    const { waiting, sections } = this.rows.tracker.inspect();
    expect([waiting, sections.length, this.clock.pending]).toEqual([0, 0, 0]);
    this.rows.close();
  }
}

test('nothing stale is shown at rest, no read is lost, and nothing is left behind', { timeout: 600_000 }, async () => {
  const sum = { hits: 0, answered: 0, judged: 0, marked: 0 };
  for (const seed of seeds(200)) {
    const world = new World(seed);
    try {
      await world.run();
    } catch (error) {
      throw new Error(`RANGEFENCE_SEED=${seed} fails: ${String(error)}`, { cause: error });
    }
    sum.hits += world.rows.stats.hits;
    for (const name of ['answered', 'judged', 'marked'] as const) sum[name] += world[name];
  }
  // The schedules reach what they are about.
  for (const [name, count] of Object.entries(sum)) expect([name, count > 200]).toEqual([name, true]);
});
