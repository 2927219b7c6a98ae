import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { Axis } from '../../lib/trace/axis.js';
import { publishChannels, type Trace, TraceRecorder, toHtml, toPerformance, toSvg } from '../../lib/trace/index.js';
import { runOf } from '../../lib/trace/run.js';
import { type Scene, sceneOf } from '../../lib/trace/scene.js';
import { range } from '../support/reading.js';
import { EVERYTHING_IN_IT, fabricate, recordEverything } from '../support/traced.js';

const EMPTY: Trace = { version: 1, dropped: 0, events: [] };

let trace: Trace;

beforeAll(async () => {
  trace = await recordEverything();
});

describe('a run', () => {
  it('has every section, lookup, wait and hold, from where it began to where it ended', () => {
    const { sections, readers, subscriptions } = runOf(trace);
    expect(sections.map(({ label }) => label)).toEqual(['rewrite', 'inner', 'late', 'refused', 'queued', 'open']);
    const [rewrite, inner, , refused, queued, open] = sections;
    expect(inner!.within).toBe(rewrite!.id);
    expect(refused).toMatchObject({ active: undefined, queue: undefined, refused: expect.any(Number) });
    expect(queued!.queue!.to).toBeLessThanOrEqual(queued!.active!.from);
    expect(open!.active!.to).toBe(trace.events.length);
    expect(readers[0]!.stretches.map(({ what }) => what).sort()).toEqual(['attempt', 'attempt', 'attempt', 'hold', 'wait']);
    expect(readers.map(({ outcome }) => outcome)).toEqual(['committed', 'failed', 'committed']);
    expect(subscriptions).toMatchObject([{ label: 'cache <1>', to: trace.events.length - 1 }]);
  });

  it('names the section that hit an attempt, whether it is active or has ended', () => {
    const { hits } = runOf(trace).readers[0]!;
    expect(hits.map(({ collision, offender }) => [collision.reason, offender?.label])).toEqual([
      ['active', 'rewrite'],
      ['ended', 'late'],
    ]);
  });

  it('tells two sections of the same name apart by what they cover', async () => {
    const recorder = new TraceRecorder();
    const tracker = new RangeTracker({ observer: recorder.observer });
    let attempts = 0;
    await tracker.lookup([range(0, 4), range(100, 104)], () => {
      if (attempts++ > 0) return;
      tracker.tryBegin(range(102, 120), { label: 'same' })!.end();
      tracker.tryBegin(range(200, 204), { label: 'same' })!.end();
    });
    const run = runOf(recorder.trace());
    expect(run.readers[0]!.hits[0]!.offender).toBe(run.sections[0]);
  });

  it('leaves out what is known by its end only, and says how much that was', () => {
    const cut = { ...trace, dropped: 3, events: trace.events.slice(3) };
    const run = runOf(cut);
    expect(run.incomplete).toBe(1);
    expect(sceneOf(cut).counts).toMatchObject({ dropped: 3, incomplete: 1 });
    expect(toSvg(cut)).toContain('3 earlier events forgotten, 1 thing not shown');
  });
});

describe('the axis', () => {
  it('keeps proportions inside what is touched, and cuts down what is not', () => {
    const axis = new Axis([range(0, 10), range(5, 20), range(1e12, 1e12 + 20)]);
    const unit = axis.at(1) - axis.at(0);
    expect(axis.at(0)).toBe(0);
    expect(axis.at(20) - axis.at(10)).toBeCloseTo(10 * unit, 9);
    expect(axis.at(1e12 + 20)).toBeCloseTo(1, 9);
    expect(axis.at(1e12) - axis.at(20)).toBeCloseTo(0.04 * 40 * unit, 9);
    expect(axis.at(5e11)).toBeGreaterThan(axis.at(20));
    expect(axis.at(5e11)).toBeLessThan(axis.at(1e12));
  });

  it('has room beyond the edges for what has no end, and for a space that nobody touched', () => {
    const axis = new Axis([{ start: 0, end: Number.POSITIVE_INFINITY }, range(0, 8)]);
    expect([axis.at(0), axis.at(Number.POSITIVE_INFINITY)]).toEqual([0, 1]);
    expect(axis.at(8)).toBeCloseTo(0.97, 9);
    expect(new Axis([]).at(0.5)).toBe(0.5);
  });
});

