/**
 * Errors of the mirror: bases and codes are those of the package.
 */
import { describe, RangefenceError } from '../base/errors.js';

/** The mirror has `policy: 'ban'` and an invalidation has hit it: it never gets backing store again. */
export class BannedError extends RangefenceError {
  override readonly name = 'BannedError';

  /** @param what the banned thing, with its label */
  constructor(what: string) {
    super('RANGEFENCE_BANNED', `${what} is banned: an invalidation has hit it`);
  }
}

/** `load` did not return one page for each page it was asked for. Nothing of what it returned is kept. */
export class LoadError extends RangefenceError {
  override readonly name = 'LoadError';
  /** Pages that were asked for. */
  readonly wanted: number;
  /** Pages that came; `undefined` if what came was no array. */
  readonly got: number | undefined;

  /** @param pages what was returned in place of `wanted` pages from `first` on */
  constructor(first: number, wanted: number, pages: unknown) {
    const got = Array.isArray(pages) ? pages.length : undefined;
    const what = got === undefined ? describe(pages) : `${got} pages`;
    super(
      'RANGEFENCE_LOAD',
      `load of ${wanted} pages from page ${first} on returned ${what}; expected an array of ${wanted} pages`,
    );
    this.wanted = wanted;
    this.got = got;
  }
}
