/**
 * The JSON for Chrome's tracing, against the rules of its format ("Trace Event Format", which the tools that read it share),
 * written down here a second time, from the format's side: what is checked is a parsed file, of which nothing is known.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { waiting } from '../../bench/pictures/runs.js';
import { type Trace, TraceRecorder, toChromeTrace } from '../../lib/trace/index.js';
import { fabricate, recordEverything } from '../support/traced.js';

const EMPTY: Trace = { version: 1, dropped: 0, events: [] };

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Phases of the format that are not out of date. */
const PHASES = new Set('B E X b n e i I C s t f M P N O D V v R c ( )'.split(' '));
const METADATA: Record<string, string> = {
  ...{ process_name: 'string', process_labels: 'string', process_sort_index: 'number' },
  ...{ thread_name: 'string', thread_sort_index: 'number' },
};

/** What is wrong with one event, whatever stands beside it. */
function problemsOfEvent(event: unknown): string[] {
  if (!isObject(event)) return ['is no object'];
  const { name, ph, cat, id, ts, pid, tid, args } = event;
  const rules: [boolean, string][] = [
    [typeof name === 'string' && name !== '', 'name'],
    [typeof ph === 'string' && PHASES.has(ph), 'ph'],
    [typeof cat === 'string' && cat !== '' && !cat.split(',').includes(''), 'cat'],
    [typeof ts === 'number' && Number.isFinite(ts) && ts >= 0, 'ts'],
    [Number.isInteger(pid), 'pid'],
    [Number.isInteger(tid), 'tid'],
    [args === undefined || isObject(args), 'args'],
    [!'bne'.includes(String(ph)) || (typeof id === 'string' && /^0x[0-9a-f]{1,16}$/.test(id)), 'id of an asynchronous event'],
  ];
  if (ph === 'M') {
    const value = isObject(args) ? (args.name ?? args.labels ?? args.sort_index) : undefined;
    rules.push([typeof value === METADATA[String(name)], 'args of metadata']);
  }
  return rules.filter(([kept]) => !kept).map(([, what]) => what);
}

interface Track {
  readonly open: string[];
  last: number;
  pid: unknown;
}

/** Every rule that a file breaks; the tracks that it has. Ends match begins by category, id and scope, in no matter which process. */
function examine(text: string): { problems: string[]; tracks: number } {
  const file: unknown = JSON.parse(text);
  if (!isObject(file) || !Array.isArray(file.traceEvents)) return { problems: ['has no traceEvents'], tracks: 0 };
  const problems: string[] = file.displayTimeUnit === 'ms' || file.displayTimeUnit === 'ns' ? [] : ['displayTimeUnit'];
  const tracks = new Map<string, Track>();
  const named = new Set<unknown>();
  file.traceEvents.forEach((event, i) => {
    problems.push(...problemsOfEvent(event).map((what) => `${i}: ${what}`));
    if (!isObject(event)) return;
    if (event.name === 'process_name') named.add(event.pid);
    if ('bne'.includes(String(event.ph))) problems.push(...step(tracks, event).map((what) => `${i}: ${what}`));
  });
  for (const [key, { open, pid }] of tracks) {
    if (open.length > 0) problems.push(`${key}: not ended`);
    if (!named.has(pid)) problems.push(`${key}: of a process without a name`);
  }
  return { problems, tracks: tracks.size };
}

/** Nestable asynchronous events: a stack for each track, in order of time. */
function step(tracks: Map<string, Track>, { ph, cat, id, scope, name, ts, pid }: Json): string[] {
  const key = `${cat} ${id} ${scope ?? ''}`;
  const track = tracks.get(key) ?? { open: [], last: Number.NEGATIVE_INFINITY, pid };
  tracks.set(key, track);
  const problems: string[] = [];
  if (track.pid !== pid) problems.push('a track in two processes');
  if ((ts as number) < track.last) problems.push('back in time');
  track.last = ts as number;
  if (ph === 'b') track.open.push(String(name));
  else if (track.open.length === 0) problems.push('outside of its track');
  else if (ph === 'e' && track.open.pop() !== name) problems.push('ends something else');
  return problems;
}

const textOf = (traces: Parameters<typeof toChromeTrace>[0]) => JSON.stringify(toChromeTrace(traces));

let trace: Trace;

beforeAll(async () => {
  trace = await recordEverything();
});

