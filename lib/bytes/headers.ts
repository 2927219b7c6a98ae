/**
 * Headers: those that a caller wants to be sent, in whatever form `fetch` would take them, and as one record for each request.
 *
 * Names are lower-cased: `Range` of the caller beside `range` of the request would be sent as one header of two values.
 */
import { describe, InvalidArgumentError } from '../base/errors.js';

/** Anything that lists names and values: a `Headers` object, a `Map`, an array of pairs. */
export type UrlHeaderPairs = Iterable<readonly [name: string, value: string]>;

/** Headers as a record, as pairs, or as a `Headers` object. */
export type UrlHeadersGiven = Readonly<Record<string, string>> | UrlHeaderPairs;

const EXPECTED = 'a record of headers, a Headers object, an array of pairs, or a function that returns one';

/** One record, lower-cased. Values of one name are joined as a list; those that are undefined are left out. */
export function recordOf(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) throw wrong(headers);
  const isList = typeof (headers as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function';
  const pairs: Iterable<unknown> = isList ? (headers as Iterable<unknown>) : Object.entries(headers);
  const record: Record<string, string> = {};
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string') throw wrong(headers);
    const name = pair[0].toLowerCase();
    for (const value of Array.isArray(pair[1]) ? pair[1] : [pair[1]]) {
      if (value === undefined || value === null) continue;
      if (typeof value === 'object' || typeof value === 'function') throw wrong(headers);
      record[name] = Object.hasOwn(record, name) ? `${record[name]}, ${value}` : String(value);
    }
  }
  return record;
}

/** Throws `InvalidArgumentError` unless it can be asked for headers; a function is asked later. */
export function checkHeaders(headers: unknown): void {
  if (typeof headers !== 'function') recordOf(headers);
}

function wrong(headers: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`headers is ${describe(headers)}; expected ${EXPECTED}`);
}
