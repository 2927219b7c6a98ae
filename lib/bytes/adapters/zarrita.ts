/**
 * zarrita: the adapter for zarrita's stores (`AsyncReadable`).
 *
 * zarrita's array objects keep the metadata they were opened with, and its `withByteCaching` puts a map of bytes in front of a
 * store; a read in flight across `cache.clear()` fills that map with what it had read before. A store over a source needs no
 * such map: the source keeps pages, and keeps them right.
 */
import { check } from '../../base/errors.js';
import { isMissing } from '../errors.js';
import type { ByteReader, ByteReadOptions } from '../reader.js';
import { checkReader, readToEnd, signalOf } from './whole.js';

/** A range by its place, in bytes. */
export interface ZarritaSpan {
  /** Where it starts. */
  readonly offset: number;
  /** How long it is. */
  readonly length: number;
}

/** A range at the end, in bytes. */
export interface ZarritaSuffix {
  /** How long it is. */
  readonly suffixLength: number;
}

/** A range as zarrita asks for it: its `RangeQuery`. */
export type ZarritaRange = ZarritaSpan | ZarritaSuffix;

/** What zarrita hands down with a read. */
export interface ZarritaReadOptions {
  /** Rejects the read with its reason. */
  signal?: AbortSignal | undefined;
}

/** What zarrita reads from: its `AsyncReadable`, with ranges. */
export interface ZarritaStore {
  /** All bytes under the key as of one version, or `undefined` if there is nothing. */
  get(key: `/${string}`, options?: ZarritaReadOptions): Promise<Uint8Array | undefined>;
  /** A range of the bytes under the key, cut off at the end, or `undefined` if there is nothing. */
  getRange(key: `/${string}`, range: ZarritaRange, options?: ZarritaReadOptions): Promise<Uint8Array | undefined>;
}

/** Finds the reader for a key such as `/zarr.json` or `/c/0/1`; `undefined` if there is nothing under it. */
export type ZarritaReaders =
  | ReadonlyMap<string, ByteReader>
  | ((key: `/${string}`) => ByteReader | undefined | PromiseLike<ByteReader | undefined>);

/**
 * A zarrita store over one reader for each key. Bytes of one key and one call stem from one version; for more than that, see
 * `consistentAll`.
 *
 * That there is nothing under a key is an answer, and an ordinary one: a chunk that was never written, attributes that an array
 * does not have. So what is missing (404, 410, no such file) is `undefined`, as it is where `readers` finds none. Which keys exist
 * is what is found at the moment of the call: that a key appears or goes away is not fenced. Rejects with what else the reader
 * rejects with, 403 and 500 among them.
 */
export function zarritaStore(readers: ZarritaReaders): ZarritaStore {
  const isMap = typeof (readers as Partial<ReadonlyMap<string, ByteReader>> | undefined)?.get === 'function';
  check(isMap || typeof readers === 'function', 'readers', readers, 'a map of readers by key, or a function that finds one');
  const find = typeof readers === 'function' ? readers : (key: string) => readers.get(key);
  const reader = async (key: `/${string}`): Promise<ByteReader | undefined> => {
    const found = await find(key);
    if (found !== undefined) checkReader(found);
    return found;
  };
  return {
    get: (key, options) => ifThere(reader(key), (found) => readToEnd(found, 0, signalOf(options))),
    getRange: (key, range, options) => ifThere(reader(key), (found) => readRange(found, range, signalOf(options))),
  };
}

async function ifThere<T>(
  found: Promise<ByteReader | undefined>,
  read: (reader: ByteReader) => Promise<T>,
): Promise<T | undefined> {
  try {
    const reader = await found;
    return reader && (await read(reader));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function readRange(reader: ByteReader, range: ZarritaRange, options?: ByteReadOptions): Promise<Uint8Array> {
  if ('suffixLength' in range) {
    return range.suffixLength > 0 ? readToEnd(reader, -range.suffixLength, options) : new Uint8Array(0);
  }
  return reader.read(range.offset, range.length, options);
}
