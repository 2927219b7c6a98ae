/**
 * The error of byte sources: base and codes are those of the package.
 */
import { RangefenceError } from '../base/errors.js';
import type { Range } from '../base/vocabulary.js';

/** What is known about a failure; all of it is in the message, too. */
export interface SourceFailure {
  /** The bytes that were asked for, if it was about some. */
  readonly range?: Range | undefined;
  /** What had to come. */
  readonly expected?: string | undefined;
  /** What came instead. */
  readonly got?: string | undefined;
  /** True if the thing is not there. */
  readonly missing?: boolean | undefined;
  /** The error below, of the host or of a backend. */
  readonly cause?: unknown;
}

/**
 * A file, a server or another backend did not do what was asked: not there, not reachable, no ranges, other bytes than those
 * asked for. Nothing of what came is kept, and the next read tries again.
 */
export class SourceError extends RangefenceError {
  override readonly name = 'SourceError';
  /** The path, the URL, or the backend's name. */
  readonly source: string;
  /** The bytes that were asked for, half-open, if it was about some. */
  readonly range: Range | undefined;
  /** What had to come, if something else came. */
  readonly expected: string | undefined;
  /** What came instead. */
  readonly got: string | undefined;
  /** True if the thing is not there: no such file, 404, 410. Other errors are not for sure: a folder that may not be looked into, 403. */
  readonly missing: boolean;

  /** @param what what failed, in a few words; the rest of the message is made from `failure` */
  constructor(source: string, what: string, failure: SourceFailure = {}) {
    const { range, expected, got, cause, missing = isMissing(cause) } = failure;
    const bytes = range === undefined ? '' : ` bytes [${range.start}, ${range.end})`;
    const reason = cause instanceof Error ? `: ${innermost(cause)}` : '';
    const came = got === undefined ? '' : `: got ${got}; expected ${expected}`;
    super('RANGEFENCE_SOURCE', `${source}:${bytes} ${what}${came}${reason}`, cause === undefined ? undefined : { cause });
    this.source = source;
    this.range = range;
    this.expected = expected;
    this.got = got;
    this.missing = missing;
  }
}

/** `fetch` says "fetch failed" for everything; the reason is in its cause. */
function innermost(error: Error): string {
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** Codes of hosts for a file that is not there, or that a part of the path to it is not a folder. */
const NOT_THERE = new Set<unknown>(['ENOENT', 'ENOTDIR']);

/** True for an error that means "there is no such thing", of a source or of a host. */
export function isMissing(error: unknown): boolean {
  if (error instanceof SourceError) return error.missing;
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  return NOT_THERE.has(code) || name === 'NotFoundError'; // the latter in the browser's own file system
}
