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
import {
  type ByteReader,
  ByteSource,
  type ByteVersion,
  type ConsistentReader,
  hyparquetBuffer,
  openFile,
  openUrl,
  SourceError,
} from 'rangefence/bytes';
import { type Handle, IntervalTree } from 'rangefence/interval-tree';
import { type FencedCache, fence, KeyedFence } from 'rangefence/keyed';
import { BannedError, type LoadContext, LoadError, type MirrorStats, RangeMirror } from 'rangefence/mirror';
import { agGridDatasource, type RowRequest, type RowStatus, RowWindow } from 'rangefence/rows';

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

  const invalidation: Invalidation | undefined = tracker.tryBegin(range, { kind: 'unmap', owner: {}, label: 'x' });
  invalidation?.end();
  const nested = await tracker.begin(range, { signal });
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

export async function useDrivers(signal: AbortSignal | undefined): Promise<number> {
  const version: ByteVersion = { key: '1', size: 8 };
  const source = new ByteSource({
    backend: { name: 'eight bytes', identify: async () => version, read: async () => ({ version, bytes: new Uint8Array(8) }) },
  });
  const page: ByteSource = openUrl('https://example.org/a', { pageSize: 4096, headers: { accept: '*/*' } });
  const file: ByteSource = openFile('a', { watch: false });
  const query = async (view: ByteReader): Promise<number> => (await view.read(0, 8, { signal })).length + (await view.size());
  const count: number = await source.consistent(query, { timeoutMs: 5, revalidate: true });
  const consistent: ConsistentReader = file;
  const { byteLength } = await hyparquetBuffer(consistent);
  // @ts-expect-error: the length is a number
  const wrong: string = await page.size();
  await page.close();

  const cache: FencedCache<string, number> = fence(new Map<string, number>());
  const value: number = await cache.getOrLoad('a', async (key: string) => key.length);
  // @ts-expect-error: the keys are strings
  await cache.invalidate(1);
  const keyed = new KeyedFence<readonly number[]>();
  const nothing: undefined = await keyed.mutate(keyed.keys([[1], [2]]), () => undefined, { signal });
  return count + byteLength + value + wrong.length + Number(nothing === undefined);
}

export async function rows(): Promise<number> {
  interface Line {
    readonly id: number;
  }
  const load = async ({ from = 0, limit, signal }: RowRequest<number>): Promise<Line[]> =>
    signal.aborted ? [] : [{ id: from }].slice(0, limit);
  const window = new RowWindow<Line, number>({ load, keyOf: ({ id }) => id, compare: (a, b) => a - b });
  const status: RowStatus = {};
  const read: readonly Line[] = await window.read(0, 10, { allowStale: true, status });
  const stop: () => void = window.onChange(({ start, end }) => start < end);
  window.changed({ key: 1 });
  window.changed({ from: 1 });
  // @ts-expect-error: the keys are numbers
  window.changed({ key: '1' });
  const made: string = await window.mutate({ key: 1 }, (section) => section.kind);
  agGridDatasource(window).destroy();
  stop();
  return read.length + made.length + (window.rowCount ?? window.knownRows);
}

export function describe(error: unknown): string {
  if (error instanceof InvalidRangeError) return error.message;
  if (error instanceof BannedError || error instanceof LoadError || error instanceof SourceError) return error.code;
  return isRangefenceError(error) ? error.code : '';
}
