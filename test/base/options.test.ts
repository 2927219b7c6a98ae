/**
 * Options: every public door that takes an options object refuses a name that it does not know, says which one was probably
 * meant, and has changed nothing.
 *
 * A row names all options of its door, checked by the compiler against the interface, so a new option that its door does not
 * know fails here.
 */
import { describe, expect, it } from 'vitest';
import {
  ByteSource,
  type ByteSourceOptions,
  type ByteSourceSettings,
  type ByteStreamOptions,
  type ByteView,
  type ChunkdOptions,
  type ConsistentOptions,
  chunkdSource,
  consistentAll,
  type FileOptions,
  geotiffClient,
  hyparquetBuffer,
  openFile,
  openUrl,
  type PmtilesOptions,
  perVersion,
  pmtilesSource,
  type SourceReadOptions,
  type UrlOptions,
} from '../../lib/bytes/index.js';
import { type LeaksOptions, type LockOrderOptions, lockOrder, type RunOptions } from '../../lib/debug/index.js';
import {
  type BeginOptions,
  type CancelOptions,
  type FilterOptions,
  InvalidArgumentError,
  type LookupOptions,
  RangeTracker,
  type RangeTrackerOptions,
  type SubscribeOptions,
  type WaitOptions,
  type WithinSubscription,
} from '../../lib/index.js';
import {
  type FencedSetOptions,
  type FenceOptions,
  fence,
  type GetOrLoadOptions,
  type KeyedBeginOptions,
  KeyedFence,
  type KeyedFenceOptions,
  type KeyedSubscribeOptions,
} from '../../lib/keyed/index.js';
import { type MirrorReadOptions, RangeMirror, type RangeMirrorOptions } from '../../lib/mirror/index.js';
import {
  type Actor,
  type ContractOptions,
  describeContract,
  type ExploreOptions,
  explore,
  type FaultOptions,
  type ForkOptions,
  type MapOptions,
  type RemapOptions,
  type SampleOptions,
  type Scenario,
  SimulatedAddressSpace,
  type SimulatedAddressSpaceOptions,
  sample,
  type Touches,
} from '../../lib/testing/index.js';
import {
  type HtmlOptions,
  type SvgOptions,
  TraceRecorder,
  type TraceRecorderOptions,
  toHtml,
  toSvg,
} from '../../lib/trace/index.js';
import { MemoryBackend } from '../support/bytes/memory.js';

/** All names of the options, each once. */
type All<Options> = Readonly<Record<keyof Options, true>>;

/** A door that was made for one call: the call, and what it must not have changed. */
interface Open {
  readonly call: (options: never) => unknown;
  readonly state?: () => unknown;
}

interface Door {
  readonly name: string;
  readonly known: readonly string[];
  readonly open: () => Open;
}

function door<Options>(name: string, known: All<Options>, open: () => Open): Door {
  return { name, known: Object.keys(known), open };
}

const CANCEL: All<CancelOptions> = { signal: true, timeoutMs: true };
const FILTER: All<FilterOptions> = { ignore: true };
const WAIT: All<WaitOptions> = { ...FILTER, ...CANCEL };
const BEGIN: All<BeginOptions> = { kind: true, owner: true, label: true, within: true, urgent: true, ...CANCEL };
const LOOKUP: All<LookupOptions<unknown, unknown>> = {
  ...{ commit: true, maxAttempts: true, whenExhausted: true, holdMs: true, label: true },
  ...WAIT,
};
const READ: All<SourceReadOptions> = { revalidate: true, ...CANCEL };
const CONSISTENT: All<ConsistentOptions> = { maxAttempts: true, holdMs: true, whenExhausted: true, label: true, ...READ };
const SOURCE: All<ByteSourceSettings> = {
  ...{ tracker: true, label: true, pageSize: true, maxPages: true },
  ...{ maxRunPages: true, maxAttempts: true, holdMs: true, clock: true },
};
const KEYED: All<KeyedFenceOptions<unknown>> = {
  ...{ identify: true, label: true, historyCapacity: true, observer: true, clock: true },
};

