/** What a window of rows asks for, hands out and says, request by request. */
import { describe, expect, it } from 'vitest';
import { ClosedError, InvalidArgumentError, InvalidRangeError, TimeoutError } from '../../lib/index.js';
import { type RowRequest, type RowStatus, RowWindow, type RowWindowOptions } from '../../lib/rows/index.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { compare, keyOf, Requests, type Row, Table } from './support/table.js';

const ROWS = 100;

interface Stage {
  readonly table: Table;
  readonly requests: Requests;
  readonly clock: ManualClock;
  readonly rows: RowWindow<Row, number>;
}

function stage(options: Partial<RowWindowOptions<Row, number>> = {}, count = ROWS): Stage {
  const table = Table.of(count);
  const requests = new Requests(table);
  const clock = new ManualClock();
  const rows = new RowWindow<Row, number>({ load: requests.load, keyOf, compare, blockRows: 10, clock, ...options });
  return { table, requests, clock, rows };
}

/** A window that has read its first rows. */
async function filled(end = ROWS, options: Partial<RowWindowOptions<Row, number>> = {}): Promise<Stage> {
  const all = stage(options);
  const read = all.rows.read(0, end);
  await answered(all);
  expect((await read).length).toBe(end);
  all.requests.take();
  return all;
}

async function answered({ requests }: Pick<Stage, 'requests'>): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await settled();
    requests.answer();
  }
  await settled();
}

describe('a window', () => {
  it('reads blocks by key, and finds where they end while reading', async () => {
    const { rows, requests, ...all } = stage();
    const read = rows.read(0, 5);
    await settled();
    expect(requests.take()).toEqual([[undefined, undefined, 11]]);
    await answered({ requests });
    expect((await read).map(keyOf)).toEqual([10, 20, 30, 40, 50]);
    const next = rows.read(8, 12);
    await settled();
    expect(requests.take()).toEqual([[110, undefined, 11]]);
    await answered({ requests });
    expect((await next).map(keyOf)).toEqual([90, 100, 110, 120]);
    expect([rows.knownRows, rows.rowCount]).toEqual([20, undefined]);
    expect(all.table.rows.length).toBe(ROWS);
  });

  it('answers from what it has without a request', async () => {
    const { rows, requests } = await filled();
    const status: RowStatus = {};
    expect((await rows.read(30, 40, { status })).map(keyOf)).toEqual(Array.from({ length: 10 }, (_, i) => 310 + 10 * i));
    expect(status).toEqual({ hit: true, retried: 0, stale: false });
    expect(requests.asked).toEqual([]);
  });

  it('knows how many rows there are once it has read the last one', async () => {
    const { rows, requests } = await filled(90);
    expect(rows.rowCount).toBeUndefined();
    const read = rows.read(90, 130);
    await answered({ requests });
    expect((await read).length).toBe(10);
    expect(rows.rowCount).toBe(100);
    expect(await rows.read(200, 210)).toEqual([]);
  });

  it('asks for what a jump passes over by as few requests as it may', async () => {
    const { rows, requests } = stage();
    const read = rows.read(95, 100);
    await answered({ requests });
    expect((await read).map(keyOf)).toEqual([960, 970, 980, 990, 1000]);
    expect(requests.take()).toEqual([[undefined, undefined, 101]]);
  });

  it('shares loads between reads', async () => {
    const { rows, requests } = stage();
    const reads = [rows.read(0, 5), rows.read(2, 9)];
    await answered({ requests });
    expect((await Promise.all(reads)).map(({ length }) => length)).toEqual([5, 7]);
    expect(requests.take().length).toBe(1);
  });

  it('gives up rows that were read longest ago, and reads them again', async () => {
    const { rows, requests } = await filled(ROWS, { keepRows: 30 });
    const held = Array.from({ length: ROWS }, (_, i) => rows.peek(i)).filter((row) => row !== undefined);
    expect(held.length).toBe(30);
    const read = rows.read(0, 100);
    await answered({ requests });
    expect((await read).length).toBe(100);
    expect(requests.take().length).toBe(1);
  });

  it('passes on an error of load, and reads again when it is asked again', async () => {
    let isBroken = true;
    const broken = new Error('broken');
    const table = Table.of(5);
    const load = async (request: RowRequest<number>) => {
      if (isBroken) throw broken;
      return table.page(request);
    };
    const rows = new RowWindow<Row, number>({ load, keyOf, compare });
    await expect(rows.read(0, 2)).rejects.toBe(broken);
    isBroken = false;
    expect((await rows.read(0, 2)).length).toBe(2);
  });
});

