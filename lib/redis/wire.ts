/**
 * Wire: what a section is about, as text. Ranges and keys have fields of their own, so that every text is a possible key.
 */
import type { Range } from '../base/vocabulary.js';

/** A number of the line; its ends are `'-'` and `'+'`, as JSON has no infinity. */
type WireNumber = number | '-' | '+';

/** What a record says of a section. */
export interface WireData {
  /** Ranges. */
  readonly r?: readonly (readonly [WireNumber, WireNumber])[];
  /** Keys. */
  readonly k?: readonly string[];
  /** What keys begin with. */
  readonly p?: string;
  /** Everything there is. */
  readonly all?: 1;
  readonly kind?: string;
  readonly label?: string;
  /** The owner, where that is a text. */
  readonly owner?: string;
  /** The section that it is nested in. */
  readonly w?: string;
}

/** `b` begin, `e` end, `x` expired: the end of a section whose member is out, `h` has changed. */
export type RecordType = 'b' | 'e' | 'x' | 'h';

/** One event of a space. */
export interface LogRecord {
  readonly seq: number;
  readonly type: RecordType;
  readonly sid: string;
  readonly member: string;
  readonly data: WireData;
}

/** What cannot be read, by whatever version it was written, is about everything. */
const ANYTHING: WireData = { all: 1 };

/** The data of a record, from its text. */
export function dataOf(text: string): WireData {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === 'object' && data !== null ? (data as WireData) : ANYTHING;
  } catch {
    return ANYTHING;
  }
}

/** Ranges, to be sent. */
export function packRanges(ranges: readonly Range[]): NonNullable<WireData['r']> {
  return ranges.map(({ start, end }) => [packNumber(start), packNumber(end)]);
}

/** Ranges that were sent; `undefined` for what cannot be any. */
export function unpackRanges(data: WireData): Range[] | undefined {
  if (!Array.isArray(data.r) || data.r.length === 0) return undefined;
  const ranges = data.r.map(([start, end]) => ({ start: unpackNumber(start), end: unpackNumber(end) }));
  return ranges.every(({ start, end }) => start < end) ? ranges : undefined;
}

function packNumber(value: number): WireNumber {
  if (value === Number.POSITIVE_INFINITY) return '+';
  return value === Number.NEGATIVE_INFINITY ? '-' : value;
}

function unpackNumber(value: WireNumber): number {
  if (value === '+') return Number.POSITIVE_INFINITY;
  return value === '-' ? Number.NEGATIVE_INFINITY : Number(value);
}

/** A section that runs, in another process. */
export interface Running {
  readonly member: string;
  readonly data: WireData;
}

/** What runs, from what the server keeps: names and `seq member renewals data` in turn. */
export function running(
  act: readonly string[],
  self: string,
): { readonly own: ReadonlySet<string>; readonly others: ReadonlyMap<string, Running> } {
  const own = new Set<string>();
  const others = new Map<string, Running>();
  for (let i = 0; i < act.length; i += 2) {
    const [seq, member, renewals] = act[i + 1]!.split(' ', 3) as [string, string, string];
    const data = act[i + 1]!.slice(seq.length + member.length + renewals.length + 3);
    if (member === self) own.add(act[i]!);
    else others.set(act[i]!, { member, data: dataOf(data) });
  }
  return { own, others };
}

/** A record from a push; `undefined` for what is none. */
export function recordOf(message: string): LogRecord | undefined {
  try {
    const [seq, type, sid, member, data] = JSON.parse(message) as [number, RecordType, string, string, WireData];
    return Number.isSafeInteger(seq) ? { seq, type, sid, member, data } : undefined;
  } catch {
    return undefined;
  }
}

/** A record from the log. */
export function recordFrom([id, fields]: readonly [id: string, fields: readonly string[]]): LogRecord {
  const of: Record<string, string> = {};
  for (let i = 0; i < fields.length; i += 2) of[fields[i]!] = fields[i + 1]!;
  const seq = Number(id.slice(0, id.indexOf('-')));
  return { seq, type: of.t as RecordType, sid: of.s ?? '', member: of.m ?? '', data: dataOf(of.d ?? '') };
}