const PAGE = { start: 0, end: 8 };

function onTracker(call: (tracker: RangeTracker, options: never) => unknown): () => Open {
  return () => {
    const tracker = new RangeTracker();
    tracker.subscribe(PAGE, { invalidate: () => {} });
    return { call: (options) => call(tracker, options), state: () => [tracker.inspect(), { ...tracker.stats }] };
  };
}

type Within = ReturnType<RangeTracker['subscribe']>;

function onSubscription(call: (subscription: Within, tracker: RangeTracker, options: never) => unknown): () => Open {
  return () => {
    const tracker = new RangeTracker();
    const subscription = tracker.subscribe(PAGE, { invalidate: () => {} });
    return {
      call: (options) => call(subscription, tracker, options),
      state: () => [tracker.inspect(), { ...tracker.stats }],
    };
  };
}

const TRACKER: readonly Door[] = [
  door<RangeTrackerOptions>(
    'new RangeTracker',
    { label: true, historyCapacity: true, observer: true, clock: true, initialSeq: true, space: true },
    () => ({ call: (options) => new RangeTracker(options) }),
  ),
  door<BeginOptions>(
    'begin',
    BEGIN,
    onTracker((tracker, options) => tracker.begin(PAGE, options)),
  ),
  door<BeginOptions>(
    'tryBegin',
    BEGIN,
    onTracker((tracker, options) => tracker.tryBegin(PAGE, options)),
  ),
  door<BeginOptions>(
    'mutate',
    BEGIN,
    onTracker((tracker, options) => tracker.mutate(PAGE, () => {}, options)),
  ),
  door<BeginOptions>(
    'invalidate',
    BEGIN,
    onTracker((tracker, options) => tracker.invalidate(PAGE, options)),
  ),
  door<WaitOptions>(
    'readBegin',
    WAIT,
    onTracker((tracker, options) => tracker.readBegin(PAGE, options)),
  ),
  door<FilterOptions>(
    'tryReadBegin',
    FILTER,
    onTracker((tracker, options) => tracker.tryReadBegin(PAGE, options)),
  ),
  door<FilterOptions>(
    'readRetry',
    FILTER,
    onTracker((tracker, options) => tracker.readRetry(PAGE, tracker.seq, options)),
  ),
  door<FilterOptions>(
    'collision',
    FILTER,
    onTracker((tracker, options) => tracker.collision(PAGE, tracker.seq, options)),
  ),
  door<LookupOptions<unknown, unknown>>(
    'lookup',
    LOOKUP,
    onTracker((tracker, options) => tracker.lookup(PAGE, () => 1, options)),
  ),
  door<SubscribeOptions>(
    'subscribe',
    { ignore: true, label: true },
    onTracker((tracker, options) => tracker.subscribe(PAGE, { invalidate: () => {} }, options)),
  ),
  door<CancelOptions>(
    'close',
    CANCEL,
    onTracker((tracker, options) => tracker.close(options)),
  ),
  door<WithinSubscription & WaitOptions>(
    'readBegin of a subscription',
    { ranges: true, ...WAIT },
    onSubscription((within, _, options) => within.readBegin(options)),
  ),
  door<WithinSubscription & FilterOptions>(
    'tryReadBegin of a subscription',
    { ranges: true, ...FILTER },
    onSubscription((within, _, options) => within.tryReadBegin(options)),
  ),
  door<WithinSubscription & FilterOptions>(
    'readRetry of a subscription',
    { ranges: true, ...FILTER },
    onSubscription((within, { seq }, options) => within.readRetry(seq, options)),
  ),
  door<WithinSubscription & LookupOptions<unknown, unknown>>(
    'lookup of a subscription',
    { ranges: true, ...LOOKUP },
    onSubscription((within, _, options) => within.lookup(() => 1, options)),
  ),
];