describe('a change', () => {
  it('of one row costs one request, of one block', async () => {
    const { table, rows, requests } = await filled();
    table.put(350, 'new');
    rows.changed({ key: 350 });
    const read = rows.read(0, 100);
    await answered({ requests });
    expect(await read).toEqual(table.rows);
    expect(requests.take()).toEqual([[310, 410, 21]]);
  });

  it('that inserts or deletes costs one request, and moves what is behind it', async () => {
    const { table, rows, requests } = await filled();
    table.put(15);
    rows.changed({ key: 15 });
    const read = rows.read(50, 60);
    await answered({ requests });
    expect(await read).toEqual(table.rows.slice(50, 60));
    expect(requests.take()).toEqual([[undefined, 110, 21]]);
    table.delete(990);
    rows.changed({ key: 990 });
    const last = rows.read(90, 110);
    await answered({ requests });
    expect(await last).toEqual(table.rows.slice(90));
    expect(requests.take()).toEqual([[910, undefined, 21]]);
  });

  it('behind what is asked for costs nothing', async () => {
    const { rows, requests } = await filled();
    rows.changed({ key: 900 });
    expect((await rows.read(0, 80)).length).toBe(80);
    expect(requests.asked).toEqual([]);
  });

  it('of many rows is read by few requests, with what lies between them', async () => {
    const { table, rows, requests } = await filled(ROWS, { maxLoadRows: 50 });
    for (const { key } of table.page({ from: 0, to: undefined, limit: 100 })) if (key % 200 === 0) rows.changed({ key });
    const read = rows.read(0, 10);
    await answered({ requests });
    expect((await read).length).toBe(10);
    expect(requests.take()).toEqual([]);
    const all = rows.read(0, 100);
    await answered({ requests });
    expect((await all).length).toBe(100);
    expect(requests.take()).toEqual([
      [110, 610, 61],
      [710, undefined, 41],
    ]);
  });

  it('that comes while its block is read makes the block be read again', async () => {
    const { table, rows, requests } = await filled();
    rows.changed({ key: 350 });
    const status: RowStatus = {};
    const read = rows.read(30, 40, { status });
    await settled();
    table.put(350, 'new');
    rows.changed({ key: 350 });
    await answered({ requests });
    expect((await read).find(({ key }) => key === 350)?.text).toBe('new');
    expect([requests.take().length, status]).toEqual([2, { hit: false, retried: 1, stale: false }]);
  });

  it('that comes behind what was read does not, though the load did not know where it would end', async () => {
    const { rows, requests } = stage();
    const read = rows.read(0, 10);
    await settled();
    rows.changed({ key: 120 });
    await answered({ requests });
    expect((await read).length).toBe(10);
    expect(requests.take().length).toBe(1);
  });

  it('between the last row and the next block is one of the last block', async () => {
    const { table, rows, requests } = stage();
    const read = rows.read(0, 10);
    await settled();
    table.put(105);
    rows.changed({ key: 105 });
    await answered({ requests });
    expect((await read).length).toBe(10);
    expect(requests.take().length).toBe(2);
    expect(rows.knownRows).toBe(11);
  });

  it('hits of a load of several blocks only those that it is about', async () => {
    const { table, rows, requests } = await filled();
    rows.changed({ from: 0, to: 500 });
    const read = rows.read(0, 50);
    await settled();
    expect(requests.take()).toEqual([[undefined, 510, 61]]);
    table.put(250, 'new');
    rows.changed({ key: 250 });
    await answered({ requests });
    expect(await read).toEqual(table.rows.slice(0, 50));
    expect(requests.take()).toEqual([[210, 310, 21]]);
  });

  it('that has grown a block splits it, and one that has emptied blocks leaves none behind', async () => {
    const { table, rows, requests } = await filled();
    for (let key = 351; key < 390; key++) table.put(key);
    rows.changed({ from: 351, to: 390 });
    const read = rows.read(0, 140);
    await answered({ requests });
    expect(await read).toEqual(table.rows);
    requests.take();
    for (const { key } of table.page({ from: 200, to: 800, limit: 1000 })) table.delete(key);
    rows.changed({ from: 200, to: 800 });
    const rest = rows.read(0, 100);
    await answered({ requests });
    expect(await rest).toEqual(table.rows);
    requests.take();
    rows.changed({ from: 200, to: 800 });
    const once = rows.read(0, 100);
    await answered({ requests });
    expect(await once).toEqual(table.rows);
    expect(requests.take().length).toBe(1);
  });

  it('that has emptied a block leaves its keys to a neighbour', async () => {
    const { table, rows, requests } = await filled();
    for (const { key } of table.page({ from: 310, to: 410, limit: 10 })) table.delete(key);
    rows.changed({ from: 310, to: 410 });
    const read = rows.read(0, 90);
    await answered({ requests });
    expect(await read).toEqual(table.rows);
    requests.take();
    rows.changed({ key: 350 });
    const again = rows.read(0, 90);
    await answered({ requests });
    expect((await again).length).toBe(90);
    expect(requests.take()).toEqual([[310, 510, 21]]);
  });

  it('that has made neighbours small does not merge one that is being read', async () => {
    const { table, rows, requests } = await filled();
    for (const { key } of table.page({ from: 310, to: 510, limit: 20 })) if (key % 50 > 0) table.delete(key);
    rows.changed({ key: 330 });
    const first = rows.read(0, 40);
    await answered({ requests });
    await first;
    rows.changed({ key: 430 });
    const reads = [rows.read(0, 85)];
    await settled();
    rows.changed({ key: 330 });
    rows.changed({ key: 430 });
    reads.push(rows.read(0, 32));
    await settled();
    expect(requests.take().length).toBe(3);
    requests.answerOne(); // the later block, which was hit, while the earlier one is read
    await answered({ requests });
    await answered({ requests });
    for (const read of reads) await read;
    const all = rows.read(0, 100);
    await answered({ requests });
    expect(await all).toEqual(table.rows);
  });

  it('that is announced is waited for', async () => {
    const { table, rows, requests } = await filled();
    let finish = () => {};
    const changing = rows.mutate({ key: 350 }, async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      table.put(350, 'new');
      return 'done';
    });
    await settled();
    const read = rows.read(30, 40);
    const other = await rows.read(0, 30);
    await settled();
    expect([other.length, requests.asked.length]).toEqual([30, 0]);
    finish();
    expect(await changing).toBe('done');
    await answered({ requests });
    expect((await read).find(({ key }) => key === 350)?.text).toBe('new');
    expect(requests.take().length).toBe(1);
  });

  it('of everything drops everything', async () => {
    const { table, rows, requests } = await filled();
    table.put(350, 'new');
    rows.reset();
    expect(rows.peek(0)).toBeUndefined();
    const read = rows.read(0, 100);
    await answered({ requests });
    expect(await read).toEqual(table.rows);
    expect(requests.take().length).toBe(1);
  });

  it('that overtakes a load which fails is no error', async () => {
    const table = Table.of(5);
    let attempts = 0;
    const load = async (request: RowRequest<number>) => {
      if (++attempts > 1) return table.page(request);
      rows.changed({ key: 20 });
      throw new Error('torn');
    };
    const rows = new RowWindow<Row, number>({ load, keyOf, compare });
    expect((await rows.read(0, 3)).length).toBe(3);
    expect([attempts, rows.stats.hits]).toEqual([2, 1]);
  });
});

