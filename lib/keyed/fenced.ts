/**
 * Fenced: the object behind a fenced cache. What it promises is in fenced-cache.ts.
 *
 * Whether the cache is synchronous is nobody's property: a Map may hold a promise as a value, and a cache may read at once and
 * write over a network. So each operation is taken as it comes. What is remembered of earlier ones decides what is cheaper to ask
 * first, and, of the writing ones, which never return a value of the user's, what need not be tried.
 */

import { ClosedError, check, describe } from '../base/errors.js';
import { giveOut } from '../base/outlets.js';
import { printed } from '../base/print.js';
import { assimilate } from '../base/thenable.js';

import { Drops } from './drops.js';
import type { KeyedBeginOptions, KeyedSubscription } from './fence-types.js';
import type { FencedCache } from './fenced-cache.js';
import { Flight, type Host, type Loaded } from './flight.js';
import { insideOf, type KeyedFence } from './keyed-fence.js';
import { keyText } from './keys.js';
import { Lasts } from './lasts.js';
import {
  atOnce,
  checkLoad,
  checkSet,
  type FencedSetOptions,
  type FenceSettings,
  type GetOrLoadOptions,
  type KeyedLoad,
} from './options.js';
import { OwnSet } from './own-set.js';
import { KeyScope } from './scope.js';
import type { Change, KeyedInvalidation } from './section.js';
import type { Slot } from './slot.js';
import { Slots } from './slots.js';
import type { FencedCacheSnapshot } from './snapshot.js';
import { type FencedCacheStats, newFencedCacheStats } from './stats.js';
import type { Store } from './store.js';

/** See the top of the file. */
export class Fenced<K, V, SetOptions> implements FencedCache<K, V, SetOptions>, Host<K> {
  static {
    // biome-ignore lint/complexity/noThisInStatic: a bundler renames a class that names itself
    giveOut(this.prototype, ['getOrLoad']);
  }

  readonly settings: FenceSettings<K>;
  readonly store: Store<K>;
  readonly stats: FencedCacheStats = newFencedCacheStats();
  /** Some load has observed something. */
  observes = false;
  readonly #slots: Slots<K>;
  readonly #subscription: KeyedSubscription;
  readonly #hide: () => void;
  /** The last `get` has returned a promise: then reads are shared before the cache is asked. */
  #asksLate = false;
  readonly #drops: Drops<K>;
  readonly #lasts: Lasts = new Lasts();
  /** Sets by hand that have begun. */
  #settings = 0;

  constructor(store: Store<K>, settings: FenceSettings<K>) {
    const { keyed, ignore, label } = settings;
    this.settings = settings;
    this.store = store;
    this.#slots = new Slots((key) => keyed.identify(key));
    this.#drops = new Drops(store, this.stats, (key) => keyed.identify(key));
    const invalidate = (change: unknown) => this.#invalidate(change as Change<K>);
    this.#subscription = keyed.subscribe({ invalidate }, { ignore, label });
    this.#hide = insideOf(keyed).show(() => this.inspect());
  }

  // --- reading

