/**
 * Answer: what `load` has returned. A row that is out of order would be looked for in the wrong block, for ever; so it is refused.
 */
import { describe, InvalidArgumentError } from '../base/errors.js';
import type { RowSettings } from './options.js';
import type { Stretch } from './plan.js';

/** Throws `InvalidArgumentError`. O(rows). */
export function checkAnswer<Row, Key>(
  rows: unknown,
  { from, to, limit }: Omit<Stretch<Row, Key>, 'blocks'>,
  { keyOf, compare }: RowSettings<Row, Key>,
): void {
  if (!Array.isArray(rows)) throw new InvalidArgumentError(`load returned ${describe(rows)}; expected an array of rows`);
  if (rows.length > limit) throw new InvalidArgumentError(`load returned ${rows.length} rows; expected ${limit} at most`);
  let last: Key | undefined;
  rows.forEach((row: Row, place) => {
    const key = keyOf(row);
    const text = `load returned the key ${describe(key)} at ${place}`;
    if (key === undefined) throw new InvalidArgumentError(`${text}; expected the key of a row`);
    if (place > 0 && !(compare(last as Key, key) < 0))
      throw new InvalidArgumentError(`${text} behind ${describe(last)}; expected keys in the order of compare, each once`);
    if ((from !== undefined && compare(key, from) < 0) || (to !== undefined && compare(key, to) >= 0))
      throw new InvalidArgumentError(`${text}; expected keys from ${describe(from)} up to ${describe(to)}`);
    last = key;
  });
}
