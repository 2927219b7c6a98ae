/**
 * Runs: what the pictures of the documents show. Each is scripted, with a clock that is moved by hand, so that its trace is the
 * same every time.
 */
import { RangeTracker } from '../../lib/index.js';
import { type Trace, TraceRecorder } from '../../lib/trace/index.js';
import { ManualClock } from '../../test/support/clock.js';
import { ManualFetch, range } from '../../test/support/reading.js';
import { deferred, failure, soon, turns } from '../../test/support/turns.js';

interface Stage {
  readonly recorder: TraceRecorder;
  readonly tracker: RangeTracker;
  /** A millisecond passes, and everybody does what he can. */
  readonly tick: () => Promise<void>;
}

function stage(): Stage {
  const clock = new ManualClock();
  const recorder = new TraceRecorder({ clock });
  const tracker = new RangeTracker({ observer: recorder.observer, clock });
  const tick = async () => {
    clock.advance(1);
    await turns();
  };
  return { recorder, tracker, tick };
}

/** One lookup is hit twice, then holds its range; another one, beside it, is never disturbed. */
export async function hitAndUntouched(): Promise<Trace> {
  const { recorder, tracker, tick } = stage();
  const hit = new ManualFetch();
  const untouched = new ManualFetch();
  const reading = tracker.lookup(range(0, 8), hit.fetch, { label: 'lookup' });
  const beside = tracker.lookup(range(14, 20), untouched.fetch, { label: 'disjoint: not disturbed' });
  await tick();
  const first = await tracker.begin(range(4, 12), { label: 'change' });
  await tick();
  first.end();
  hit.last.resolve('torn');
  await tick();
  (await tracker.begin(range(2, 6), { label: 'change' })).end();
  await tick();
  hit.last.resolve('stale');
  await tick();
  const late = tracker.begin(range(3, 10), { label: 'change' });
  await tick();
  untouched.last.resolve('whole');
  await soon(beside);
  await tick();
  hit.last.resolve('fresh');
  await soon(reading);
  (await soon(late)).end();
  return recorder.trace();
}

/** A section that begins and ends entirely inside one lookup, while another one has nothing to do with it. */
export async function inside(): Promise<Trace> {
  const { recorder, tracker, tick } = stage();
  const hit = new ManualFetch();
  const other = new ManualFetch();
  const reading = tracker.lookup(range(0, 8), hit.fetch, { label: 'lookup' });
  const elsewhere = tracker.lookup(range(12, 16), other.fetch, { label: 'elsewhere' });
  await tick();
  (await tracker.begin(range(4, 10), { label: 'rewrite' })).end();
  await tick();
  other.last.resolve('read');
  await soon(elsewhere);
  hit.last.resolve('stale');
  await tick();
  hit.last.resolve('fresh');
  await soon(reading);
  return recorder.trace();
}

/** Who waits, and who gives up: for a subscriber that is slow, for a section, behind a hold; and a begin that is rolled back. */
export async function waiting(): Promise<Trace> {
  const { recorder, tracker, tick } = stage();
  const flushed = deferred<void>();
  const slow = tracker.subscribe(range(0, 8), { invalidate: () => flushed.promise }, { label: 'slow cache' });
  const impatient = new AbortController();
  const begun = tracker.begin(range(2, 6), { label: 'waits for the slow cache' });
  await tick();
  const bare = tracker.readBegin(range(4, 10), { signal: impatient.signal });
  await tick();
  impatient.abort(new Error('impatient'));
  await failure(bare);
  flushed.resolve();
  const section = await soon(begun);
  await tick();
  section.end();
  slow.close();

  const held = new ManualFetch();
  const holding = tracker.lookup(range(0, 10), held.fetch, { label: 'holds', maxAttempts: 1 });
  tracker.tryBegin(range(8, 9))!.end();
  held.last.resolve('stale');
  await tick();
  const leaves = new AbortController();
  const queued = tracker.begin(range(2, 8), { label: 'withdrawn', signal: leaves.signal });
  await tick();
  leaves.abort(new Error('enough'));
  await failure(queued);
  await tick();
  held.last.resolve('fresh');
  await soon(holding);

  tracker.subscribe(range(0, 4), { invalidate: () => Promise.reject(new Error('disk full')) }, { label: 'broken cache' });
  await failure(tracker.begin(range(0, 6), { label: 'rolled back' }));
  return recorder.trace();
}