const MIRROR: readonly Door[] = [
  door<RangeMirrorOptions<number>>(
    'new RangeMirror',
    {
      ...{ tracker: true, pageSize: true, range: true, load: true, onDrop: true, maxPages: true, maxRunPages: true },
      ...{ maxAttempts: true, holdMs: true, policy: true, ignore: true, label: true, clock: true },
    },
    () => {
      const tracker = new RangeTracker();
      const own = { tracker, pageSize: 8, load: () => [0] };
      return { call: (options: object) => new RangeMirror({ ...options, ...own }), state: () => tracker.inspect() };
    },
  ),
  door<MirrorReadOptions>('read', CANCEL, () => {
    const tracker = new RangeTracker();
    const mirror = new RangeMirror({ tracker, pageSize: 8, load: () => [0] });
    return { call: (options) => mirror.read(PAGE, options), state: () => [{ ...mirror.stats }, mirror.size, tracker.inspect()] };
  }),
];

function onKeyed(call: (keyed: KeyedFence<string>, options: never) => unknown): () => Open {
  return () => {
    const keyed = new KeyedFence<string>();
    return { call: (options) => call(keyed, options), state: () => [keyed.inspect(), keyed.size, { ...keyed.stats }] };
  };
}

function onFenced(call: (cache: ReturnType<typeof fenced>['cache'], options: never) => unknown): () => Open {
  return () => {
    const { cache, map } = fenced();
    return { call: (options) => call(cache, options), state: () => [cache.keyed.inspect(), cache.pending, [...map]] };
  };
}

function fenced() {
  const map = new Map([['a', 1]]);
  return { map, cache: fence(map) };
}

const KEYS: readonly Door[] = [
  door<KeyedFenceOptions<string>>('new KeyedFence', KEYED, () => ({ call: (options) => new KeyedFence(options) })),
  door<KeyedBeginOptions<string>>(
    'begin of keys',
    BEGIN,
    onKeyed((keyed, options) => keyed.begin('a', options)),
  ),
  door<KeyedBeginOptions<string>>(
    'tryBegin of keys',
    BEGIN,
    onKeyed((keyed, options) => keyed.tryBegin('a', options)),
  ),
  door<KeyedBeginOptions<string>>(
    'mutate of keys',
    BEGIN,
    onKeyed((keyed, options) => keyed.mutate('a', () => {}, options)),
  ),
  door<KeyedBeginOptions<string>>(
    'invalidate of keys',
    BEGIN,
    onKeyed((keyed, options) => keyed.invalidate('a', options)),
  ),
  door<WaitOptions>(
    'readBegin of keys',
    WAIT,
    onKeyed((keyed, options) => keyed.readBegin('a', options)),
  ),
  door<FilterOptions>(
    'tryReadBegin of keys',
    FILTER,
    onKeyed((keyed, options) => keyed.tryReadBegin('a', options)),
  ),
  door<FilterOptions>(
    'readRetry of keys',
    FILTER,
    onKeyed((keyed, options) => keyed.readRetry('a', keyed.tracker.seq, options)),
  ),
  door<LookupOptions<unknown, unknown>>(
    'lookup of keys',
    LOOKUP,
    onKeyed((keyed, options) => keyed.lookup('a', () => 1, options)),
  ),
  door<KeyedSubscribeOptions>(
    'subscribe to keys',
    { ignore: true, label: true },
    onKeyed((keyed, options) => keyed.subscribe({ invalidate: () => {} }, options)),
  ),
  door<CancelOptions>(
    'close of a keyed fence',
    CANCEL,
    onKeyed((keyed, options) => keyed.close(options)),
  ),
  door<FenceOptions<string>>(
    'fence',
    { keyed: true, isMiss: true, onSetError: true, maxAttempts: true, holdMs: true, ignore: true, ...KEYED },
    () => ({ call: (options) => fence(new Map<string, number>(), options) }),
  ),
  door<GetOrLoadOptions<number>>(
    'getOrLoad of what is there',
    { setOptions: true, allowStale: true, status: true, ...CANCEL },
    onFenced((cache, options) => cache.getOrLoad('a', () => 2, options)),
  ),
  door<GetOrLoadOptions<number>>(
    'getOrLoad of what is not',
    { setOptions: true, allowStale: true, status: true, ...CANCEL },
    onFenced((cache, options) => cache.getOrLoad('b', () => 2, options)),
  ),
  door<FencedSetOptions<string>>(
    'set',
    { setOptions: true, ...BEGIN },
    onFenced((cache, options) => cache.set('a', 2, options)),
  ),
  door<KeyedBeginOptions<string>>(
    'begin of a fenced cache',
    BEGIN,
    onFenced((cache, options) => cache.begin('a', options)),
  ),
  door<KeyedBeginOptions<string>>(
    'tryBegin of a fenced cache',
    BEGIN,
    onFenced((cache, options) => cache.tryBegin('a', options)),
  ),
  door<KeyedBeginOptions<string>>(
    'mutate of a fenced cache',
    BEGIN,
    onFenced((cache, options) => cache.mutate('a', () => {}, options)),
  ),
  door<KeyedBeginOptions<string>>(
    'invalidate of a fenced cache',
    BEGIN,
    onFenced((cache, options) => cache.invalidate('a', options)),
  ),
  door<KeyedBeginOptions<string>>(
    'invalidateAll',
    BEGIN,
    onFenced((cache, options) => cache.invalidateAll(options)),
  ),
];

