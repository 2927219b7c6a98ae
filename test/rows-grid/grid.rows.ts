/**
 * Every row of the table in docs/rows.md: requests, and wrong rows on the screen, of a grid that has 17 blocks of 100 rows, of which
 * the last ones are shown; plain, and over a window of rows.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chromium, type Page } from '../browser/chromium.js';
import { Random, SEED } from '../support/model/random.js';
import { Backend, type Item } from './backend.js';
import { Postgres, postgresFolder } from './postgres.js';

const ROWS = 1_750;
const BLOCKS = 17;
/** The last row that is on the screen. */
const SHOWN = 1_690;
const MODES = ['plain', 'fenced'] as const;
type Mode = (typeof MODES)[number];

let postgres: Postgres;
let browser: Chromium;
let folder = '';
const files = new Map<string, readonly [type: string, text: string]>();
const record = new Map<string, Record<Mode, string>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rangefence-grid-'));
  const entry = Object.fromEntries(
    ['page', 'virtual'].map((name) => [name, fileURLToPath(new URL(`${name}.ts`, import.meta.url))]),
  );
  const bundled = { config: false, format: ['esm' as const], dts: false, silent: true, outDir: folder, noExternal: [/.*/] };
  await build({ entry, ...bundled, platform: 'browser', target: 'es2022', splitting: false, treeshake: false });
  const html = (element: string, script: string) =>
    `<!doctype html><link rel="icon" href="data:,">${element}<script type="module" src="/${script}.js"></script>`;
  files.set('/', ['text/html', html('<div id="grid" style="height: 800px"></div>', 'page')]);
  const list = '<div id="list" style="height: 800px; overflow: auto"><div></div></div>';
  files.set('/list', ['text/html', html(list, 'virtual')]);
  for (const name of Object.keys(entry)) {
    files.set(`/${name}.js`, ['text/javascript', await readFile(join(folder, `${name}.js`), 'utf8')]);
  }
  [postgres, browser] = await Promise.all([Postgres.start(postgresFolder()!), Chromium.start()]);
});

afterAll(async () => {
  await browser?.close();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
  for (const [row, { plain, fenced }] of record) console.log(`${row}: plain ${plain}, fenced ${fenced}`);
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A grid on a page, with its backend. */
class Stage {
  readonly backend: Backend;
  readonly page: Page;
  readonly random = new Random(SEED);

  private constructor(backend: Backend, page: Page) {
    this.backend = backend;
    this.page = page;
  }

  static async run<T>(mode: Mode, act: (stage: Stage) => Promise<T>): Promise<T> {
    const backend = new Backend(postgres, files);
    await backend.start(ROWS);
    const page = await browser.open(`${backend.address}/?${mode}`);
    try {
      const stage = new Stage(backend, page);
      await stage.#fill();
      return await act(stage);
    } finally {
      await page.send('Page.navigate', { url: 'about:blank' });
      await backend.close();
    }
  }

  /** Shows block after block, so that the grid has all of them. */
  async #fill(): Promise<void> {
    await this.#until('globalThis.ready === true');
    for (let block = 1; block <= BLOCKS; block++) {
      await this.#until(`loaded() >= ${block}`);
      await this.page.evaluate(`show(${Math.min(block * 100, SHOWN)})`);
    }
    await this.quiet();
    expect(await this.page.evaluate('loaded()')).toBeGreaterThanOrEqual(BLOCKS);
  }

  async #until(condition: string): Promise<void> {
    for (let tries = 0; !(await this.page.evaluate(condition)); tries++) {
      if (tries > 1000)
        throw new Error(
          `never true: ${condition}; ${JSON.stringify([await this.page.evaluate('shown()'), this.page.problems.slice(0, 5)])}`,
        );
      await pause(10);
    }
  }

  /** Nothing was asked for half a second, and all blocks are loaded. */
  async quiet(): Promise<void> {
    for (let before = -1; before !== this.backend.requests; ) {
      before = this.backend.requests;
      await pause(500);
    }
    await this.#until('loaded() > 0');
  }

  /** Rows on the screen that are not what the table has at their place. */
  async wrong(table: readonly Item[]): Promise<number> {
    const { first, rows } = (await this.page.evaluate('shown()')) as { first: number; rows: (Item | null)[] };
    expect(rows.length).toBeGreaterThan(30);
    return rows.filter((row, i) => row?.id !== table[first + i]?.id || row?.text !== table[first + i]?.text).length;
  }

  /** The requests that a change costs, once all is quiet, and that nothing wrong is left. */
  async cost(act: () => Promise<unknown>): Promise<number> {
    const before = this.backend.requests;
    await act();
    await this.quiet();
    const requests = this.backend.requests - before;
    expect(await this.wrong(await this.backend.table())).toBe(0);
    return requests;
  }

  query(text: string, values: unknown[] = []): Promise<unknown> {
    return this.backend.pool.query(text, values);
  }

  /** A key that is in the table from the beginning, or lies just behind one. */
  key(by = 0): number {
    return 10 * (1 + this.random.below(ROWS)) + by;
  }
}

/** Plays it in both modes; what is fenced must never cost more. */
async function both(row: string, act: (stage: Stage) => Promise<unknown>): Promise<Record<Mode, number>> {
  const costs = { plain: 0, fenced: 0 };
  for (const mode of MODES) costs[mode] = await Stage.run(mode, (stage) => stage.cost(() => act(stage)));
  record.set(`${row}, requests`, { plain: `${costs.plain}`, fenced: `${costs.fenced}` });
  expect(costs.fenced).toBeLessThanOrEqual(costs.plain);
  return costs;
}

