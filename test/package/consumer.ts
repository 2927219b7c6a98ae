/**
 * Compiled against the installed tarball by the oldest and the newest TypeScript. It is never run. Each
 * `@ts-expect-error` is an error that must exist: if the types degraded to `any`, the compiler would complain there.
 */
import {
  type Attempt,
  type Collision,
  type Invalidation,
  InvalidRangeError,
  isRangefenceError,
  type Range,
  type Ranges,
  RangeTracker,
  type Seq,
  type Subscriber,
  type Subscription,
  type TrackerObserver,
  type WaitOptions,
} from 'rangefence';
import { type Handle, IntervalTree } from 'rangefence/interval-tree';
import { BannedError, type LoadContext, LoadError, type MirrorStats, RangeMirror } from 'rangefence/mirror';

const tree = new IntervalTree<string>();
const handle: Handle = tree.insert(0, 8, 'a');
const found: string[] = tree.search(0, 1);
tree.visit(0, 8, (start: number, end: number, value: string, at: Handle) => start < end && value !== '' && at === handle);
// @ts-expect-error: the value is a string
tree.insert(0, 8, 1);

const observer: TrackerObserver = {};
const tracker = new RangeTracker({ label: 'space', historyCapacity: 64, observer });
const range: Range = { start: 0, end: 8 };
const ranges: Ranges = [range, { start: 8, end: Number.POSITIVE_INFINITY }];

export async function use(signal: AbortSignal | undefined): Promise<number> {
  // Options take an explicit undefined, also under exactOptionalPropertyTypes.
  const waiting: WaitOptions = { signal, timeoutMs: 10 };
  const length: number = await tracker.lookup(
    ranges,
    async (attempt: Attempt) => {
      attempt.observe({ start: 16, end: 24 });
      return attempt.signal.aborted ? '' : `${attempt.number}`;
    },
    { commit: (text) => text.length, ...waiting, label: undefined, maxAttempts: 3, whenExhausted: 'hold', holdMs: 5 },
  );
  const plain: number = await tracker.lookup(range, () => 42);
  // @ts-expect-error: the value is a number
  const wrong: string = await tracker.lookup(range, () => 42);

  const seq: Seq = await tracker.readBegin(range, waiting);
  const again: boolean = tracker.readRetry(range, seq);
  const why: Collision | undefined = tracker.collision(range, seq, { ignore: ({ kind }) => kind === 'soft-dirty' });
  // @ts-expect-error: a number is not a token
  tracker.readRetry(range, 1);

  const invalidation: Invalidation | undefined = tracker.tryInvalidate(range, { kind: 'unmap', owner: {}, label: 'x' });
  invalidation?.end();
  const nested = await tracker.invalidate(range, { signal });
  await tracker.mutate(range, (section: Invalidation) => section.beginSeq, { within: nested });
  nested.end();

  const subscriber: Subscriber = { invalidate: (section) => (section.blockable ? Promise.resolve() : false) };
  const subscription: Subscription = tracker.subscribe(range, subscriber);
  subscription.close();
  const mirror = new RangeMirror<string>({
    tracker,
    pageSize: 8,
    range: { start: 0, end: Number.POSITIVE_INFINITY },
    load: async (first: number, count: number, { signal: wanted, observe }: LoadContext) => {
      observe({ start: first, end: first + 1 });
      return wanted.aborted ? [] : Array.from({ length: count }, (_, i) => `${first + i}`);
    },
    onDrop: (page: string, index: number) => (page === '' ? undefined : Promise.resolve(void index)),
    ignore: undefined,
  });
  const pages: string[] = await mirror.read(range, waiting);
  const page: string | undefined = mirror.peek(0);
  mirror.prefetch(range);
  const stats: Readonly<MirrorStats> = mirror.stats;
  // @ts-expect-error: the counters are the mirror's
  stats.hits = 0;
  mirror.close();
  await tracker.close();
  if (pages[0] !== page) throw new LoadError(0, pages.length, pages);
  return length + plain + found.length + Number(again) + Number(why?.reason === 'ended') + wrong.length;
}

export function describe(error: unknown): string {
  if (error instanceof InvalidRangeError) return error.message;
  if (error instanceof BannedError || error instanceof LoadError) return error.code;
  return isRangefenceError(error) ? error.code : '';
}