function source(): { readonly backend: MemoryBackend; readonly source: ByteSource } {
  const backend = new MemoryBackend(new Uint8Array(64));
  return { backend, source: new ByteSource({ backend }) };
}

function onSource(call: (source: ByteSource, options: never) => unknown): () => Open {
  return () => {
    const made = source();
    const state = () => [made.backend.calls.length, made.backend.watches, made.source.stats, made.source.tracker.inspect()];
    return { call: (options) => call(made.source, options), state };
  };
}

/** A call of a view; what it rejects with is the query's, which does not begin again. */
function onView(call: (view: ByteView, options: never) => unknown): () => Open {
  return () => {
    const made = source();
    const query = (options: never) => made.source.consistent(async (view) => void (await call(view, options)));
    return { call: query, state: () => [made.backend.calls.length, made.source.tracker.inspect()] };
  };
}

const BYTES: readonly Door[] = [
  door<ByteSourceOptions>('new ByteSource', { backend: true, ...SOURCE }, () => {
    const tracker = new RangeTracker();
    const backend = new MemoryBackend(new Uint8Array(64));
    return { call: (options: object) => new ByteSource({ ...options, backend, tracker }), state: () => tracker.inspect() };
  }),
  door<FileOptions>('openFile', { watch: true, ...SOURCE }, () => ({ call: (options) => openFile('nowhere', options) })),
  door<UrlOptions>('openUrl', { fetch: true, headers: true, allowUnversioned: true, ...SOURCE }, () => ({
    call: (options) => openUrl('http://localhost', options),
  })),
  door<SourceReadOptions>(
    'size of a source',
    READ,
    onSource((made, options) => made.size(options)),
  ),
  door<SourceReadOptions>(
    'read of a source',
    READ,
    onSource((made, options) => made.read(0, 8, options)),
  ),
  door<ConsistentOptions>(
    'consistent',
    CONSISTENT,
    onSource((made, options) => made.consistent(() => 1, options)),
  ),
  door<BeginOptions>(
    'mutate of a source',
    BEGIN,
    onSource((made, options) => made.mutate(PAGE, () => {}, options)),
  ),
  door<CancelOptions>(
    'size of a view',
    CANCEL,
    onView((view, options) => view.size(options)),
  ),
  door<CancelOptions>(
    'read of a view',
    CANCEL,
    onView((view, options) => view.read(0, 8, options)),
  ),
  door<ByteStreamOptions>(
    'stream of a view',
    { chunkSize: true, ...CANCEL },
    onView((view, options) => view.stream(0, 8, options)),
  ),
  door<ChunkdOptions>(
    'chunkdSource',
    { url: true, type: true },
    onSource((made, options: object) => chunkdSource(made, { ...options, url: new URL('x:y') })),
  ),
  door<{ url: string }>(
    'geotiffClient',
    { url: true },
    onSource((made, options) => geotiffClient(made, options)),
  ),
  door<CancelOptions>(
    'hyparquetBuffer',
    CANCEL,
    onSource((made, options) => hyparquetBuffer(made, options)),
  ),
  door<PmtilesOptions>(
    'pmtilesSource',
    { key: true, EtagMismatch: true },
    onSource((made, options: object) => pmtilesSource(made, { ...options, key: 'x' })),
  ),
  door<ConsistentOptions>(
    'a query of perVersion',
    CONSISTENT,
    onSource((made, options) => perVersion(made, () => 1)((one) => one, options)),
  ),
  door<ConsistentOptions>(
    'consistentAll',
    CONSISTENT,
    onSource((made, options) => consistentAll(new Map([[0, made]]), () => 1, options)),
  ),
  door<ConsistentOptions>('consistentAll of nothing', CONSISTENT, () => ({
    call: (options) => consistentAll(new Map(), () => 1, options),
  })),
];