const UPDATE = "UPDATE items SET text = text || '!' WHERE id = $1";
const INSERT = "INSERT INTO items VALUES ($1, 'new') ON CONFLICT (id) DO UPDATE SET text = items.text || '!'";
const DELETE = 'DELETE FROM items WHERE id = $1';

describe('a grid over a table that tells of its changes', () => {
  it('asks once when one row is updated', async () => {
    expect((await both('1 row updated', (stage) => stage.query(UPDATE, [16_500]))).fenced).toBe(1);
  });

  it('asks once when one row is inserted near the top', async () => {
    expect((await both('1 row inserted near the top', (stage) => stage.query(INSERT, [25]))).fenced).toBe(1);
  });

  it('shows one wrong row at most, on average, in a stream of updates', async () => {
    const means: number[] = [];
    const requests: string[] = [];
    const wrongs: string[] = [];
    for (const mode of MODES) {
      await Stage.run(mode, async (stage) => {
        const table = await stage.backend.table();
        const wrong: number[] = [];
        const cost = await stage.cost(async () => {
          const started = performance.now();
          for (let i = 0; i < 100; i++) {
            const place = SHOWN - stage.random.below(38);
            await stage.query(UPDATE, [table[place]!.id]);
            table[place] = { id: table[place]!.id, text: `${table[place]!.text}!` };
            const nextMs = started + 50 * (i + 1);
            while (performance.now() < nextMs) {
              wrong.push(await stage.wrong(table));
              await pause(10);
            }
          }
        });
        const mean = wrong.reduce((sum, count) => sum + count, 0) / wrong.length;
        means.push(mean);
        requests.push(`${cost}`);
        wrongs.push(`${mean.toFixed(2)} (${Math.max(...wrong)})`);
      });
    }
    record.set('100 updates, one each 50 ms, requests', { plain: requests[0]!, fenced: requests[1]! });
    record.set('100 updates, one each 50 ms, wrong rows, mean (most)', { plain: wrongs[0]!, fenced: wrongs[1]! });
    expect(Number(requests[1])).toBeLessThanOrEqual(Number(requests[0]));
    expect(means[1]).toBeLessThan(means[0]! / 4);
  });

  it('asks less than once for each of twenty inserts at random places', async () => {
    const costs = await both('20 rows inserted at random places', async (stage) => {
      for (let i = 0; i < 20; i++) await stage.query(INSERT, [stage.key(5)]);
    });
    expect(costs.fenced).toBeLessThanOrEqual(20);
  });

  it('shows what the table has after concurrent changes of all kinds', async () => {
    await both('300 concurrent changes in 0.5 s', async (stage) => {
      const change = async (i: number) => {
        await pause(stage.random.below(500));
        if (i % 3 === 0) await stage.query(INSERT, [stage.key(5)]);
        else if (i % 3 === 1) await stage.query(UPDATE, [stage.key()]);
        else await stage.query(DELETE, [stage.key()]);
      };
      await Promise.all(Array.from({ length: 300 }, (_, i) => change(i)));
    });
  });

  it('asks no more than a plain one after many changes at once', async () => {
    await both('240 changes at once', (stage) => stage.query("UPDATE items SET text = text || '!' WHERE id % 70 = 0"));
    await both('240 changes at once, by ten connections', async (stage) => {
      await Promise.all(Array.from({ length: 240 }, () => stage.query(UPDATE, [stage.key()])));
    });
  });

  it('shows nothing stale when the connection that tells of changes was lost and is back', async () => {
    await both('the listening connection cut and restored', async (stage) => {
      await stage.backend.cut();
      await stage.query(UPDATE, [16_500]);
      await stage.query(INSERT, [35]);
      await pause(200);
      expect(await stage.wrong(await stage.backend.table())).toBeGreaterThan(0);
      stage.backend.isCut = false;
    });
  });
});

describe('a virtual list over the same table', () => {
  it('shows what the table has, wherever it is scrolled to, and asks once for a change', async () => {
    const backend = new Backend(postgres, files);
    await backend.start(ROWS);
    const page = await browser.open(`${backend.address}/list`);
    const right = async (least: number) => {
      const table = await backend.table();
      const { first, rows } = (await page.evaluate('shown()')) as { first: number; rows: (Item | null)[] };
      return (
        rows.length > least && rows.every((row, i) => row?.id === table[first + i]?.id && row?.text === table[first + i]?.text)
      );
    };
    const until = async (condition: () => Promise<boolean>) => {
      for (let tries = 0; !(await condition()); tries++) {
        if (tries > 500) throw new Error(JSON.stringify([page.problems.slice(0, 5), await page.evaluate('shown()')]));
        await pause(20);
      }
    };
    try {
      await until(() => right(30));
      while ((await page.evaluate('count()')) < 1000) {
        const before = await page.evaluate('count()');
        await page.evaluate(`show(${before - 1})`);
        await until(async () => (await page.evaluate('count()')) > before);
      }
      await until(() => right(30));
      const before = backend.requests;
      await backend.pool.query(INSERT, [25]);
      await until(async () => backend.requests > before);
      await until(() => right(30));
      await backend.pool.query(UPDATE, [25]);
      await until(async () => backend.requests > before + 1);
      await until(() => right(30));
      expect(backend.requests - before).toBe(2);
    } finally {
      await page.send('Page.navigate', { url: 'about:blank' });
      await backend.close();
    }
  });
});
