/**
 * hyparquet: the adapter for hyparquet's `AsyncBuffer`.
 *
 * hyparquet keeps nothing itself. What is kept is `byteLength`, a property that cannot wait, and the `metadata` that a caller
 * passes from one query to the next: both are of the version they were read from. Hence one buffer for each query, or for
 * each version (see per-version.ts).
 */
import { CANCEL_NAMES } from '../../base/cancel.js';
import { check } from '../../base/errors.js';
import { checkNames, type Names, names } from '../../base/options.js';
import type { ByteReader, ByteReadOptions } from '../reader.js';
import { bufferOf, checkReader } from './whole.js';

/** What hyparquet reads from: its `AsyncBuffer`, as far as it uses it. */
export interface HyparquetBuffer {
  /** The length of the file in bytes when the buffer was made. */
  byteLength: number;
  /** The bytes `[start, end)`, by the rules of `ArrayBuffer.slice`. */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

const BUFFER_OPTIONS: Names = /* @__PURE__ */ names(CANCEL_NAMES);

/**
 * A hyparquet `AsyncBuffer` over the reader. Inside of `source.consistent(view => ...)` everything read through it stems from
 * one version; over a source itself, each slice does, but two slices need not.
 *
 * `signal` and `timeoutMs` apply to finding out the size and to every slice. Costs one `size()`. Rejects with what the reader
 * rejects with, and `InvalidArgumentError`.
 */
export async function hyparquetBuffer(reader: ByteReader, options?: ByteReadOptions): Promise<HyparquetBuffer> {
  checkReader(reader);
  checkNames(options, BUFFER_OPTIONS, 'hyparquetBuffer');
  const byteLength = await reader.size(options);
  return {
    byteLength,
    async slice(start, end = byteLength) {
      check(Number.isInteger(start), 'start', start, 'a whole number');
      check(Number.isInteger(end), 'end', end, 'a whole number');
      const from = clamp(start, byteLength);
      const to = clamp(end, byteLength);
      return from < to ? bufferOf(await reader.read(from, to - from, options)) : new ArrayBuffer(0);
    },
  };
}

/** An index of `slice`: counted from the end if negative, and never outside. */
function clamp(index: number, length: number): number {
  return index < 0 ? Math.max(0, length + index) : Math.min(index, length);
}
