/**
 * Faults of the adapters; see faults.ts.
 */
import type { Fault } from './faults.js';

const EXAMPLES = 'test/bytes/adapters.test.ts';
const PMTILES = 'test/bytes/adapters.pmtiles.test.ts';
const RASTERS = 'test/bytes/adapters.rasters.test.ts';
const MISSING = 'test/bytes/adapters.missing.test.ts';

/** Wrong behaviour of the adapters of `rangefence/bytes`, one at a time. */
export const ADAPTER_FAULTS: readonly Fault[] = [
  {
    name: 'an object of a package outlives its version',
    file: 'bytes/adapters/per-version.ts',
    find: 'source.tracker.collision(EVERYTHING, made.seq) !== undefined',
    replace: 'false',
    first: [EXAMPLES],
  },
  {
    name: 'a query observes nothing of what its object keeps',
    file: 'bytes/adapters/per-version.ts',
    find: 'attempt.observe(EVERYTHING);',
    replace: '',
    first: [EXAMPLES],
  },
  {
    name: 'an object whose query has failed is used again',
    file: 'bytes/adapters/per-version.ts',
    find: 'if (made === mine) made = undefined;',
    replace: '',
    first: [EXAMPLES],
  },
  {
    name: 'a query that fails takes the object of others with it',
    file: 'bytes/adapters/per-version.ts',
    find: 'if (made === mine) made = undefined;',
    replace: 'made = undefined;',
    first: [EXAMPLES],
  },
  {
    name: 'a query over several sources reads the first of them around its view',
    file: 'bytes/adapters/consistent-all.ts',
    find: 'views.set(key, view);',
    replace: 'views.set(key, depth === 0 ? source : view);',
    first: [EXAMPLES],
  },
  {
    name: 'the end of a thing is read by the size of another version',
    file: 'bytes/adapters/whole.ts',
    find: 'return isConsistentReader(reader) ? reader.consistent(query, options) : query(reader);',
    replace: 'return query(reader);',
    first: [RASTERS],
  },
  {
    name: 'a buffer holds more than what was asked for',
    file: 'bytes/adapters/whole.ts',
    find: 'buffer.byteLength === bytes.byteLength',
    replace: 'buffer.byteLength >= bytes.byteLength',
    first: [EXAMPLES],
  },
  {
    name: 'a slice counts from the start where it should from the end',
    file: 'bytes/adapters/hyparquet.ts',
    find: 'index < 0 ? Math.max(0, length + index)',
    replace: 'index < 0 ? Math.max(0, -index)',
    first: [EXAMPLES],
  },
  {
    name: 'what pmtiles keeps of a failure is met again',
    file: 'bytes/adapters/pmtiles.ts',
    find: 'this.#failures++;',
    replace: '',
    first: [PMTILES],
  },
  {
    name: 'a read that was given up makes pmtiles forget everything',
    file: 'bytes/adapters/pmtiles.ts',
    find: '!signal?.aborted && ',
    replace: '',
    first: [PMTILES],
  },
  {
    name: 'pmtiles is given bytes of another version than its directories',
    file: 'bytes/adapters/pmtiles.ts',
    find: 'if (collision === undefined) return',
    replace: 'if (collision !== null) return',
    first: [PMTILES],
  },
  {
    name: 'pmtiles keeps a header of an announced change ago',
    file: 'bytes/adapters/pmtiles.ts',
    find: 'return seq === this.#first && this.#failures === 0 ? key',
    replace: 'return seq >= 0 && this.#failures === 0 ? key',
    first: [PMTILES],
  },
  {
    name: 'pmtiles begins again before the new header is there',
    file: 'bytes/adapters/pmtiles.ts',
    find: 'this.#header = await this.#read(0, HEADER_LENGTH, signal);',
    replace: '',
    first: [PMTILES],
  },
  {
    name: 'the header that was kept is of a version ago',
    file: 'bytes/adapters/pmtiles.ts',
    find: 'if (this.#since(header.seq) !== undefined) return undefined;',
    replace: '',
    first: [PMTILES],
  },
  {
    name: 'the size of a chunk source is found out once',
    file: 'bytes/adapters/chunkd.ts',
    find: 'found = await reader.size(signalOf(options));',
    replace: 'found ??= await reader.size(signalOf(options));',
    first: [EXAMPLES],
  },
  {
    name: 'what lies behind the end of a chunk source comes as nothing',
    file: 'bytes/adapters/chunkd.ts',
    find: 'if (offset > 0 && (offset >= size || isMistaken))',
    replace: 'if (offset > 0 && isMistaken)',
    first: [MISSING],
  },
  {
    name: 'a chunk that nobody has cut off comes short',
    file: 'bytes/adapters/chunkd.ts',
    find: 'if (offset > 0 && (offset >= size || isMistaken))',
    replace: 'if (offset > 0 && offset >= size)',
    first: [MISSING],
  },
  {
    name: 'a size of an old version cuts off chunks of the new one',
    file: 'bytes/adapters/chunkd.ts',
    find: 'const sizeNow = () => versionOf(reader)?.size ?? found;',
    replace: 'const sizeNow = () => found ?? versionOf(reader)?.size;',
    first: [MISSING],
  },
  {
    name: 'a chunk that is not there is an error',
    file: 'bytes/adapters/zarrita.ts',
    find: 'if (isMissing(error)) return undefined;',
    replace: '',
    first: [MISSING],
  },
  {
    name: 'whatever cannot be read is not there',
    file: 'bytes/adapters/zarrita.ts',
    find: 'if (isMissing(error)) return undefined;',
    replace: 'if (error instanceof Error) return undefined;',
    first: [MISSING],
  },
  {
    name: 'a store hands down no signal',
    file: 'bytes/adapters/zarrita.ts',
    find: 'readToEnd(found, 0, signalOf(options)))',
    replace: 'readToEnd(found, 0, options && undefined))',
    first: [RASTERS],
  },
  {
    name: 'an answer says one byte too much of its range',
    file: 'bytes/adapters/geotiff.ts',
    find: 'const end = offset + bytes.byteLength - 1;',
    replace: 'const end = offset + bytes.byteLength;',
    first: [RASTERS],
  },
  {
    name: 'a request for a range gets one byte too few',
    file: 'bytes/adapters/geotiff.ts',
    find: 'length: last + 1 - offset',
    replace: 'length: last - offset',
    first: [RASTERS],
  },
];
