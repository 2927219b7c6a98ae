/**
 * PerVersion: an object of a package, with all that it keeps, made once for each version of a source.
 *
 * Readers of containers keep what they have parsed: a header, directories, metadata. Made anew for each query they keep nothing
 * for long, which is right, and costs a parse; kept for longer they outlive the version that they were made from, and no fence
 * around the bytes helps, as those bytes are not read again.
 *
 *     query                            writer
 *     object made of version 1
 *                                      change: begin, end
 *     object asked for a tile          -> looks into the directory of version 1, reads bytes of version 2
 *
 * So the token of the query for which an object was made is kept beside it, and asked before each use. Everything is observed,
 * and not just what was read by this query: nobody knows what the object has kept from the ones before.
 */

import { check } from '../../base/errors.js';
import { checkNames } from '../../base/options.js';
import type { Seq } from '../../base/vocabulary.js';
import type { Attempt } from '../../tracker/index.js';

import { CONSISTENT_OPTIONS, type ConsistentOptions } from '../options.js';
import type { ByteReader } from '../reader.js';
import { type ConsistentReader, EVERYTHING, isConsistentReader } from './whole.js';

/** What {@link perVersion} returns: runs a query with the object of the current version. */
export type VersionedQuery<T> = <R>(
  query: (object: T, attempt: Attempt) => R | PromiseLike<R>,
  options?: ConsistentOptions,
) => Promise<R>;

interface Made<T> {
  readonly seq: Seq;
  readonly object: Promise<T>;
}

/**
 * A function that runs queries with an object of a package, such as a `PMTiles`, a `GeoTIFF`, or the metadata of a Parquet file,
 * made by `make` when the first query after a change needs one, and shared by all queries until the next change.
 *
 * The result of a query stems from one version, that of its object included; a query that was hit is run again as a whole, with
 * a new object. A query that fails takes its object with it, so that nothing that a package keeps of a failure is met twice.
 * Rejects with what `make`, the query and `source.consistent` reject with.
 *
 * `make` gets a reader for as long as the object lives. Nothing has to be closed.
 */
export function perVersion<T>(source: ConsistentReader, make: (reader: ByteReader) => T | PromiseLike<T>): VersionedQuery<T> {
  check(isConsistentReader(source), 'source', source, 'a source with consistent, not the view of a query');
  check(typeof make === 'function', 'make', make, 'a function');
  let made: Made<T> | undefined;
  const current = (seq: Seq): Made<T> => {
    const isOld = made === undefined || source.tracker.collision(EVERYTHING, made.seq) !== undefined;
    if (isOld) made = { seq, object: new Promise((resolve) => resolve(make(source))) };
    return made!;
  };
  return (query, options) => {
    try {
      checkNames(options, CONSISTENT_OPTIONS, 'a query');
    } catch (error) {
      return Promise.reject(error); // not an async function: one that returns a promise costs three turns more
    }
    return source.consistent(async (_view, attempt) => {
      attempt.observe(EVERYTHING);
      const mine = current(attempt.seq);
      try {
        return await query(await mine.object, attempt);
      } catch (error) {
        if (made === mine) made = undefined;
        throw error;
      }
    }, options);
  };
}
