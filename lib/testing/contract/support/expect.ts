/**
 * The few assertions that the suite needs, so that it can run under any test runner. They read like those of the usual
 * ones and are stricter: only plain objects and arrays are compared by what is in them, everything else by identity.
 */

/** What can be claimed of a value. Each claim throws an error that says where it fails, what was got and what was expected. */
export interface Claims {
  /** The same value: `NaN` is itself, and 0 is not -0. */
  toBe(expected: unknown): void;
  toBeUndefined(): void;
  toBeInstanceOf(type: ErrorType): void;
  toBeGreaterThan(bound: number): void;
  toBeLessThan(bound: number): void;
  /** The same content. A property that is undefined might as well not be there. */
  toEqual(expected: unknown): void;
  /** At least this content; arrays have the same length. */
  toMatchObject(expected: object): void;
  toHaveLength(length: number): void;
  /** A text with this one in it. */
  toContain(text: string): void;
  /** A function that throws an error of the class, or one whose message has the text in it. */
  toThrow(what: ErrorType | string): void;
}

type ErrorType = abstract new (...args: never[]) => Error;

/** Names the properties that are compared. */
type Keys = (actual: object, expected: object) => Iterable<string>;

const keysOfBoth: Keys = (actual, expected) => new Set([...keysOf(actual), ...keysOf(expected)]);
const keysOfExpected: Keys = (_actual, expected) => keysOf(expected);

/** Begins a claim: `expect(seen).toEqual(['begin', 'end'])`. */
export function expect(actual: unknown): Claims {
  const claim = (holds: boolean, expected: string): void => {
    if (!holds) throw new Error(`got ${show(actual)}; expected ${expected}`);
  };
  return {
    toBe: (expected) => claim(Object.is(actual, expected), show(expected)),
    toBeUndefined: () => claim(actual === undefined, 'undefined'),
    toBeInstanceOf: (type) => claim(actual instanceof type, `an instance of ${type.name}`),
    toBeGreaterThan: (bound) => claim((actual as number) > bound, `more than ${bound}`),
    toBeLessThan: (bound) => claim((actual as number) < bound, `less than ${bound}`),
    toEqual: (expected) => report(difference(actual, expected, { keys: keysOfBoth, path: '' }), actual),
    toMatchObject: (expected) => report(difference(actual, expected, { keys: keysOfExpected, path: '' }), actual),
    toHaveLength: (length) => claim((actual as ArrayLike<unknown> | undefined)?.length === length, `a length of ${length}`),
    toContain: (text) => claim(typeof actual === 'string' && actual.includes(text), `a text with ${show(text)} in it`),
    toThrow: (what) => expectThrown(actual as () => unknown, what),
  };
}

function expectThrown(action: () => unknown, what: ErrorType | string): void {
  let value: unknown;
  try {
    value = action();
  } catch (error) {
    if (typeof what !== 'string') return expect(error).toBeInstanceOf(what);
    if (error instanceof Error && error.message.includes(what)) return;
    throw new Error(`got ${show(error)}; expected an error with ${show(what)} in its message`);
  }
  const expected = typeof what === 'string' ? `with ${show(what)} in its message` : `of ${what.name}`;
  throw new Error(`nothing was thrown, ${show(value)} was returned; expected an error ${expected}`);
}

function report(found: string | undefined, actual: unknown): void {
  if (found !== undefined) throw new Error(`${found}. The whole was ${show(actual)}`);
}

/** Says where two values differ first; undefined if nowhere. What is expected must not contain itself. */
function difference(actual: unknown, expected: unknown, { keys, path }: { keys: Keys; path: string }): string | undefined {
  if (Object.is(actual, expected)) return undefined;
  if (!isPlain(expected) || !isObject(actual) || Array.isArray(actual) !== Array.isArray(expected)) {
    return `${path === '' ? '' : `at ${path}: `}got ${show(actual)}; expected ${show(expected)}`;
  }
  for (const key of keys(actual, expected)) {
    const found = difference(property(actual, key), property(expected, key), { keys, path: `${path}.${key}` });
    if (found !== undefined) return found;
  }
  return undefined;
}

function property(object: object, key: string): unknown {
  return (object as Record<string, unknown>)[key];
}

function keysOf(object: object): string[] {
  return Array.isArray(object) ? ['length', ...Object.keys(object)] : Object.keys(object);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** An array, or what a literal makes, also one from another realm: some runners give each file its own. */
function isPlain(value: unknown): value is object {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Levels and items of a value that a message shows: enough for every value of the suite but the longest lists. */
const SHOWN_LEVELS = 4;
const SHOWN_ITEMS = 30;

function show(value: unknown, levels: number = SHOWN_LEVELS): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (!isObject(value)) return Object.is(value, -0) ? '-0' : String(value);
  const inside = Array.isArray(value)
    ? Array.from(value, (item: unknown) => () => show(item, levels - 1))
    : Object.keys(value).map((key) => () => `${key}: ${show(property(value, key), levels - 1)}`);
  const shown = levels > 0 ? inside.slice(0, SHOWN_ITEMS).map((item) => item()) : [];
  if (inside.length > shown.length) shown.push('…');
  return Array.isArray(value) ? `[${shown.join(', ')}]` : `{ ${shown.join(', ')} }`;
}
