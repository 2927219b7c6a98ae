/**
 * What a mirror and a source say of themselves: to `inspect`, when they are printed, and in a trace.
 */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ByteSource } from '../../lib/bytes/index.js';
import { RangeTracker } from '../../lib/index.js';
import { fence, KeyedFence } from '../../lib/keyed/index.js';
import { RangeMirror } from '../../lib/mirror/index.js';
import { TraceRecorder, toChromeTrace, toSvg } from '../../lib/trace/index.js';
import { MemoryBackend } from '../support/bytes/memory.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { type Deferred, deferred, Outcome, soon } from '../support/turns.js';

function build() {
  const clock = new ManualClock();
  const recorder = new TraceRecorder({ clock });
  const tracker = new RangeTracker({ clock, observer: recorder.observer });
  const loads: Deferred<readonly string[]>[] = [];
  const mirror = new RangeMirror<string>({
    ...{ tracker, clock, pageSize: 8, range: { start: 0, end: 64 }, label: 'tiles' },
    load: () => {
      loads.push(deferred());
      return loads.at(-1)!.promise;
    },
  });
  return { clock, recorder, tracker, loads, mirror };
}

const pages = (first: number, count: number) => ({ start: first * 8, end: (first + count) * 8 });

describe('inspect of a mirror', () => {
  it('shows what it loads, for how many, since when, and its counters', async () => {
    const { clock, loads, mirror } = build();
    const first = mirror.read(pages(0, 2));
    clock.advance(5);
    const second = mirror.read(pages(1, 2));
    await settled();
    clock.advance(2);
    expect(mirror.inspect()).toEqual({
      ...{ label: 'tiles', range: { start: 0, end: 64 }, pageSize: 8, size: 0, banned: false, closed: false },
      loads: [
        { first: 0, count: 2, forMs: 7, readers: 2, waitedForBy: [] },
        { first: 2, count: 1, forMs: 2, readers: 1, waitedForBy: [] },
      ],
      ...{ reads: 2, leaving: [], stats: { ...mirror.stats } },
    });
    loads[0]!.resolve(['a', 'b']);
    loads[1]!.resolve(['c']);
    expect(await soon(Promise.all([first, second]))).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ]);
    expect(mirror.inspect()).toMatchObject({ size: 3, loads: [], reads: 0, stats: { joined: 1, loads: 2 } });
  });

  it('shows which load waits for which, and whose onDrop takes its time', async () => {
    const tracker = new RangeTracker();
    const gate = deferred();
    const mirror: RangeMirror<string> = new RangeMirror<string>({
      ...{ tracker, pageSize: 1, label: 'm' },
      load: async (first) => (first === 0 ? await mirror.read({ start: 1, end: 2 }) : gate.promise.then(() => ['x'])),
      onDrop: () => gate.promise,
    });
    const reading = mirror.read({ start: 0, end: 1 });
    await settled();
    expect(mirror.inspect().loads).toMatchObject([
      { first: 0, waitedForBy: [] },
      { first: 1, waitedForBy: ['load of pages [0, 1) of the mirror "m"'] },
    ]);
    gate.resolve();
    await soon(reading);
    const slow = deferred();
    const other = new RangeMirror({ tracker, pageSize: 1, load: () => ['x'], onDrop: () => slow.promise });
    await other.read({ start: 3, end: 4 });
    const changing = tracker.invalidate({ start: 3, end: 4 });
    expect(other.inspect()).toMatchObject({ size: 0, leaving: [3] });
    slow.resolve();
    await soon(changing);
    expect(other.inspect().leaving).toEqual([]);
  });

  it('is what JSON and print show, the latter in a line', async () => {
    const { mirror } = build();
    expect(JSON.parse(JSON.stringify(mirror))).toEqual(JSON.parse(JSON.stringify(mirror.inspect())));
    expect(inspect(mirror)).toMatch(/^RangeMirror .*tiles/);
  });
});

it('a source shows its version, its requests and its counters, and survives JSON', async () => {
  const backend = new MemoryBackend(new Uint8Array(100));
  const source = new ByteSource({ backend, pageSize: 32, label: 'archive' });
  expect(source.inspect()).toMatchObject({ label: 'archive', version: null, pages: 0, loads: [], reads: 0 });
  backend.held = true;
  const reading = new Outcome(source.read(0, 40));
  await settled();
  expect(source.inspect()).toMatchObject({ loads: [{ first: 0, count: 2, readers: 1 }], reads: 1 });
  backend.held = false;
  while (reading.value === undefined) {
    for (const call of backend.calls) call.go();
    await settled();
  }
  expect(JSON.parse(JSON.stringify(source))).toMatchObject({
    version: { key: '1', size: 100 },
    pages: 2,
    stats: { requests: 1 },
  });
});

