/**
 * The checker: judges from outside, by the logs of all processes, what was promised and what was not kept.
 *
 *   stale    a commit, or a use of a kept value, of a value that is older than what a section that had ended had written
 *   inside   a commit, or a use, between a resolved begin and the end
 *   at rest  a kept value that is not in the file when all is quiet
 *
 * A section whose process lost its lease excludes others only as long as the process was seen to be valid, and what it wrote after that is announced with its
 * end, a moment later.
 */
import { readFileSync } from 'node:fs';

interface Section {
  readonly slot: number;
  readonly begin: number;
  written: number;
  end: number;
  isLost: boolean;
  readonly process: number;
}

/** What came out. */
export interface Verdict {
  readonly commits: number;
  readonly uses: number;
  readonly sections: number;
  readonly staleCommits: number;
  readonly staleUses: number;
  readonly inside: number;
  readonly atRest: number;
  readonly worstMs: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly resets: Readonly<Record<string, number>>;
  /** From each reset to `live`, in milliseconds, ascending. */
  readonly backMs: readonly number[];
  /** Of each begin, in milliseconds, ascending. */
  readonly beginMs: readonly number[];
  readonly seconds: number;
}

/** Two processes that write to one slot this close to each other may have written in either order: sections exclude no sections. */
const TOGETHER_NS = 1e6;
/** What a late end may be late to be heard. */
const HEARD_NS = 2e9;

export function check(logs: readonly string[], content: (slot: number) => number): Verdict {
  const sections = new Map<string, Section>();
  const reads: { slot: number; value: number; at: number; isUse: boolean }[] = [];
  const valid: number[][] = logs.map(() => []);
  const failed: Record<string, number> = {};
  const resets: Record<string, number> = {};
  const backMs: number[] = [];
  const beginMs: number[] = [];
  let atRest = 0;
  logs.forEach((path, process) => {
    let reset: number | undefined;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const [type, a, b, c, d] = line.split(' ') as [string, string, string, string, string];
      if (type === 'C' || type === 'U') reads.push({ slot: Number(a), value: Number(b), at: Number(c), isUse: type === 'U' });
      else if (type === 'V') valid[process]!.push(Number(a));
      else if (type === 'B') {
        const never = Number.POSITIVE_INFINITY;
        sections.set(a, { slot: Number(b), begin: Number(c), written: 0, end: never, isLost: false, process });
        beginMs.push(Number(d) / 1e6);
      } else if (type === 'W') sections.get(a)!.written = Number(b);
      else if (type === 'E') {
        const section = sections.get(a)!;
        section.end = Number(b);
        section.isLost = c === 'lost';
      } else if (type === 'K' && content(Number(a)) !== Number(b)) atRest++;
      else if (type === 'X' && b === 'failed') failed[c] = (failed[c] ?? 0) + 1;
      else if (type === 'X' && b === 'reset' && c !== 'start') {
        resets[c] = (resets[c] ?? 0) + 1;
        reset ??= Number(a);
      } else if (type === 'X' && b === 'live' && reset !== undefined) {
        backMs.push((Number(a) - reset) / 1e6);
        reset = undefined;
      }
    }
  });

  const bySlot = new Map<number, Section[]>();
  for (const section of sections.values()) bySlot.set(section.slot, [...(bySlot.get(section.slot) ?? []), section]);
  const judges = new Map([...bySlot].map(([slot, list]) => [slot, judge(list, valid)]));
  let [staleCommits, staleUses, inside, worst, first, last] = [0, 0, 0, 0, Number.POSITIVE_INFINITY, 0];
  for (const { slot, value, at, isUse } of reads) {
    first = Math.min(first, at);
    last = Math.max(last, at);
    const found = judges.get(slot)?.(value, at);
    if (found?.staleSince !== undefined) {
      if (isUse) staleUses++;
      else staleCommits++;
      worst = Math.max(worst, at - found.staleSince);
    }
    if (found?.isInside === true) inside++;
  }
  const ascending = (list: number[]) => list.sort((x, y) => x - y);
  return {
    ...{ commits: reads.filter(({ isUse }) => !isUse).length, uses: reads.filter(({ isUse }) => isUse).length },
    ...{ sections: sections.size, staleCommits, staleUses, inside, atRest, worstMs: worst / 1e6, failed, resets },
    ...{ backMs: ascending(backMs), beginMs: ascending(beginMs), seconds: Math.max(0, last - first) / 1e9 },
  };
}

/** For one slot: answers for a value and a time. */
function judge(
  sections: readonly Section[],
  valid: readonly number[][],
): (value: number, at: number) => { staleSince: number | undefined; isInside: boolean } {
  // By the end that everybody must have heard of; with the newest value that was written by then, and when.
  const ended = sections
    .filter(({ end, written }) => end !== Number.POSITIVE_INFINITY && written > 0)
    .map(({ end, written, isLost }) => ({ heard: isLost ? end + HEARD_NS : end, written, end }))
    .sort((a, b) => a.heard - b.heard);
  const newest: { written: number; end: number }[] = [];
  for (const { written, end } of ended) {
    const before = newest.at(-1);
    newest.push(before === undefined || written > before.written ? { written, end } : before);
  }
  const exclusive = sections
    .map((section) => ({ begin: section.begin, end: exclusiveUntil(section, valid[section.process]!) }))
    .sort((a, b) => a.begin - b.begin);
  const latest: number[] = [];
  for (const { end } of exclusive) latest.push(Math.max(end, latest.at(-1) ?? 0));
  return (value, at) => {
    const e = before(ended, at, ({ heard }) => heard);
    const x = before(exclusive, at, ({ begin }) => begin);
    const isStale = e > 0 && newest[e - 1]!.written > value + TOGETHER_NS;
    return { staleSince: isStale ? newest[e - 1]!.end : undefined, isInside: x > 0 && latest[x - 1]! > at };
  };
}

/** A section that was lost, or never ended as its process died, excluded others while its process was seen to be valid. */
function exclusiveUntil({ begin, end, isLost }: Section, valid: readonly number[]): number {
  if (!isLost && end !== Number.POSITIVE_INFINITY) return end;
  let until = begin;
  for (const at of valid) {
    if (at < begin) continue;
    if (at > end || at - until > 60e6) break; // seen every 10 ms, and not any more
    until = at;
  }
  return until;
}

/** How many of an ascending list are before `at`. */
function before<T>(list: readonly T[], at: number, key: (item: T) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(list[middle]!) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
