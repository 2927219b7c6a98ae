/**
 * Print: what an object looks like where people see it. `console.log` shows one line, `JSON.stringify` plain data, and neither
 * shows the insides, which mean nothing outside of the package.
 */

/** How a class is printed: its instances as plain data, and as the one line that is made of that. */
export interface Printed<T> {
  /** The name that users know it by; the class of the instance may be another one. */
  readonly name: string;
  /** Plain data: no objects of the package, no functions. */
  data(self: T): object;
  /** What the line is made of, where that is less. */
  brief?(self: T): object;
}

const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** Gives instances `toJSON`, `toString`, and what Node, Deno and Bun print. */
export function printed<T extends object>(prototype: T, { name, data, brief = data }: Printed<T>): void {
  const line = (self: T) => `${name} ${oneLine(brief(self))}`;
  const define = (key: PropertyKey, value: unknown) => Object.defineProperty(prototype, key, { value, configurable: true });
  define('toJSON', function (this: T) {
    return data(this);
  });
  for (const key of ['toString', INSPECT]) {
    define(key, function (this: T) {
      return line(this);
    });
  }
  define(Symbol.toStringTag, name);
}

/** `{ label: "x", ranges: [0, 8) [16, 24), waiting: 3 }`, without what is undefined, and cut where it gets long. */
function oneLine(data: object): string {
  const parts = Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${show(value)}`);
  return `{ ${parts.join(', ')} }`;
}

/** Items of a list that are shown. */
const SHOWN = 3;

function show(value: unknown): string {
  if (Array.isArray(value)) {
    const more = value.length > SHOWN ? ` and ${value.length - SHOWN} more` : '';
    return value.length === 0 ? 'none' : value.slice(0, SHOWN).map(show).join(' ') + more;
  }
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? JSON.stringify(value) : String(value);
  const { start, end, ...rest } = value as { start?: unknown; end?: unknown };
  const isRange = start !== undefined && end !== undefined && Object.keys(rest).length === 0;
  return isRange ? `[${start}, ${end})` : oneLine(value);
}