/** The events of each load of a mirror, in order of their beginnings; where it waits for a change, it does so by lookups. */
function loadsOf(recorder: TraceRecorder) {
  const steps = recorder.trace().events.filter((event) => 'reader' in event);
  const begun = steps.filter((event) => 'operation' in event && event.operation === 'load');
  return begun.map(({ reader }) => steps.filter((event) => event.reader === reader));
}

describe('a trace', () => {
  it('has the loads of a mirror, in pages, and which were hit by whom', async () => {
    const { recorder, tracker, loads, mirror } = build();
    const reading = mirror.read(pages(0, 2));
    await settled();
    await tracker.invalidate(pages(0, 8), { label: 'flush' });
    await settled();
    loads[1]!.resolve(['a', 'b']);
    expect(await soon(reading)).toEqual(['a', 'b']);
    const where = 'pages [0, 2) of the mirror "tiles"';
    const [lost, got] = loadsOf(recorder);
    expect(lost).toMatchObject([
      { type: 'attempt', operation: 'load', where, label: 'tiles', ranges: [pages(0, 2)] },
      { type: 'collided', reason: 'active', label: 'flush', range: pages(0, 2) },
      { type: 'failed', error: expect.stringContaining('CollisionError') },
    ]);
    expect(got).toMatchObject([{ type: 'attempt', operation: 'load', where }, { type: 'committed' }]);
    const [first, second] = [lost, got].map((events) => events![0]!.reader);
    const chrome = toChromeTrace(recorder.trace()).traceEvents;
    expect(chrome.filter(({ cat, ph }) => cat === 'load' && ph === 'n')).toMatchObject([{ name: 'collision' }]);
    expect(chrome.map(({ name }) => name)).toContain(`load #${first} of ${where}`);
    const picture = toSvg(recorder.trace());
    expect(picture).toContain(`load #${second} of ${where}`.replaceAll('"', '&#34;'));
    expect(picture).toContain('1 collision');
  });

  it('has a load of which a page was hit and the rest installed, one that failed, and one that nobody wants any more', async () => {
    const { recorder, tracker, loads, mirror } = build();
    const reading = mirror.read(pages(0, 2));
    await settled();
    await tracker.invalidate(pages(1, 1));
    await settled();
    loads[0]!.resolve(['a', 'old']);
    loads[1]!.resolve(['b']);
    expect(await soon(reading)).toEqual(['a', 'b']);
    const failing = new Outcome(mirror.read(pages(4, 1)));
    loads[2]!.reject(new Error('no such tile'));
    await settled();
    expect(failing.error).toMatchObject({ message: 'no such tile' });
    const controller = new AbortController();
    const leaving = new Outcome(mirror.read(pages(5, 1), { signal: controller.signal }));
    controller.abort(new Error('enough'));
    await settled();
    expect(leaving.error).toMatchObject({ message: 'enough' });
    const [partly, again, failed, left] = loadsOf(recorder);
    expect(partly!.map(({ type }) => type)).toEqual(['attempt', 'collided', 'committed']);
    expect(again!.map(({ type }) => type)).toEqual(['attempt', 'committed']);
    expect(failed).toMatchObject([{ type: 'attempt' }, { type: 'failed', error: 'Error: no such tile' }]);
    expect(left).toMatchObject([{ type: 'attempt' }, { type: 'failed', error: 'Error: enough' }]);
  });

  it('has a load of a fenced cache once, as the lookup of its key that it is', async () => {
    const recorder = new TraceRecorder();
    const cache = fence(new Map<string, number>(), {
      label: 'users',
      keyed: new KeyedFence<string>({ observer: recorder.observer }),
    });
    await soon(cache.getOrLoad('a', async () => 1));
    const steps = recorder.trace().events.filter((event) => 'reader' in event);
    expect(steps).toMatchObject([
      { type: 'attempt', operation: 'lookup', label: 'users', where: expect.stringContaining('"a"') },
      { type: 'committed' },
    ]);
  });
});
