/** What is said and drawn of what a run holds: of waits that were given up, of sections that were rolled back, of odd ranges. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { inside, waiting } from '../../bench/pictures/runs.js';
import { RangeTracker } from '../../lib/index.js';
import { KeyedFence } from '../../lib/keyed/index.js';
import { Axis } from '../../lib/trace/axis.js';
import { noticeText, rangesText, readerText, sectionText, stretchText, subjectOf } from '../../lib/trace/captions.js';
import { type Trace, type TraceEvent, TraceRecorder, toPerformance, toSvg } from '../../lib/trace/index.js';
import { type Run, runOf } from '../../lib/trace/run.js';
import { type Scene, STYLES, sceneOf } from '../../lib/trace/scene.js';
import { ManualClock } from '../support/clock.js';
import { range } from '../support/reading.js';
import { fabricate } from '../support/traced.js';

const INFINITE = Number.POSITIVE_INFINITY;

let trace: Trace;
let run: Run;

beforeAll(async () => {
  trace = await waiting();
  run = runOf(trace);
});

function section(label: string) {
  return run.sections.find((one) => one.label === label)!;
}

/** How often each style occurs. */
function styles({ layers }: Scene): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { style } of layers) {
    for (const number of style) counts[STYLES[number]!] = (counts[STYLES[number]!] ?? 0) + 1;
  }
  return counts;
}