describe('performance measures', () => {
  it('are there for everything, on tracks of their own', () => {
    const measure = vi.fn<(name: string, options: { start: number; end: number; detail: object }) => void>();
    const mark = vi.fn();
    const { attempts, collisions } = EVERYTHING_IN_IT;
    // Five sections began, one queued, of four somebody was told; one wait, one hold.
    expect(toPerformance([{ name: 'files', trace }], { measure, mark })).toBe(5 + 1 + 4 + attempts + 1 + 1 + collisions);
    const devtools = { dataType: 'track-entry', trackGroup: 'rangefence: files', track: 'sections', color: 'tertiary' };
    expect(measure).toHaveBeenCalledWith(expect.stringContaining('section "rewrite"'), {
      ...{ start: 1, end: 3 },
      detail: { devtools: expect.objectContaining(devtools) },
    });
    expect(mark).toHaveBeenCalledTimes(collisions);
    expect(mark.mock.calls[0]![1]).toMatchObject({ startTime: 3, detail: { devtools: { dataType: 'marker', color: 'error' } } });
    for (const [, { start, end }] of measure.mock.calls) expect(end).toBeGreaterThanOrEqual(start);
  });

  it('are taken by the host', () => {
    performance.clearMeasures();
    toPerformance(trace);
    const names = performance.getEntriesByType('measure').map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('section'))).toHaveLength(5);
    performance.clearMeasures();
    performance.clearMarks();
    expect(() => toPerformance(trace, {} as never)).toThrow('performance');
  });
});

describe('channels', () => {
  it('carry what happens, each event with its type, to who has subscribed', async () => {
    const seen: string[] = [];
    const listen = (message: unknown, name: string | symbol) =>
      void seen.push(`${String(name)} ${(message as { type: string }).type}`);
    const tracker = new RangeTracker({ observer: publishChannels() });
    tracker.tryBegin(range(0, 8))!.end(); // nobody listens yet
    const names = ['rangefence:invalidation', 'rangefence:lookup', 'rangefence:collision'];
    for (const name of names) subscribe(name, listen);
    let attempts = 0;
    await tracker.lookup(range(0, 8), () => void (attempts++ === 0 && tracker.tryBegin(range(4, 5))!.end()));
    for (const name of names) unsubscribe(name, listen);
    tracker.tryBegin(range(0, 8))!.end();
    expect(seen).toEqual([
      'rangefence:lookup attempt',
      'rangefence:invalidation begin',
      'rangefence:invalidation ended',
      'rangefence:collision collided',
      'rangefence:lookup attempt',
      'rangefence:lookup committed',
    ]);
    expect(tracker.stats.observerErrors).toBe(0);
  });

  it('make no message while nobody listens', () => {
    const { begin } = publishChannels();
    const event = new Proxy({}, { ownKeys: () => expect.fail('a message was made') });
    begin!(event as never);
  });

  it('do nothing where the host has none', () => {
    for (const process of [undefined, {}, { getBuiltinModule: () => undefined }]) {
      vi.stubGlobal('process', process);
      const observer = publishChannels();
      vi.unstubAllGlobals();
      expect(observer).toEqual({});
    }
  });
});

