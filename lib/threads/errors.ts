/**
 * CapacityError: a shared space has no room for something. Its memory is of one size, from its creation on.
 */
import { RangefenceError } from '../base/errors.js';

/** A shared space has no room for one more thread, section or text. Nothing has changed. */
export class CapacityError extends RangefenceError {
  override readonly name = 'CapacityError';
  /** The option of `SharedSpace.create` that sets the limit. */
  readonly option: 'threads' | 'sections' | 'textBytes';
  /** Its value. */
  readonly limit: number;

  /** @param message what had no room */
  constructor(message: string, option: 'threads' | 'sections' | 'textBytes', limit: number) {
    super('RANGEFENCE_CAPACITY', `${message}; the space has ${option}: ${limit}`);
    this.option = option;
    this.limit = limit;
  }
}
