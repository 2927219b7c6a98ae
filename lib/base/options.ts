/**
 * Options: an object whose names are known. A name that is not is refused, with the one that was probably meant: a limit that is
 * misspelt and ignored is found out in production.
 */
import { describe, InvalidArgumentError } from './errors.js';

/** Names of options, as keys, so that the question costs one look. */
export type Names = Readonly<Record<string, true>>;

/** The names in these texts, separated by blanks. */
export function names(...texts: readonly string[]): Names {
  const known: Record<string, true> = Object.create(null);
  for (const name of texts.join(' ').split(' ')) known[name] = true;
  return known;
}

/** Throws `InvalidArgumentError` unless `options` is undefined, or an object without names other than these. */
export function checkNames(options: unknown, known: Names, where: string): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const such = typeof options === 'function' ? `, such as { ${nearest('commit', known) ?? Object.keys(known)[0]}: … }` : '';
    throw new InvalidArgumentError(`options of ${where} is ${describe(options)}; expected an object${such}`);
  }
  for (const name in options) if (!known[name]) throw unknown(name, known, where);
}

/** False for an object of a class, which may have fields of its own beside what is asked of it. */
export function isPlain(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null;
}

function unknown(name: string, known: Names, where: string): InvalidArgumentError {
  const meant = nearest(name, known);
  const hint = meant === undefined ? `expected ${Object.keys(known).join(', ')}` : `did you mean ${describe(meant)}?`;
  return new InvalidArgumentError(`option ${describe(name)} is not known to ${where}; ${hint}`);
}

/** The known name that differs least, if that is little. */
export function nearest(name: string, known: Names): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, name.length / 3) + 1;
  for (const other of Object.keys(known)) {
    const difference = distance(name.toLowerCase(), other.toLowerCase());
    if (difference < least) {
      least = difference;
      best = other;
    }
  }
  return best;
}

/** Letters to insert, delete or exchange (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