const RECORDED = () => {
  const recorder = new TraceRecorder();
  const tracker = new RangeTracker({ observer: recorder.observer });
  tracker.tryBegin(PAGE)!.end();
  return recorder.trace();
};

const OBSERVERS: readonly Door[] = [
  door<TraceRecorderOptions>('new TraceRecorder', { capacity: true, clock: true }, () => ({
    call: (options) => new TraceRecorder(options),
  })),
  door<SvgOptions>('toSvg', { width: true, height: true, time: true, lastMs: true, space: true, title: true }, () => ({
    call: (options) => toSvg(RECORDED(), options),
  })),
  door<HtmlOptions>('toHtml', { title: true, space: true, lastMs: true }, () => ({
    call: (options) => toHtml(RECORDED(), options),
  })),
  door<LockOrderOptions>('lockOrder', { report: true, graceMs: true, contexts: true, clock: true }, () => ({
    call: (options) => lockOrder(options),
  })),
  door<RunOptions>('run of a checker', { detached: true }, () => {
    let runs = 0;
    return { call: (options) => lockOrder().run('job', () => runs++, options), state: () => runs };
  }),
  door<RunOptions>('run of a checker in a context that is known', { detached: true }, () => {
    const checker = lockOrder();
    const context = checker.run('job', () => checker.current!);
    let runs = 0;
    return { call: (options) => checker.run(context, () => runs++, options), state: () => runs };
  }),
  door<LeaksOptions>('leaks', { olderThanMs: true }, () => ({ call: (options) => lockOrder().leaks(options) })),
];

function onSpace(call: (space: SimulatedAddressSpace, options: never) => unknown): () => Open {
  return () => {
    const space = new SimulatedAddressSpace();
    return { call: (options) => call(space, options), state: () => [space.tracker.inspect(), space.snapshot(space.pages(0, 4))] };
  };
}

