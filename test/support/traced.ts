/**
 * Traced runs: small ones in which everything happens that a picture shows, and one as long as is wanted.
 */
import { Random } from '../../bench/support/random.js';
import { RangeTracker } from '../../lib/index.js';
import { type Trace, type TraceEvent, TraceRecorder } from '../../lib/trace/index.js';
import { ManualClock } from './clock.js';
import { ManualFetch, range } from './reading.js';
import { failure, soon, turns } from './turns.js';

/** What is in the trace of {@link recordEverything}. */
export const EVERYTHING_IN_IT = {
  sections: 6,
  lookups: 3,
  attempts: 5,
  collisions: 2,
  committed: 2,
  failed: 1,
  refused: 1,
  queued: 1,
};

/** Each thing once: a collision of each sort, a wait, a hold with a begin that queues, a refusal, a failure, a nested section. */
export async function recordEverything(): Promise<Trace> {
  const clock = new ManualClock();
  const recorder = new TraceRecorder({ clock });
  const tracker = new RangeTracker({ observer: recorder.observer, clock });
  const cache = tracker.subscribe(range(0, 32), { invalidate: () => {} }, { label: 'cache <1>' });
  const tick = async () => {
    clock.advance(1);
    await turns();
  };

  const first = new ManualFetch();
  const reading = tracker.lookup(range(0, 8), first.fetch, { label: 'reader', maxAttempts: 2 });
  await tick();
  const rewrite = await tracker.begin(range(4, 12), { label: 'rewrite', kind: 'clear' });
  const inner = tracker.tryBegin(range(5, 6), { label: 'inner', within: rewrite })!;
  await tick();
  inner.end();
  first.last.resolve('torn'); // hit: rewrite is active, so it waits
  await tick();
  rewrite.end();
  await tick();
  const late = await tracker.begin(range(0, 2), { label: 'late' });
  late.end();
  await tick();
  first.last.resolve('stale'); // hit: late has ended; it holds from now on
  await tick();
  const refused = tracker.tryBegin(range(1, 3), { label: 'refused' });
  const queued = tracker.begin(range(2, 4), { label: 'queued' });
  await tick();
  first.last.resolve('fresh');
  await soon(reading);
  (await queued).end();
  if (refused !== undefined) throw new Error('a begin was expected to be refused');
  const broken = tracker.lookup(range(100, 108), () => Promise.reject(new Error('</script><b>')), { label: 'broken & "quoted"' });
  await failure(broken);
  await tick();
  await tracker.lookup(range(100, 108), () => 1);
  tracker.tryBegin({ start: 50, end: Number.POSITIVE_INFINITY }, { label: 'open' });
  await tick();
  cache.close();
  return recorder.trace();
}

/** So many events of lookups and sections over 4,096 pages, 30 events a millisecond: as a busy tracker makes them. */
export function fabricate(count: number): Trace {
  const random = new Random(7);
  const events: TraceEvent[] = [];
  let at = 0;
  let seq = 0;
  for (let id = 1; events.length < count; id += 2) {
    at += random.next() / 8;
    const start = random.below(4000);
    const ranges = [{ start, end: start + 1 + random.below(60) }];
    const section = { type: 'begin', at, seq: ++seq, section: id, ranges, kind: 'clear', label: `write ${id % 4}` } as const;
    const reader = { reader: id + 1, operation: 'lookup', ranges: [{ start, end: start + 8 }] } as const;
    events.push({ type: 'attempt', at, seq, ...reader, attempt: 1 }, section);
    at += random.next() / 8;
    events.push({ type: 'ended', at, seq: ++seq, section: id });
    events.push({
      type: 'collided',
      at,
      seq,
      reader: id + 1,
      attempt: 1,
      reason: 'ended',
      range: { start, end: start + 1 },
      kind: 'clear',
      label: `write ${id % 4}`,
    });
    events.push({ type: 'attempt', at, seq, ...reader, attempt: 2 });
    at += random.next() / 8;
    events.push({ type: 'committed', at, seq, reader: id + 1, attempt: 2 });
  }
  return { version: 1, dropped: 0, events };
}