describe('a Chrome trace', () => {
  it('keeps the rules of the format', async () => {
    // Six sections (one only refused), one queue, three lookups, a hold, a subscriber.
    expect(examine(textOf(trace))).toEqual({ problems: [], tracks: 6 + 1 + 3 + 1 + 1 });
    expect(examine(textOf(fabricate(3000)))).toEqual({ problems: [], tracks: 1000 });
    expect(examine(textOf(await waiting())).problems).toEqual([]);
    expect(examine(textOf(EMPTY))).toEqual({ problems: [], tracks: 0 });
    expect(examine(textOf(new TraceRecorder().trace()))).toEqual({ problems: [], tracks: 0 });
  });

  it('is found wrong if anything in it is', () => {
    const { traceEvents, ...rest } = JSON.parse(textOf(trace)) as { traceEvents: Json[] };
    const broken = (change: (events: Json[]) => unknown) => {
      const events = structuredClone(traceEvents);
      const changed = change(events);
      return examine(JSON.stringify({ ...rest, traceEvents: Array.isArray(changed) ? changed : events })).problems;
    };
    const first = (ph: string) => (event: Json) => event.ph === ph;
    expect(broken(() => {})).toEqual([]);
    for (const [field, value] of Object.entries({ name: '', ph: 'y', cat: '', ts: -1, pid: 'one', tid: 0.5, args: [], id: 7 })) {
      expect(broken((events) => Object.assign(events.find(first('b'))!, { [field]: value })).length, field).toBeGreaterThan(0);
    }
    expect(broken((events) => events.filter(({ ph }) => ph !== 'M'))[0]).toContain('without a name');
    expect(broken((events) => events.filter((event) => event !== events.filter(first('e')).at(-1)))[0]).toContain('not ended');
    expect(broken((events) => events.filter((event) => event !== events.find(first('b'))))[0]).toContain('outside of its track');
    expect(broken((events) => [...events].reverse()).some((what) => what.includes('outside'))).toBe(true);
    expect(broken((events) => Object.assign(events.find(first('e'))!, { name: 'other' }))[0]).toContain('ends something else');
    expect(examine('[]').problems).toEqual(['has no traceEvents']);
  });

  it('is in microseconds, in order', () => {
    const { traceEvents } = toChromeTrace(trace);
    const rewrite = traceEvents.filter(({ name }) => name.includes('"rewrite"'));
    expect(rewrite.map(({ ph, ts }) => [ph, ts])).toEqual([
      ['b', 1000],
      ['e', 3000],
    ]);
    const times = traceEvents.map(({ ts }) => ts);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('has one process for each space, and collisions as instants on the track of their lookup', () => {
    const two = [
      { name: 'files', trace },
      { name: 'rows', trace },
    ];
    const { traceEvents } = toChromeTrace(two);
    expect(traceEvents.filter(({ ph }) => ph === 'M').map(({ pid, args }) => [pid, args.name])).toEqual([
      [1, 'files'],
      [2, 'rows'],
    ]);
    const collisions = traceEvents.filter(({ name }) => name === 'collision');
    expect(collisions.map(({ pid, ph, cat }) => [pid, ph, cat])).toEqual([1, 2, 1, 2].map((pid) => [pid, 'n', 'lookup']));
    expect(collisions[0]!.args.about).toContain('section "rewrite"');
    // Ids are the same in both traces, but tracks are not.
    expect(examine(textOf(two))).toEqual({ problems: [], tracks: 2 * 12 });
  });

  it('says who waited for subscribers, who gave up, and what was rolled back', async () => {
    const { traceEvents } = toChromeTrace(await waiting());
    const named = (name: string) => traceEvents.filter((event) => event.name === name && event.ph !== 'e');
    expect(named('waits for its subscribers').map(({ cat }) => cat)).toEqual(['section', 'section']);
    expect(named('wait, given up').map(({ cat }) => cat)).toEqual(['readBegin']);
    expect(traceEvents.filter(({ args }) => args.withdrawn === true).map(({ name }) => name.slice(0, 6))).toEqual(['queued']);
    expect(traceEvents.filter(({ args }) => args.rolledBack === true).map(({ cat }) => cat)).toEqual(['section']);
  });

  it('ends what is not over with the trace, and begins what is only known later with it', async () => {
    for (const whole of [trace, await waiting()]) {
      for (let from = 0; from < whole.events.length; from++) {
        for (const to of [from, from + 1, from + 5, whole.events.length]) {
          expect(examine(textOf({ ...whole, events: whole.events.slice(from, to) })).problems).toEqual([]);
        }
      }
    }
  });
});
