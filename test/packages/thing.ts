/**
 * Thing: what is read in these tests, in memory. It is replaced as a whole by its next version, may fail, and may be made to
 * wait; as a backend it is read through a source, and by hand it is read as a package reads without one.
 */
import { type ByteBackend, ByteSource, type ByteVersion } from '../../lib/bytes/index.js';
import type { Range } from '../../lib/index.js';
import type { Archive } from './archives.js';

/** See the top of the file. */
export class Thing implements ByteBackend {
  readonly name = 'thing';
  /** Requests for bytes, those that fail included. */
  requests = 0;
  /** How many of the next requests fail. */
  failures = 0;
  /** Called before each request reads: the place to change something, or to wait. */
  before: (range: Range) => void | Promise<void> = () => {};
  /** Called when a request has read and not arrived: the bytes are on their way. */
  after: (range: Range) => void | Promise<void> = () => {};
  readonly #archive: Archive;
  #version = 1;
  #bytes: Uint8Array;

  constructor(archive: Archive) {
    this.#archive = archive;
    this.#bytes = archive(this.#version);
  }

  get version(): number {
    return this.#version;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Replaces it, and tells nobody. */
  replace(): void {
    this.#version++;
    this.#bytes = this.#archive(this.#version);
  }

  /** Reads by hand what is there now. */
  async slice(start: number, end: number): Promise<Uint8Array> {
    return (await this.read({ start, end })).bytes;
  }

  async identify(): Promise<ByteVersion> {
    return { key: String(this.#version), size: this.#bytes.length };
  }

  async read(range: Range): Promise<{ readonly bytes: Uint8Array; readonly version: ByteVersion }> {
    this.requests++;
    await this.before(range);
    if (this.failures > 0) {
      this.failures--;
      throw new Error('the network is gone');
    }
    const version = { key: String(this.#version), size: this.#bytes.length };
    const bytes = this.#bytes.slice(range.start, range.end);
    await this.after(range);
    return { bytes, version };
  }
}

/** Bytes that hold nothing else, as the packages want them. */
export function exactly(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

/** A thing with a source over it, in small pages. */
export function open(archive: Archive): { readonly thing: Thing; readonly source: ByteSource } {
  const thing = new Thing(archive);
  return { thing, source: new ByteSource({ backend: thing, pageSize: 4096 }) };
}