describe('stale rows', () => {
  it('are handed out, marked, where that is allowed and a second read would be needed', async () => {
    const { table, rows, requests, clock } = await filled();
    const told: number[] = [];
    rows.onChange(({ start }) => told.push(start));
    rows.changed({ key: 350 });
    const status: RowStatus = {};
    const read = rows.read(30, 40, { allowStale: true, status });
    await settled();
    table.put(350, 'new');
    rows.changed({ key: 350 });
    for (let i = 0; i < 20; i++) clock.advance(16);
    expect(told).toEqual([30, 30]);
    const late = rows.read(30, 40, { allowStale: true, status: {} }); // because it was told; it joins the load that was hit
    await answered({ requests });
    expect(await read).toEqual(await late);
    expect((await read).find(({ key }) => key === 350)?.text).toBe('350');
    expect(status).toEqual({ hit: false, retried: 1, stale: true });
    clock.advance(1000);
    await settled();
    expect(told).toEqual([30, 30, 30]);
    const again = rows.read(30, 40, { allowStale: true, status });
    await answered({ requests });
    expect((await again).find(({ key }) => key === 350)?.text).toBe('new');
    expect(status.stale).toBe(false);
  });

  it('are handed out while an announced change is going on, and nobody is told before it is over', async () => {
    const { table, rows, requests } = await filled(ROWS, { coalesceMs: 0 });
    let told = 0;
    rows.onChange(() => told++);
    let finish = () => {};
    const making = async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      table.put(350, 'new');
    };
    const changing = rows.mutate({ key: 350 }, making);
    await settled();
    const status: RowStatus = {};
    expect((await rows.read(30, 40, { allowStale: true, status })).length).toBe(10);
    await settled();
    expect([status.stale, requests.asked.length, told]).toEqual([true, 0, 0]);
    finish();
    await changing;
    await answered({ requests });
    expect([requests.take().length, told]).toEqual([1, 2]); // the change is over; and what was handed out can be read
    expect((await rows.read(30, 40)).find(({ key }) => key === 350)?.text).toBe('new');
    expect(rows.tracker.inspect().waiting).toBe(0);
  });

  it('are there for what is drawn now', async () => {
    const { rows } = await filled();
    rows.changed({ key: 10 });
    expect([rows.peek(0), rows.peek(100)]).toEqual([{ key: 10, text: '10' }, undefined]);
  });
});

