/**
 * Memory: a backend whose answers wait until they are let go, and a desk with a source over it.
 */

import type { Range } from '../../../lib/base/vocabulary.js';
import {
  type ByteBackend,
  type ByteReadContext,
  type ByteReading,
  ByteSource,
  type ByteSourceOptions,
  type ByteVersion,
} from '../../../lib/bytes/index.js';
import { RangeTracker } from '../../../lib/index.js';
import { ManualClock } from '../model/clock.js';
import { deferred } from '../turns.js';
import { blocks } from './content.js';

/** One request; `go` answers it from what is there then. */
export interface Call {
  /** Undefined for a question for the version. */
  readonly range: Range | undefined;
  readonly expected: ByteVersion | undefined;
  readonly signal: AbortSignal;
  go(): void;
  fail(error: unknown): void;
}

/** See the top of the file. */
export class MemoryBackend implements ByteBackend {
  readonly name = 'memory';
  readonly calls: Call[] = [];
  content: Uint8Array;
  key = 1;
  /** Answers wait for `go`. */
  held = false;
  changed: (() => void) | undefined = undefined;
  watches = 0;
  closed = 0;

  constructor(content: Uint8Array) {
    this.content = content;
  }

  /** Another content, of which nobody is told. */
  put(content: Uint8Array): void {
    this.content = content;
    this.key++;
  }

  get version(): ByteVersion {
    return { key: String(this.key), size: this.content.length };
  }

  /** What was asked for, in order. */
  get asked(): string[] {
    return this.calls.map(({ range }) => (range === undefined ? '?' : `${range.start}-${range.end}`));
  }

  identify({ signal }: { signal: AbortSignal }): Promise<ByteVersion> {
    return this.#call(undefined, { signal, expected: undefined }, () => this.version);
  }

  read(range: Range, context: ByteReadContext): Promise<ByteReading> {
    return this.#call(range, context, () => {
      const isThere = context.expected === undefined || context.expected.key === this.version.key;
      return { version: this.version, bytes: isThere ? this.content.slice(range.start, range.end) : undefined };
    });
  }

  watch(changed: () => void): () => void {
    this.changed = changed;
    this.watches++;
    return () => {
      this.watches--;
    };
  }

  close(): void {
    this.closed++;
  }

  #call<T>(range: Range | undefined, { signal, expected }: ByteReadContext, answer: () => T): Promise<T> {
    const gate = deferred();
    this.calls.push({ range, expected, signal, go: () => gate.resolve(), fail: gate.reject });
    if (!this.held) gate.resolve();
    return gate.promise.then(answer);
  }
}

/** A source of ten pages of two blocks each, everything by hand. */
export class Desk {
  readonly clock = new ManualClock();
  readonly tracker = new RangeTracker({ clock: this.clock });
  readonly backend: MemoryBackend;
  readonly source: ByteSource;

  constructor(options: Partial<ByteSourceOptions> = {}, content: Uint8Array = blocks(1, 20)) {
    this.backend = new MemoryBackend(content);
    this.source = new ByteSource({ backend: this.backend, tracker: this.tracker, clock: this.clock, pageSize: 32, ...options });
  }
}
