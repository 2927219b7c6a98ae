/**
 * Fenced caches under random readers, writers, aborts and failures, in random schedules, judged by a source that knows every
 * version of every key and which of them was announced.
 */
import { expect, test } from 'vitest';
import { SubscriberError } from '../../lib/index.js';
import { type FencedCache, fence, KeyedFence, type KeyScope } from '../../lib/keyed/index.js';
import { ManualClock, settled } from '../support/model/clock.js';
import { Random, seeds } from '../support/model/random.js';
import { Scheduler } from '../support/model/scheduler.js';

const KEYS = ['a:1', 'a:2', 'b:1'];
const GONE = new Error('the caller has gone');
const BROKEN = new Error('the network is down');

type Kind = 'Map' | 'network' | 'two tiers';

/** What is true: the version of each key, and the least that anybody may get who asks now. */
class Truth {
  readonly version: Map<string, number> = new Map(KEYS.map((key) => [key, 0]));
  /** Changed, announced, and the announcement is over. */
  readonly announced: Map<string, number> = new Map(KEYS.map((key) => [key, 0]));
  /** Changes that are going on, by key: nothing may be stored. */
  readonly changing: Map<string, number> = new Map();

  change(keys: readonly string[]): void {
    for (const key of keys) this.version.set(key, this.version.get(key)! + 1);
  }

  enter(keys: readonly string[], by: 1 | -1): void {
    for (const key of keys) this.changing.set(key, (this.changing.get(key) ?? 0) + by);
  }

  /** What was the version of these keys at `then` is known to everybody from now on. */
  announce(then: ReadonlyMap<string, number>, keys: readonly string[]): void {
    for (const key of keys) this.announced.set(key, Math.max(this.announced.get(key)!, then.get(key)!));
  }
}

/** A cache whose operations take effect somewhere between their begin and their end. */
class World {
  readonly random: Random;
  readonly clock = new ManualClock();
  readonly scheduler: Scheduler;
  readonly truth = new Truth();
  readonly entries: Map<string, number> = new Map();
  readonly cache: FencedCache<string, number>;
  readonly kind: Kind;
  loads = 0;
  stored = 0;

  constructor(seed: number, kind: Kind) {
    this.random = new Random(seed);
    this.scheduler = new Scheduler(this.random, this.clock);
    this.kind = kind;
    // A small memory, so that it is exceeded now and then.
    const keyed = new KeyedFence<string>({ clock: this.clock, historyCapacity: 1 + this.random.below(8) });
    const store = kind === 'Map' ? this.entries : this.#network();
    this.cache = fence(store as Map<string, number>, { keyed });
  }

  async pause(most: number): Promise<void> {
    for (let i = this.random.below(most + 1); i > 0; i--) await this.scheduler.pause();
  }

