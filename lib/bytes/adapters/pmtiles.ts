/**
 * pmtiles: the adapter for pmtiles' `Source`.
 *
 * A `PMTiles` object keeps the header and the directories, by the key of its source and by the ETag of the header, and asks for
 * everything else "of that ETag". So a source that says exactly which version its bytes are of gives whole tiles of one version,
 * header and directories included. The ETag here is the token of the read: `seq` of the tracker at a quiet moment.
 *
 *     getHeader      -> bytes, ETag 4
 *                                      change: begin, end      seq = 6
 *     getDirectory of ETag 4           -> collides since 4: EtagMismatch; pmtiles begins again
 *
 * Two habits of pmtiles 4.5 are worked around, both here and nowhere else:
 *
 * - It keeps promises, rejected ones too: a header or a directory that could not be read once is never read again. So the key of
 *   the source moves with each failure, and with each change: what was kept under the old one is not found any more.
 * - After `EtagMismatch` it reads the header again and leaves that promise to nobody: if it rejects, the process gets an
 *   unhandled rejection. So `EtagMismatch` is not thrown before the new header is here.
 */

import { CollisionError, check } from '../../base/errors.js';
import { checkNames, type Names, names } from '../../base/options.js';
import type { Collision, Seq } from '../../base/vocabulary.js';

import type { ByteReader } from '../reader.js';
import { bufferOf, type ConsistentReader, checkReader, EVERYTHING, isConsistentReader } from './whole.js';

/** Bytes, and which version they are of: `RangeResponse` of pmtiles, as far as a reader knows it. */
export interface PmtilesResponse {
  /** The bytes that were asked for, cut off at the end of the archive. */
  data: ArrayBuffer;
  /** The version that they are of. Not there where there is only one: in the view of a query. */
  etag?: string;
}

/** What `new PMTiles(...)` reads from: `Source` of pmtiles. */
export interface PmtilesSource {
  /** The bytes, if they are of the version `etag`; of the current one if none is given. */
  getBytes: (offset: number, length: number, signal?: AbortSignal, etag?: string) => Promise<PmtilesResponse>;
  /** The name under which pmtiles keeps what it has parsed; another one after each change, and after each failure. */
  getKey: () => string;
}

/** The class `EtagMismatch` of pmtiles, as far as it is used. */
export interface EtagMismatchClass {
  /** An error that makes pmtiles begin again. */
  new (message: string): Error;
}

/** How a {@link PmtilesSource} is called, and what it throws. */
export interface PmtilesOptions {
  /**
   * What `getKey` returns until the first change. It must be the archive's own if several `PMTiles` share a cache or a
   * `Protocol`; add the object to a `Protocol` before it is used.
   */
  readonly key: string;
  /**
   * The class `EtagMismatch` of pmtiles, which makes it begin again by itself where a change came between two reads. Without it,
   * such a tile is rejected with `CollisionError`: right inside of `perVersion`, which then begins again.
   */
  readonly EtagMismatch?: EtagMismatchClass | undefined;
}

const PMTILES_OPTIONS: Names = /* @__PURE__ */ names('key EtagMismatch');

/**
 * A pmtiles source over the reader. Over a source, a tile's header, directories and bytes are of one version, and none of them
 * is older than a change that had ended before `getZxy` was called. Over the view of a query, everything is of one version.
 *
 * `getBytes` rejects with what the reader rejects with; and, once the change is over and the new header was read, with
 * `EtagMismatch` or `CollisionError` if the archive is not of the version `etag` any more.
 */
export function pmtilesSource(reader: ByteReader, options: PmtilesOptions): PmtilesSource {
  checkReader(reader);
  checkNames(options, PMTILES_OPTIONS, 'pmtilesSource');
  check(typeof options?.key === 'string', 'key', options?.key, 'a string');
  const { key, EtagMismatch } = options;
  check(EtagMismatch === undefined || typeof EtagMismatch === 'function', 'EtagMismatch', EtagMismatch, 'a class');
  if (isConsistentReader(reader)) return new VersionedArchive(reader, options);
  return {
    getKey: () => key,
    getBytes: async (offset, length, signal) => ({ data: bufferOf(await reader.read(offset, length, { signal })) }),
  };
}

/** What pmtiles reads first: the header and, in all archives that keep to the specification, the whole root directory. */
const HEADER_LENGTH = 16_384;

/** Bytes with the token of the quiet moment since which nothing has hit them. */
interface Dated {
  readonly data: ArrayBuffer;
  readonly seq: Seq;
}

class VersionedArchive implements PmtilesSource {
  readonly #reader: ConsistentReader;
  readonly #options: PmtilesOptions;
  readonly #first: Seq;
  #failures = 0;
  /** Read before `EtagMismatch` was thrown, for the read that pmtiles begins then. */
  #header: Dated | undefined = undefined;

  constructor(reader: ConsistentReader, options: PmtilesOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#first = reader.tracker.seq;
  }

  readonly getKey = (): string => {
    const { seq } = this.#reader.tracker;
    const { key } = this.#options;
    return seq === this.#first && this.#failures === 0 ? key : `${key}#${seq}.${this.#failures}`;
  };

  readonly getBytes = async (offset: number, length: number, signal?: AbortSignal, etag?: string): Promise<PmtilesResponse> => {
    try {
      const { data, seq } = this.#kept(offset, length, etag) ?? (await this.#read(offset, length, signal));
      const collision = etag === undefined ? undefined : this.#since(Number(etag) as Seq);
      if (collision === undefined) return { data, etag: etag ?? String(seq) };
      this.#header = await this.#read(0, HEADER_LENGTH, signal);
      throw this.#mismatch(collision);
    } catch (error) {
      if (!signal?.aborted && !this.#isMismatch(error)) this.#failures++;
      throw error;
    }
  };

  #read(offset: number, length: number, signal: AbortSignal | undefined): Promise<Dated> {
    return this.#reader.consistent(
      async (view, attempt) => {
        attempt.observe(EVERYTHING);
        return { data: bufferOf(await view.read(offset, length, { signal })), seq: attempt.seq };
      },
      { signal },
    );
  }

  /** A copy of the header, if it is asked for and nothing has changed since it was read. */
  #kept(offset: number, length: number, etag: string | undefined): Dated | undefined {
    const header = this.#header;
    if (header === undefined || etag !== undefined || offset !== 0 || length !== HEADER_LENGTH) return undefined;
    if (this.#since(header.seq) !== undefined) return undefined;
    return { data: header.data.slice(0), seq: header.seq };
  }

  #since(seq: Seq): Collision | undefined {
    return this.#reader.tracker.collision(EVERYTHING, seq);
  }

  #mismatch(collision: Collision): Error {
    const { key, EtagMismatch } = this.#options;
    if (EtagMismatch === undefined) return new CollisionError(collision);
    return new EtagMismatch(`${key} has changed since its header was read`);
  }

  #isMismatch(error: unknown): boolean {
    return error instanceof (this.#options.EtagMismatch ?? CollisionError);
  }
}
