/**
 * Keys: a keyed fence, shared with others. What travels are the keys themselves; each process has its own points for them.
 */
import { InvalidArgumentError } from '../base/errors.js';
import type { KeyedChange, KeyedFence, KeyedInvalidation, KeyScope } from '../keyed/index.js';
import { sectionUnder } from '../keyed/internal.js';
import type { RangeTracker } from '../tracker/index.js';
import { type Section, sectionOf } from '../tracker/internal.js';
import { common, type Entered, RemoteOwner, type Side, type SideListener } from './side.js';
import type { WireData } from './wire.js';

/** How keys become texts, and texts keys. */
export interface KeyText<K> {
  /** The text of a key, the same in every process. Default: the key, which then has to be a text. */
  serialize?: ((key: K) => string) | undefined;
  /** The key of a text. Default: the text. */
  parse?: ((text: string) => K) | undefined;
}

/** See {@link Side}. */
export class KeySide<K> implements Side {
  readonly tracker: RangeTracker;
  readonly #keyed: KeyedFence<K>;
  readonly #text: KeyText<K>;

  constructor(keyed: KeyedFence<K>, text: KeyText<K>) {
    this.#keyed = keyed;
    this.#text = text;
    this.tracker = keyed.tracker;
  }

  listen({ begun, ended }: SideListener): () => void {
    const subscription = this.#keyed.subscribe(
      {
        invalidate: (change) => begun(this.section(change), () => ({ ...common(change), ...this.describe(change) })),
        end: (change) => ended(this.section(change)),
      },
      { ignore: ({ owner }) => owner instanceof RemoteOwner, label: 'shared by rangefence/redis' },
    );
    return () => subscription.close();
  }

  /** A condition is a function, and cannot travel: it is everything. */
  describe({ keys, prefix }: Pick<KeyedChange<K>, 'keys' | 'prefix'>): WireData {
    if (keys !== undefined) return { k: keys.map((key) => this.#serialize(key)) };
    return prefix !== undefined && this.#text.serialize === undefined ? { p: prefix } : { all: 1 };
  }

  section(given: object): Section {
    return sectionOf(sectionUnder(given as KeyedChange<K>)) as Section;
  }

  enter(data: WireData, owner: RemoteOwner, within: Entered | undefined): Promise<Entered> {
    const outer = within as KeyedInvalidation<K> | undefined;
    return this.#keyed.begin(this.#scope(data), {
      ...{ kind: data.kind, label: data.label, owner, urgent: true },
      ...(outer?.active === true ? { within: outer } : {}),
    });
  }

  #scope({ k, p }: WireData): KeyScope<K> {
    const { all } = this.#keyed;
    if (typeof p === 'string') return this.#text.parse === undefined ? this.#keyed.prefix(p) : all;
    if (!Array.isArray(k)) return all;
    try {
      return this.#keyed.keys(k.map((text) => this.#parse(text)));
    } catch {
      return all; // what cannot be read may be any key
    }
  }

  #serialize(key: K): string {
    const { serialize } = this.#text;
    const text: unknown = serialize === undefined ? key : serialize(key);
    if (typeof text === 'string') return text;
    throw new InvalidArgumentError(
      serialize === undefined
        ? `a shared key is a ${typeof key}; expected a text, or \`serialize\` and \`parse\``
        : `serialize has returned a ${typeof text}; expected a text`,
    );
  }

  #parse(text: string): K {
    const { parse } = this.#text;
    return parse === undefined ? (text as K) : parse(text);
  }
}