  getOrLoad<T extends V>(key: K, load: KeyedLoad<K, T>, options?: GetOrLoadOptions<T, SetOptions>): Promise<T> {
    // Not an async function, and the hit comes first: it must cost little.
    try {
      if (this.#subscription.closed) throw this.#closedError();
      check(typeof load === 'function', 'load', load, 'a function');
      checkLoad(options);
      const { tracker } = this.settings.keyed;
      if (this.#asksLate || tracker.lapsed || (this.#settings > 0 && this.#isBeingSet(key))) {
        return this.#read(key, load, options, undefined) as Promise<T>;
      }
      const { seq } = tracker;
      const got = this.store.get(key);
      const late = assimilate(got);
      if (late === undefined) {
        if (!this.store.isMiss(got) || (got === undefined && this.store.has(key))) {
          this.stats.hits++;
          if (options !== undefined) this.#noteHit(key, got, options);
          return Promise.resolve(got as T);
        }
        return this.#read(key, load, options, { seq, wasMiss: true, wasLate: false, got }) as Promise<T>;
      }
      this.#asksLate = true;
      return this.#read(key, load, options, { seq, wasMiss: false, wasLate: true, got: late }) as Promise<T>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #noteHit(key: K, got: unknown, { status, allowStale }: Pick<GetOrLoadOptions<never>, 'status' | 'allowStale'>): void {
    if (status !== undefined) status.hit = true;
    if (allowStale === true) this.#lasts.keep(this.keyed.identify(key), got);
  }

  /** Everything that is not a hit of a synchronous cache. */
  #read<T>(
    key: K,
    load: KeyedLoad<K, T>,
    options: GetOrLoadOptions<T, SetOptions> | undefined,
    first: ConstructorParameters<typeof Flight<K>>[2],
  ): Promise<unknown> {
    const slot = this.#slots.open(key);
    if (first?.got instanceof Promise) this.#running(slot, first.got);
    if (slot.storing !== undefined && !this.settings.keyed.tracker.lapsed) {
      this.stats.hits++;
      if (options !== undefined) this.#noteHit(key, slot.storing.value, options);
      return Promise.resolve(slot.storing.value);
    }
    const { signal, timeoutMs, setOptions, status, allowStale } = options ?? {};
    const last = allowStale === true ? (this.#lasts.get(slot.id) ?? null) : undefined;
    const request = { signal, timeoutMs, load, setOptions, status, last };
    if (slot.flight !== undefined) {
      this.stats.joined++;
      if (status !== undefined) status.joined = true;
      return slot.flight.join(request);
    }
    const flight = new Flight(this, slot, first);
    slot.flight = flight;
    const result = flight.join(request);
    if (slot.flight === flight) flight.start();
    return result;
  }

  #isBeingSet(key: K): boolean {
    return (this.#slots.find(key)?.setting ?? 0) > 0;
  }

  peek(key: K): V | undefined {
    if (this.#subscription.closed || this.settings.keyed.tracker.lapsed) return undefined;
    const slot = this.#slots.find(key);
    if (slot?.storing !== undefined) return slot.storing.value as V;
    if (slot !== undefined && slot.setting > 0) return undefined;
    if (this.#asksLate && this.#drops.writesLate === true) return undefined; // what it would answer comes too late
    const got = this.store.peek(key);
    const late = assimilate(got);
    if (late === undefined) return this.store.isMiss(got) ? undefined : (got as V);
    this.#asksLate = true;
    this.#running(this.#slots.open(key), late);
    return undefined;
  }

  get(slot: Slot<K>): unknown {
    const got = this.store.get(slot.key);
    const late = assimilate(got);
    this.#asksLate = late !== undefined;
    if (late === undefined) return got;
    this.#running(slot, late);
    return late;
  }

  landed(slot: Slot<K>): void {
    slot.flight = undefined;
    this.#slots.settle(slot);
  }

  remember(slot: Slot<K>, value: unknown): void {
    this.#lasts.keep(slot.id, value);
  }

  // --- storing

  keep(slot: Slot<K>, { value, setOptions, observed, wasLate }: Loaded<K>): void {
    const { store, stats, settings } = this;
    if (observed !== undefined) insideOf(settings.keyed).derive(slot.key, observed, settings.ignore !== undefined);
    if (store.isMiss(value) && (wasLate || !store.mayHave)) {
      stats.unstored++;
      return;
    }
    slot.running++; // also while a synchronous one is on the stack: it may call back, and then a begin must wait
    let late: Promise<unknown> | undefined;
    try {
      const own = typeof setOptions === 'function' ? atOnce(setOptions(value)) : setOptions;
      late = assimilate(own === undefined ? store.set(slot.key, value) : store.setWith(slot.key, value, own));
    } catch (error) {
      slot.done();
      this.#notStored(slot.key, error);
      return;
    }
    this.#drops.writesLate = late !== undefined;
    if (late === undefined) {
      slot.done();
      return;
    }
    const storing = { value };
    slot.storing = storing;
    const over = () => {
      if (slot.storing === storing) slot.storing = undefined;
      slot.done();
      this.#slots.settle(slot);
    };
    late.then(over, (error) => {
      over();
      this.#notStored(slot.key, error);
    });
  }

  /** Nobody who waits asked for the storing, so they are not told. What `onSetError` throws is the host's to report. */
  #notStored(key: K, error: unknown): void {
    this.stats.setErrors++;
    const { onSetError } = this.settings;
    if (onSetError !== undefined) queueMicrotask(() => onSetError(error, key));
  }

  /** Counts an operation that is already running. */
  #running(slot: Slot<K>, operation: Promise<unknown>): void {
    slot.running++;
    const over = () => {
      slot.done();
      this.#slots.settle(slot);
    };
    operation.then(over, over);
  }

  // --- changing

  async begin(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): Promise<KeyedInvalidation<K>> {
    this.#demandAble(key);
    return await this.keyed.begin(key, options);
  }

  tryBegin(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): KeyedInvalidation<K> | undefined {
    this.#demandAble(key);
    return this.keyed.tryBegin(key, options);
  }

  async invalidate(key: K | KeyScope<K>, options?: KeyedBeginOptions<K>): Promise<void> {
    this.#demandAble(key);
    await this.keyed.invalidate(key, options);
  }

  async invalidateAll(options?: KeyedBeginOptions<K>): Promise<void> {
    await this.invalidate(this.keyed.all, options);
  }

  async mutate<T>(
    key: K | KeyScope<K>,
    change: (invalidation: KeyedInvalidation<K>) => T | PromiseLike<T>,
    options?: KeyedBeginOptions<K>,
  ): Promise<T> {
    this.#demandAble(key);
    return await this.keyed.mutate(key, change, options);
  }

  async set(key: K, value: V, options: FencedSetOptions<K, SetOptions> = {}): Promise<void> {
    this.#demandOpen();
    checkSet(options);
    const { setOptions, ...others } = options;
    const { keyed } = this;
    const since = keyed.tracker.seq;
    const own = new OwnSet<K>(this, key);
    const store = async (section: KeyedInvalidation<K>): Promise<void> => {
      if (keyed.isAlone(section, since)) await this.#write(key, value, setOptions);
      else await this.#drops.entries([key]);
    };
    try {
      await insideOf(keyed).mutateAs(own, key, store, others);
    } finally {
      if (own.slot !== undefined) {
        own.slot.setting--;
        this.#settings--;
        this.#slots.settle(own.slot);
      }
    }
  }

  async #write(key: K, value: V, setOptions: SetOptions | undefined): Promise<void> {
    const { store } = this;
    const slot = this.#slots.open(key);
    slot.running++;
    try {
      await store.watch.during(() => {
        const late = assimilate(setOptions === undefined ? store.set(key, value) : store.setWith(key, value, setOptions));
        this.#drops.writesLate = late !== undefined;
        return late as Promise<void> | undefined;
      });
    } catch (error) {
      // What it has now, nobody knows: the old value, in one of its tiers perhaps. If that cannot be deleted, the caller has an error.
      await Promise.resolve(this.#drops.entries([key])).catch(() => {});
      throw error;
    } finally {
      slot.done();
      this.#slots.settle(slot);
    }
  }

  /** The subscriber: what is in flight is given up, what is running is waited for, what is stored is deleted. */
  #invalidate(change: Change<K>): void | false | Promise<void> {
    const slots = this.#slotsOf(change);
    for (const slot of slots) {
      slot.flight?.overtaken(change);
      if (change.blockable) slot.storing = undefined;
    }
    if (this.keyed.closed) return this.#drain(slots);
    const isBusy = slots.some(({ running }) => running > 0);
    if (!change.blockable && (isBusy || this.#drops.writesLate === true)) return false;
    const { writer } = change;
    const kept = writer instanceof OwnSet && writer.cache === this ? this.#leaveTo(writer) : undefined;
    const remove = () => this.#drops.change(change, kept?.id);
    return isBusy ? this.#drain(slots).then(remove) : remove();
  }

  /** A set by hand has begun. Until it is over, the entry is not handed out. */
  #leaveTo(own: OwnSet<K>): Slot<K> {
    const slot = this.#slots.open(own.key);
    slot.setting++;
    this.#settings++;
    own.slot = slot;
    return slot;
  }

  #slotsOf(change: Change<K>): Slot<K>[] {
    const { keys } = change;
    if (this.#slots.size === 0) return [];
    if (keys === undefined) return this.#slots.list().filter(({ key }) => change.has(key));
    const slots = keys.map((key) => this.#slots.find(key)).filter((slot) => slot !== undefined);
    if (!this.observes) return slots;
    const observers = this.#slots.list().filter(({ flight }) => flight?.hasObserved(change));
    return [...new Set([...slots, ...observers])];
  }

  /** Resolves when the cache is doing nothing with these keys any more. */
  async #drain(slots: readonly Slot<K>[]): Promise<void> {
    await Promise.all(slots.map((slot) => (slot.running > 0 ? slot.idle() : undefined)));
    for (const slot of slots) this.#slots.settle(slot);
  }

  // --- the whole

  get keyed(): KeyedFence<K> {
    return this.settings.keyed;
  }

  get pending(): number {
    return this.#slots.size;
  }

  get closed(): boolean {
    return this.#subscription.closed;
  }

  inspect(): FencedCacheSnapshot {
    const slots = this.#slots.list();
    return {
      ...{ label: this.settings.label ?? null, closed: this.closed, stats: { ...this.stats } },
      reads: slots.flatMap(({ flight }) => flight?.inspect() ?? []),
      busy: slots.filter(({ running }) => running > 0).map(({ key }) => keyText(key)),
    };
  }

  close(): void {
    if (this.#subscription.closed) return;
    this.#subscription.close();
    this.#lasts.clear();
    for (const { flight } of this.#slots.list()) flight?.fail(this.#closedError());
    this.#hide();
    if (this.settings.ownsKeyed) this.keyed.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #demandOpen(): void {
    if (this.#subscription.closed) throw this.#closedError();
  }

  /** Open, and able to drop what is named: said before anything changes. */
  #demandAble(key: K | KeyScope<K>): void {
    this.#demandOpen();
    if (key instanceof KeyScope && key.keys === undefined) this.#drops.demandList(key.where === undefined);
  }

  #closedError(): ClosedError {
    const { label } = this.settings;
    return new ClosedError(label === undefined ? 'the fenced cache' : `the fenced cache ${describe(label)}`);
  }
}

printed(Fenced.prototype, {
  name: 'FencedCache',
  data: (cache) => cache.inspect(),
  brief: (cache) => {
    const { label, closed, stats, reads } = cache.inspect();
    const { hits, loads } = stats;
    return { label: label ?? undefined, reading: reads.map(({ key }) => key), hits, loads, closed };
  },
});
