/**
 * Backend: what a source reads from. A file and a URL are two of them; anything else with an identity can be a third.
 *
 * The one thing a backend must bring is a version whose key never stands for two contents. Everything that a source promises
 * rests on it: bytes of equal keys may be mixed, bytes of different keys never are.
 */
import type { Range } from '../base/vocabulary.js';

/** One content of the thing. */
export interface ByteVersion {
  /** Equal for equal contents only: an ETag, a time stamp that is fine and old enough, a counter. */
  readonly key: string;
  /** The length of this content in bytes. */
  readonly size: number;
}

/** What came of a request for bytes. */
export interface ByteReading<Version extends ByteVersion = ByteVersion> {
  /** The version all of `bytes` are of; `undefined` if they may be of several, or if there are none. */
  readonly version: Version | undefined;
  /**
   * The bytes of the range, cut off at the end of the thing; `undefined` if the backend has found that the expected version is
   * no longer there, and has got nothing.
   */
  readonly bytes: Uint8Array | undefined;
  /** What said so, where there is no version: for error messages. */
  readonly remark?: string | undefined;
}

/** What a backend is told about a request. */
export interface IdentifyContext {
  /** Fires when nobody wants the answer any more. A backend that cannot stop may ignore it. */
  readonly signal: AbortSignal;
}

/** What a backend is told about a request for bytes. */
export interface ByteReadContext<Version extends ByteVersion = ByteVersion> extends IdentifyContext {
  /** The version the bytes must be of to be of use; `undefined` if any will do. Always one that this backend has returned. */
  readonly expected: Version | undefined;
}

/**
 * Where the bytes are. Its methods may be called at any time and side by side, each in the asynchronous context of the read that
 * it serves; errors reach the readers as they are.
 */
export interface ByteBackend<Version extends ByteVersion = ByteVersion> {
  /** A name for error messages and snapshots: a path, a URL. */
  readonly name: string;
  /**
   * True if versions are what somebody else says, who may be mistaken: a server, or several of them under one name. Then a source
   * pauses between one change and the next, longer each time, and gives up with `SourceError` where a read has met the same
   * versions again and again, or another one with each request. Default false: every change is a change.
   */
  readonly remote?: boolean | undefined;
  /** The version that is there now: not older than the call. */
  identify(context: IdentifyContext): Promise<Version>;
  /**
   * The bytes of `range`, read after the call, with the version they are of. The range may reach beyond the end, or lie there.
   * If another version than the expected one is there, say so, with or without bytes; do not throw.
   */
  read(range: Range, context: ByteReadContext<Version>): Promise<ByteReading<Version>>;
  /**
   * Starts to watch, if the backend can: call `changed` whenever the thing may have changed. Called once, at the first read;
   * returns what stops it. Must not throw, and must not keep the process alive. It runs, and what it has told of is looked at, in
   * the asynchronous context in which the source was made.
   */
  watch?(changed: () => void): () => void;
  /** Lets go of everything. Called once. */
  close?(): void | PromiseLike<void>;
}