  #network(): object {
    const { entries } = this;
    const operation = async <T>(effect: () => T | Promise<T>): Promise<T> => {
      await this.pause(2);
      if (this.random.chance(0.05)) throw BROKEN;
      const result = await effect();
      await this.pause(2);
      return result;
    };
    const copyUpwards = async (key: string, value: number | undefined) => {
      await this.pause(2);
      if (value !== undefined) entries.set(key, value);
      return value;
    };
    return {
      get: (key: string) => operation(() => (this.kind === 'two tiers' ? copyUpwards(key, entries.get(key)) : entries.get(key))),
      set: (key: string, value: number) =>
        operation(() => {
          this.stored++;
          entries.set(key, value);
        }),
      delete: (key: string) => operation(() => entries.delete(key)),
      clear: () => operation(() => entries.clear()),
    };
  }

  readonly load = async (key: string): Promise<number> => {
    this.loads++;
    await this.pause(1);
    const version = this.truth.version.get(key)!;
    await this.pause(4);
    if (this.random.chance(0.1)) throw BROKEN;
    return version;
  };

  /** The invariants of every moment. */
  readonly check = (): void => {
    for (const [key, version] of this.entries) {
      if ((this.truth.changing.get(key) ?? 0) > 0) throw new Error(`${key} is stored while it changes`);
      if (version < this.truth.announced.get(key)!) throw new Error(`${key} is stored with ${version}, older than announced`);
    }
  };

  async reader(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await this.pause(4);
      const key = this.random.pick(KEYS);
      const least = this.truth.announced.get(key)!;
      const controller = this.random.chance(0.3) ? new AbortController() : undefined;
      const reading = this.cache.getOrLoad(key, this.load, controller === undefined ? {} : { signal: controller.signal });
      if (controller !== undefined) {
        reading.catch(() => {});
        await this.pause(3);
        controller.abort(GONE);
      }
      try {
        expect(await reading).toBeGreaterThanOrEqual(least);
      } catch (error) {
        if (error !== GONE && error !== BROKEN) throw error;
      }
    }
  }

  #scope(): { readonly what: string | KeyScope<string>; readonly keys: readonly string[] } {
    const { keyed } = this.cache;
    const key = this.random.pick(KEYS);
    switch (this.random.below(5)) {
      case 0:
        return { what: keyed.keys(KEYS.slice(1)), keys: KEYS.slice(1) };
      case 1:
        return { what: keyed.where((each) => each.startsWith('a')), keys: KEYS.filter((each) => each.startsWith('a')) };
      case 2:
        return { what: keyed.all, keys: KEYS };
      default:
        return { what: key, keys: [key] };
    }
  }

  async writer(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await this.pause(5);
      try {
        await this.#write();
      } catch (error) {
        if (!(error instanceof SubscriberError) && error !== BROKEN) throw error;
      }
    }
  }

  async #write(): Promise<void> {
    const { truth, cache } = this;
    const { what, keys } = this.#scope();
    const then = () => new Map(truth.version);
    switch (this.random.below(4)) {
      case 0: {
        // Changed first, and said afterwards: until then nobody can know.
        truth.change(keys);
        const version = then();
        await cache.invalidate(what);
        truth.announce(version, keys);
        return;
      }
      case 1: {
        const version = then();
        const section = cache.tryBegin(what);
        section?.end();
        if (section !== undefined) truth.announce(version, keys);
        return;
      }
      case 2: {
        const key = keys[0]!;
        const version = then();
        await cache.set(key, version.get(key)!);
        truth.announce(version, [key]);
        return;
      }
      default: {
        await cache.mutate(what, async () => {
          truth.enter(keys, 1);
          truth.change(keys);
          await this.pause(4);
          truth.change(keys);
          truth.enter(keys, -1);
          truth.announce(then(), keys);
          if (this.random.chance(0.1)) throw BROKEN;
        });
      }
    }
  }

  async run(): Promise<void> {
    const actors = [1, 2, 3].map(() => this.reader()).concat([1, 2].map(() => this.writer()));
    let isDone = false;
    const all = Promise.all(actors).finally(() => {
      isDone = true;
    });
    all.catch(() => {});
    await this.scheduler.run(() => isDone && this.cache.pending === 0, this.check);
    await all;
    await settled();
    const { waiting, sections, holds } = this.cache.keyed.tracker.inspect();
    expect([this.cache.pending, this.cache.keyed.size, waiting, sections.length, holds.length]).toEqual([0, 0, 0, 0, 0]);
    expect(this.clock.pending).toBe(0);
  }
}

test.each<Kind>(['Map', 'network', 'two tiers'])(
  'nothing stale is stored or handed out, and nothing is left behind: %s',
  {
    timeout: 60_000,
  },
  async (kind) => {
    let overtaken = 0;
    let joined = 0;
    for (const seed of seeds(100)) {
      const world = new World(seed, kind);
      try {
        await world.run();
      } catch (error) {
        throw new Error(`RANGEFENCE_SEED=${seed} fails with a ${kind}: ${String(error)}`, { cause: error });
      }
      overtaken += world.cache.stats.overtaken;
      joined += world.cache.stats.joined;
    }
    // The schedules reach what they are about.
    expect(overtaken).toBeGreaterThan(50);
    expect(joined).toBeGreaterThan(50);
  },
);
