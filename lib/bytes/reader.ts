/**
 * ByteReader: what adapters and queries read from, a source or the view of one query on it.
 */

/** The outer bounds of one read of bytes. */
export interface ByteReadOptions {
  /** Rejects the read with its reason. */
  signal?: AbortSignal | undefined;
  /** Rejects the read with `TimeoutError` when it takes longer, in milliseconds. */
  timeoutMs?: number | undefined;
}

/** Reads bytes of one thing: a file, a URL, a buffer, or a view of them during one consistent query. */
export interface ByteReader {
  /** The length of the whole thing in bytes, as of the version that would be read now. */
  size(options?: ByteReadOptions): Promise<number>;
  /**
   * The bytes `[offset, offset + length)`, cut off at the end of the thing: shorter than `length`, or empty, only there. The
   * result is the caller's own copy.
   */
  read(offset: number, length: number, options?: ByteReadOptions): Promise<Uint8Array>;
}
