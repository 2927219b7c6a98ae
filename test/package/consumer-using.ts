/** Compiled where `Symbol.dispose` is known: handles can be declared with `using` there. Never run. */
import { RangeTracker } from 'rangefence';

export async function use(tracker: RangeTracker): Promise<void> {
  const range = { start: 0, end: 8 };
  using invalidation = await tracker.begin(range);
  using subscription = tracker.subscribe(range, { invalidate: () => undefined });
  using maybe = tracker.tryBegin(range);
  console.log(invalidation.active, subscription.ranges, maybe?.active);
  // @ts-expect-error: a tracker is closed asynchronously, so it is not disposable
  using wrong = tracker;
}

await use(new RangeTracker());