describe('listeners', () => {
  it('are told of a single change at once, and of those that follow together', async () => {
    const { rows, clock } = await filled();
    const told: object[] = [];
    const stop = rows.onChange((changed) => told.push(changed));
    rows.changed({ key: 350 });
    rows.changed({ key: 150 });
    await settled();
    expect(told).toEqual([{ start: 10, end: Number.POSITIVE_INFINITY }]);
    rows.changed({ key: 550 });
    rows.changed({ key: 750 });
    await settled();
    expect(told.length).toBe(1);
    clock.advance(16);
    expect(told.slice(1)).toEqual([{ start: 50, end: Number.POSITIVE_INFINITY }]);
    stop();
    clock.advance(16);
    rows.changed({ key: 10 });
    await settled();
    expect(told.length).toBe(2);
  });

  it('are not told of what nobody has read', async () => {
    const { rows } = await filled(50);
    let told = 0;
    rows.onChange(() => told++);
    rows.changed({ key: 900 });
    await settled();
    expect(told).toBe(0);
  });

  it('are told later while those who were told still read, and while changes overtake loads', async () => {
    const { rows, requests, clock } = await filled();
    let told = 0;
    rows.onChange(() => told++);
    rows.changed({ key: 10 });
    await settled();
    const read = rows.read(0, 10);
    await settled();
    rows.changed({ key: 10 });
    clock.advance(100);
    expect(told).toBe(1);
    clock.advance(100);
    expect(told).toBe(2);
    await answered({ requests });
    await read;
    expect(clock.pending).toBe(0);
  });

  it('that throw keep nobody else from being told', async () => {
    const { rows } = await filled();
    const thrown = new Error('a listener');
    const seen: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => seen.push(error));
    let told = 0;
    rows.onChange(() => {
      throw thrown;
    });
    rows.onChange(() => told++);
    rows.changed({ key: 10 });
    await new Promise((resolve) => setImmediate(resolve));
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect([told, seen]).toEqual([1, [thrown]]);
  });
});

describe('a read that nobody waits for any more', () => {
  it('ends its load, unless others wait for it, and leaves nothing', async () => {
    const { rows, requests, clock } = stage();
    const [one, other] = [new AbortController(), new AbortController()];
    const reads = [rows.read(0, 5, { signal: one.signal }), rows.read(0, 5, { signal: other.signal, timeoutMs: 1000 })];
    for (const read of reads) read.catch(() => {});
    await settled();
    const { signal } = requests.asked[0]!;
    one.abort('one');
    await expect(reads[0]).rejects.toBe('one');
    expect(signal.aborted).toBe(false);
    other.abort('other');
    await expect(reads[1]).rejects.toBe('other');
    expect([signal.aborted, clock.pending]).toEqual([true, 0]);
    const again = rows.read(0, 5);
    await answered({ requests });
    expect([(await again).length, requests.take().length]).toEqual([5, 2]);
  });

  it('ends by its time limit', async () => {
    const { rows, clock } = stage();
    const read = rows.read(0, 5, { timeoutMs: 100 });
    read.catch(() => {});
    clock.advance(100);
    await expect(read).rejects.toBeInstanceOf(TimeoutError);
  });

  it('ends when the window is closed', async () => {
    const { rows, requests } = stage();
    const read = rows.read(0, 5);
    read.catch(() => {});
    await settled();
    rows.close();
    rows.close();
    await expect(read).rejects.toBeInstanceOf(ClosedError);
    await expect(rows.read(0, 5)).rejects.toBeInstanceOf(ClosedError);
    expect(requests.asked[0]!.signal.aborted).toBe(true);
    expect(() => rows.changed({ key: 1 })).toThrow(ClosedError);
    expect(() => rows.reset()).toThrow(ClosedError);
    expect(() => rows.onChange(() => {})).toThrow(ClosedError);
  });

  it('ends when the tracker is closed by hand', async () => {
    const { rows, requests } = stage();
    const read = rows.read(0, 5);
    read.catch(() => {});
    await settled();
    await rows.tracker.close();
    await answered({ requests });
    await expect(read).rejects.toBeInstanceOf(ClosedError);
  });
});