const TESTING: readonly Door[] = [
  door<SimulatedAddressSpaceOptions>(
    'new SimulatedAddressSpace',
    { tracker: true, pageSize: true, hugePages: true, pause: true, stores: true, label: true },
    () => ({ call: (options) => new SimulatedAddressSpace(options) }),
  ),
  door<MapOptions>(
    'map',
    { protection: true, object: true, offset: true, shared: true, huge: true, supply: true },
    onSpace((space, options) => space.map(space.pages(0), options)),
  ),
  door<RemapOptions>(
    'remap',
    { keep: true },
    onSpace((space, options) => space.remap(space.pages(0), 4 * space.pageSize, options)),
  ),
  door<FaultOptions>(
    'fault',
    { write: true, owner: true },
    onSpace((space, options) => space.fault(space.pages(0), options)),
  ),
  door<Pick<FaultOptions, 'owner'>>(
    'readPages',
    { owner: true },
    onSpace((space, options) => space.readPages(0, 1, options)),
  ),
  door<ForkOptions>(
    'fork',
    { tracker: true, label: true },
    onSpace((space, options) => space.fork(options)),
  ),
  door<ExploreOptions>('explore', { maxRuns: true, maxSteps: true }, () => ({
    call: (options) => explore(() => ({ actors: {} }), options),
  })),
  door<SampleOptions>('sample', { runs: true, seed: true, depth: true, maxSteps: true }, () => ({
    call: (options: object) => sample(() => ({ actors: {} }), { ...options, runs: 1 }),
  })),
  door<Scenario>('a scenario', { actors: true, twins: true, check: true, end: true, checkPoints: true, state: true }, () => ({
    call: (options: object) => explore(() => ({ ...options, actors: {} })),
  })),
  door<Touches>('step', { reads: true, writes: true }, () => ({
    call: async (touches) => {
      let refused: unknown;
      const one: Actor = async (step) => {
        refused ??= await caught(() => step('x', touches));
      };
      await explore(() => ({ actors: { one } }));
      if (refused !== undefined) throw refused;
    },
  })),
  door<ContractOptions>('describeContract', { name: true, make: true, describe: true, it: true }, () => {
    let declared = 0;
    const own = { name: 'x', make: () => new RangeTracker(), describe: () => declared++, it: () => declared++ };
    return { call: (options: object) => describeContract({ ...options, ...own }), state: () => declared };
  }),
];

const DOORS: readonly Door[] = [...TRACKER, ...MIRROR, ...KEYS, ...BYTES, ...OBSERVERS, ...TESTING];

describe('options', () => {
  it.each(DOORS)('$name refuses names that it does not know, and says which one was meant', async ({ known, open }) => {
    for (const name of known) {
      const { call, state } = open();
      const before = JSON.stringify(state?.());
      const error = await caught(() => call({ [`${name}x`]: undefined } as never));
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(error).toHaveProperty('message', expect.stringContaining(`option "${name}x" is not known to`));
      expect(error).toHaveProperty('message', expect.stringContaining(`did you mean "${name}"?`));
      expect(JSON.stringify(state?.())).toBe(before);
    }
  });

  it.each(DOORS)('$name lists what it knows for a name that is like none', async ({ known, open }) => {
    const error = await caught(() => open().call({ whatsoeverElseThereMayBe: 1 } as never));
    expect(error).toHaveProperty('message', expect.stringContaining('; expected '));
    for (const name of known) expect(error).toHaveProperty('message', expect.stringContaining(name));
  });

  it.each(DOORS)('$name knows all its own names', async ({ known, open }) => {
    const all = Object.fromEntries(known.map((name) => [name, undefined]));
    expect(String(await caught(() => open().call(all as never)))).not.toContain('is not known');
  });
});

describe('an object of a class', () => {
  it('may have fields of its own, where it has methods that use them', async () => {
    class Pages implements RangeMirrorOptions<string> {
      readonly tracker = new RangeTracker();
      readonly pageSize = 8;
      readonly name = 'x';
      load = () => [this.name];
    }
    expect(await new RangeMirror(new Pages()).read(PAGE)).toEqual(['x']);
    class Steps implements Scenario {
      readonly done: string[] = [];
      readonly actors = { one: () => this.done.push('one') };
    }
    expect(await explore(() => new Steps())).toMatchObject({ complete: true });
  });
});

async function caught(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}