describe('a run in which somebody has to wait', () => {
  it('shows from when to when a section waited for its subscribers', () => {
    const { active, telling, rolledBack } = section('waits for the slow cache');
    expect(telling!.from).toBe(active!.from);
    expect(trace.events[telling!.to]!.type).toBe('begun');
    expect([telling!.to < active!.to, rolledBack]).toEqual([true, false]);
    expect(sectionText(section('waits for the slow cache'), run)).toContain(
      'over [2, 6)\nactive: 3 ms\nof that, waited for its subscribers: 2 ms',
    );
  });

  it('shows that a section was rolled back, as it waited to its end', () => {
    const { active, telling, rolledBack } = section('rolled back');
    expect([telling, rolledBack]).toEqual([active, true]);
    expect(sectionText(section('rolled back'), run)).toContain('rolled back: not everybody has confirmed');
  });

  it('shows who gave up: a reader and a begin in the queue', () => {
    const bare = run.readers.find(({ operation }) => operation === 'readBegin')!;
    expect(bare).toMatchObject({ outcome: 'failed', stretches: [{ what: 'wait', gaveUp: true }] });
    expect(trace.events[bare.to]!.type).toBe('gaveUp');
    expect(readerText(bare, run)).toMatch(/^readBegin #\d+: gave up after 1 ms$/);
    expect(stretchText(bare.stretches[0]!, run, subjectOf(run))).toMatch(
      /slow cache" #\d+ \(clear\), and gives up, over \[4, 10\)/,
    );
    expect(section('withdrawn')).toMatchObject({ withdrawn: true, active: undefined });
    expect(sectionText(section('withdrawn'), run)).toContain('gave up before it began');
    expect(styles(sceneOf(trace))).toMatchObject({ gaveUp: 2, telling: 2, section: 3, notice: 2, hold: 1 });
  });

  it('shows a lookup that gave up waiting as such', async () => {
    const clock = new ManualClock();
    const recorder = new TraceRecorder({ clock });
    const tracker = new RangeTracker({ observer: recorder.observer, clock });
    tracker.tryBegin(range(0, 8));
    const failed = tracker.lookup(range(0, 8), () => 1, { timeoutMs: 5 }).catch(() => {});
    clock.advance(5);
    await failed;
    const { readers } = runOf(recorder.trace());
    expect(readers).toMatchObject([{ outcome: 'failed', stretches: [{ what: 'wait', gaveUp: true }] }]);
    expect(readerText(readers[0]!, run)).toContain('failed: TimeoutError');
  });

  it('keeps what it can of a trace that has lost its beginning, or has no end yet', () => {
    for (let from = 0; from < trace.events.length; from++) {
      const cut = runOf({ ...trace, events: trace.events.slice(from) });
      for (const { telling, active } of cut.sections) if (telling !== undefined) expect(telling.from).toBe(active!.from);
      for (const { stretches } of cut.readers)
        for (const { from: begin, to } of stretches) expect(to).toBeGreaterThanOrEqual(begin);
    }
    const begin = trace.events.findIndex(({ type }) => type === 'notified') + 1;
    const open = runOf({ ...trace, events: trace.events.slice(0, begin) });
    expect(open.sections[0]).toMatchObject({ rolledBack: false, telling: { to: begin } });
    expect(sectionText(open.sections[0]!, open)).toContain('waited for its subscribers: 0 ms, not over');
  });

  it('says how long a callback took, if it took any time', () => {
    const [notice] = run.notices;
    expect(noticeText(notice!)).toMatch(/^subscriber "slow cache" #\d+ is told of section .*: needs time$/);
    expect(noticeText({ ...notice!, ms: 12.345, answer: 'failed' })).toMatch(/: failed, after 12\.3 ms in its callback$/);
    expect(noticeText({ ...notice!, ms: 1234.5, section: undefined })).toContain('told of a section: needs time, after 1235 ms');
  });

  it('has measures for it, none of them without a length', () => {
    const measure =
      vi.fn<(name: string, options: { start: number; end: number; detail: { devtools: { color: string } } }) => void>();
    toPerformance(trace, { measure, mark: () => {} });
    for (const [, { start, end }] of measure.mock.calls) expect(end).toBeGreaterThan(start);
    const named = (part: string) => measure.mock.calls.filter(([name]) => name.startsWith(part));
    expect(named('told: ')).toHaveLength(2);
    expect(named('readBegin').map(([, { detail }]) => detail.devtools.color)).toEqual(['error']);
  });
});

describe('a scene', () => {
  it('names unbounded ranges and long lists of ranges, in captions', () => {
    const many = [1, 3, 5, 7, 9, 11].map((start) => range(start, start + 1));
    expect(rangesText(many)).toBe('[1, 2) [3, 4) [5, 6) [7, 8) and 2 more');
    expect(rangesText([{ start: Number.NEGATIVE_INFINITY, end: INFINITE }])).toBe('[-∞, ∞)');
  });

  it('has room at both edges for what goes on for ever', () => {
    const axis = new Axis([
      { start: Number.NEGATIVE_INFINITY, end: 0 },
      { start: 10, end: INFINITE },
      { start: Number.NEGATIVE_INFINITY, end: INFINITE },
    ]);
    expect(axis.at(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(axis.at(0)).toBeGreaterThan(0);
    expect(axis.at(10)).toBeLessThan(1);
    expect([axis.at(-5), axis.at(1e9)]).toEqual([axis.at(0), axis.at(10)]);
  });

  it('has titles on both axes, with their units, and says in words what has happened', async () => {
    const words = (svg: string) => [...svg.matchAll(/<text class="axis"[^>]*>([^<]*)</g)].map(([, word]) => word!);
    expect(words(toSvg(trace))).toEqual(
      expect.arrayContaining(['space →', '↓ events', 'change begins', 'read waits', 'gives up']),
    );
    expect(words(toSvg(trace, { space: 'bytes', time: 'clock' }))).toEqual(
      expect.arrayContaining(['bytes →', '↓ time, ms', '0']),
    );
    const long = { ...trace, events: trace.events.map((event) => ({ ...event, at: event.at * 1000 })) };
    expect(words(toSvg(long, { time: 'clock' }))).toEqual(expect.arrayContaining(['↓ time, s', '0', '2']));
  });

  it('has the names of subscribers where they are told, and those of keys, each on a ground of its own', async () => {
    const names = (svg: string) =>
      [...svg.matchAll(/<rect class="paper"[^>]*\/>\n<text class="name"[^>]*>([^<]*)</g)].map(([, name]) => name!);
    expect(names(toSvg(trace))).toEqual(expect.arrayContaining(['slow cache', 'waits for the slow cache', 'broken cache']));
    expect(toSvg(trace).split('class="name"').length - 1).toBe(names(toSvg(trace)).length);

    const recorder = new TraceRecorder();
    const fence = new KeyedFence<string>({ observer: recorder.observer });
    await Promise.all([fence.lookup('user:1', async () => 1), fence.mutate('user:2', () => {})]);
    const keyed = toSvg(recorder.trace(), { width: 1200 });
    expect(names(keyed).some((name) => name.includes('user:1')) && names(keyed).some((name) => name.includes('user:2'))).toBe(
      true,
    );
    expect(keyed).toContain('>slots of keys →<');
  });

  it('shows the last milliseconds alone, by the order of events and in proportion to time', () => {
    const until = trace.events.at(-1)!.at;
    const late = trace.events.filter(({ at }) => at >= until - 2).length;
    expect(late).toBeLessThanOrEqual(trace.events.length / 2);
    const rows = (svg: string) => svg.split('text-anchor="end"').length - 1;
    expect(rows(toSvg(trace, { lastMs: 2 })) - rows(toSvg(trace, { lastMs: until }))).toBe(late - trace.events.length);
    expect(rows(toSvg(trace, { lastMs: 1e9 }))).toBe(rows(toSvg(trace)));
    const svg = toSvg(trace, { lastMs: 2, time: 'clock' });
    expect(svg).not.toContain('slow cache');
    expect(svg).toContain('rolled back');
    const tops = [...svg.matchAll(/class="shape \w+"[^>]* y="(-?[\d.]+)"/g)].map(([, y]) => Number(y));
    for (const y of tops.slice(0, -10)) expect(y).toBeGreaterThanOrEqual(38);
  });

  it('knows how far the attempt reaches that was hit, so that a page can open near it', () => {
    const reader = { reader: 1, operation: 'lookup' } as const;
    const events: TraceEvent[] = [
      { type: 'attempt', at: 0, seq: 0, ...reader, ranges: [range(4, 14)], attempt: 1 },
      { type: 'collided', at: 1, seq: 2, reader: 1, attempt: 1, reason: 'ended', range: range(5, 6) },
      { type: 'attempt', at: 2, seq: 2, ...reader, ranges: [range(0, 40)], attempt: 2 },
    ];
    expect(sceneOf({ version: 1, dropped: 0, events }).marks).toMatchObject([{ x: 5.5 / 40, reach: 10 / 40 }]);
  });

  it('puts a collision whose place is forgotten in the middle', () => {
    const reader = { reader: 1, operation: 'lookup', ranges: [{ start: 0, end: 8 }], attempt: 1 } as const;
    const events: TraceEvent[] = [
      { type: 'attempt', at: 0, seq: 0, ...reader },
      { type: 'collided', at: 1, seq: 9, reader: 1, attempt: 1, reason: 'closed' },
    ];
    const { marks, texts } = sceneOf({ version: 1, dropped: 0, events });
    expect(marks).toMatchObject([{ x: 0.5, since: -1 }]);
    expect(texts[marks[0]!.text]).toContain('attempt 1 was hit: what happened closed');
  });

  it('of a long run becomes an SVG of bounded size, every style of it still there', async () => {
    // Each six events are a section, two attempts and a collision.
    const long = toSvg(fabricate(33_000), { time: 'clock', width: 300, height: 150 });
    expect(long.split('<g>').length).toBeLessThan(((33_000 / 6) * 4) / 2);
    for (const style of ['section', 'lost', 'committed']) expect(long).toContain(`class="shape ${style}"`);
    expect(long.split('class="collision"').length).toBeGreaterThan(1000);
    expect(toSvg(await inside(), { time: 'clock', width: 300 })).toContain('>lookup<');
  });
});