describe('bad input', () => {
  const options = { load: () => [], keyOf, compare };
  it.each<[string, object]>([
    ['load is 1; expected a function', { ...options, load: 1 }],
    ['keyOf is undefined; expected a function', { ...options, keyOf: undefined }],
    ['compare is undefined; expected a function', { ...options, compare: undefined }],
    ['blockRows is 0; expected a whole number of at least 1', { ...options, blockRows: 0 }],
    ['maxLoadRows is 5; expected a whole number of at least blockRows, 10', { ...options, blockRows: 10, maxLoadRows: 5 }],
    ['keepRows is -1; expected a number of rows, 0 or more', { ...options, keepRows: -1 }],
    ['coalesceMs is "1"; expected a number of milliseconds, 0 or more', { ...options, coalesceMs: '1' }],
    ['option "blockrows" is not known to new RowWindow; did you mean "blockRows"?', { ...options, blockrows: 1 }],
  ])('says: %s', (message, given) => {
    expect(() => new RowWindow(given as never)).toThrow(new InvalidArgumentError(message));
  });

  it('of a read or a change is refused before anything is asked', async () => {
    const { rows, requests } = stage();
    await expect(rows.read(5, 5)).rejects.toThrow(
      new InvalidRangeError('rows [5, 5) are no range of indexes; expected whole numbers, 0 <= start < end'),
    );
    await expect(rows.read(0, 5, { allowStale: true })).rejects.toThrow(InvalidArgumentError);
    expect(() => rows.changed({ key: undefined } as never)).toThrow('key is undefined; expected the key of a row');
    expect(() => rows.changed({ key: 1, from: 2 } as never)).toThrow('expected { key } or { from, to }, not both');
    expect(() => rows.changed({ from: 5, to: 5 })).toThrow('rows from 5 to 5 are none: to must come after from');
    expect(() => rows.changed(5 as never)).toThrow('change is 5; expected { key } or { from, to }');
    expect(() => rows.peek(-1)).toThrow(InvalidRangeError);
    await expect(rows.mutate({ key: 1 }, 5 as never)).rejects.toThrow(InvalidArgumentError);
    expect(requests.asked).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['load returned 5; expected an array of rows', 5],
    ['load returned 12 rows; expected 11 at most', Array.from({ length: 12 }, (_, key) => ({ key }))],
    ['load returned the key 1 at 1 behind 2; expected keys in the order of compare, each once', [{ key: 2 }, { key: 1 }]],
    ['load returned the key 1 at 1 behind 1; expected keys in the order of compare, each once', [{ key: 1 }, { key: 1 }]],
    ['load returned the key undefined at 0; expected the key of a row', [{}]],
  ])('of load is refused: %s', async (message, answer) => {
    const rows = new RowWindow<Row, number>({ load: () => answer as never, keyOf, compare, blockRows: 10 });
    await expect(rows.read(0, 1)).rejects.toThrow(new InvalidArgumentError(message));
  });

  it('of load is refused if it is of other keys', async () => {
    const rows = new RowWindow<Row, number>({
      ...{ load: ({ limit }) => Table.of(30).rows.slice(0, limit), keyOf, compare, blockRows: 10 },
    });
    await rows.read(0, 5);
    await expect(rows.read(10, 15)).rejects.toThrow('load returned the key 10 at 0; expected keys from 110 up to undefined');
  });
});

it('is printed as what it has, in a line', async () => {
  const { rows } = await filled();
  expect(String(rows)).toMatch(/^RowWindow \{ rowCount: 100, knownRows: 100, closed: false, stats: /);
  rows[Symbol.dispose]();
  expect(rows.closed).toBe(true);
});