describe('an SVG picture', () => {
  const classes = (svg: string, name: string) => [...svg.matchAll(new RegExp(`class="(shape )?${name}"`, 'g'))].length;

  it('has every section, attempt, wait and collision once, beside its legend', () => {
    const svg = toSvg(trace);
    const shapes = svg.slice(0, svg.lastIndexOf('<g transform='));
    const { attempts, collisions, failed } = EVERYTHING_IN_IT;
    expect(classes(shapes, 'section')).toBe(5);
    expect(classes(shapes, 'queue')).toBe(1);
    expect(classes(shapes, 'refused')).toBe(1);
    expect(classes(shapes, 'lost') + classes(shapes, 'committed') + classes(shapes, 'failed')).toBe(attempts);
    expect(classes(shapes, 'failed')).toBe(failed);
    expect(classes(shapes, 'wait')).toBe(1);
    expect(classes(shapes, 'hold')).toBe(1);
    expect(classes(shapes, 'collision')).toBe(collisions);
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('is well-formed and refers to nothing outside, whatever labels say', () => {
    const svg = toSvg(trace);
    const open: string[] = [];
    for (const [, close, name, rest] of svg.matchAll(/<(\/?)([a-z]+)([^>]*)>/g)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (!rest!.endsWith('/')) open.push(name!);
    }
    expect(open).toEqual([]);
    expect(svg.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<script|href=/);
    expect(svg).toContain('broken &#38; &#34;quoted&#34;');
    expect(toSvg(EMPTY)).toContain('0 sections, 0 lookups');
  });

  it('puts later things lower: by the order of events, or in proportion to time', () => {
    const tops = (svg: string) =>
      [...svg.matchAll(/class="shape section"[^>]* y="([\d.]+)"/g)].map(([, y]) => Number(y)).slice(0, 5);
    const byOrder = tops(toSvg(trace));
    const byClock = tops(toSvg(trace, { time: 'clock', height: 330 }));
    expect([...byOrder].sort((a, b) => a - b)).toEqual(byOrder);
    expect(byOrder[0]).toBe(40 + 18 * trace.events.findIndex(({ type }) => type === 'begin'));
    const last = trace.events.at(-1)!.at;
    expect(byClock[0]).toBeCloseTo(40 + 290 / last, 0);
  });

  it('refuses sizes and times that cannot be used', () => {
    expect(() => toSvg(trace, { width: 10 })).toThrow('width');
    expect(() => toSvg(trace, { height: Number.NaN })).toThrow('height');
    expect(() => toSvg(trace, { time: 'day' as never })).toThrow("'order' or 'clock'");
    expect(() => toSvg(trace, { lastMs: 0 })).toThrow('lastMs');
    expect(() => toSvg(trace, { space: 7 as never })).toThrow('space');
  });
});

describe('a page', () => {
  const sceneIn = (html: string) => JSON.parse(/id="data">(.*)<\/script>/.exec(html)![1]!) as Scene;

  it('holds the whole scene, and counts it', () => {
    const scene = sceneIn(toHtml(trace));
    const { sections, lookups, attempts, collisions } = EVERYTHING_IN_IT;
    expect(scene).toEqual(JSON.parse(JSON.stringify(sceneOf(trace))));
    expect(scene.counts).toMatchObject({ sections, lookups, attempts, collisions, waits: 1, dropped: 0, incomplete: 0 });
  });

  it('fetches nothing, and nothing that labels and errors say becomes markup', () => {
    const html = toHtml(trace, { title: '<script>alert(1)</script>' });
    expect(html).not.toMatch(/https?:|src=|@import/);
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(html).toContain("default-src 'none'");
    expect(() => toHtml(trace, { title: 1 as never })).toThrow('title');
    expect(() => toHtml(trace, { lastMs: Number.NaN })).toThrow('lastMs');
    expect(() => toHtml(trace, { space: 7 as never })).toThrow('space');
  });

  it('has a script that a browser can parse', () => {
    const script = /<script>\n([\s\S]*)<\/script>/.exec(toHtml(trace))![1]!;
    expect(() => new Function(script)).not.toThrow();
  });

  it('has shapes in order, each block with how far it reaches', () => {
    const scene = sceneOf(fabricate(6000));
    for (const [i, { from, to }] of scene.layers.entries()) {
      expect([...from].sort((a, b) => a - b)).toEqual(from);
      for (const [at, end] of to.entries())
        if (end > scene.reaches[i]![Math.floor(at / 256)]!) expect.fail(`${at} reaches to ${end}`);
    }
    expect(scene.layers[0]!.from).toHaveLength(1000);
    expect(scene.layers[1]!.from).toHaveLength(2000);
  });
});
