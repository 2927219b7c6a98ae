/**
 * Small address spaces whose invalidations are written down, and operations that stop where the test wants them to.
 */
import { expect } from 'vitest';
import type { Invalidation, Range } from '../../lib/index.js';
import {
  PageFault,
  type PageFaultReason,
  type PageFlags,
  SimulatedAddressSpace,
  type SimulatedAddressSpaceOptions,
} from '../../lib/testing/index.js';

export const SIZE = 16;
export const bytes = (...values: number[]) => Uint8Array.from(values);
export const filled = (value: number, length = SIZE) => new Uint8Array(length).fill(value);
export const at = (page: number) => page * SIZE;

/** A space of small pages whose every invalidation is written down as `kind [first page, last page + 1) …`. */
export function makeSpace(options: SimulatedAddressSpaceOptions = {}) {
  const space = new SimulatedAddressSpace({ pageSize: SIZE, hugePages: 4, stores: 'silent', ...options });
  const log: string[] = [];
  watch(space, log);
  return { space, log, pages: (first: number, count?: number) => space.pages(first, count) };
}

export function watch(space: SimulatedAddressSpace, log: string[]): void {
  space.tracker.subscribe(
    { start: 0, end: Number.POSITIVE_INFINITY },
    { invalidate: (section) => void log.push(describeSection(section)) },
  );
}

function describeSection({ kind, ranges, within }: Invalidation): string {
  const where = ranges.map(({ start, end }) => `[${start / SIZE}, ${end / SIZE})`).join(' ');
  return `${kind} ${where}${within === undefined ? '' : ' nested'}`;
}

export async function faultOf(promise: PromiseLike<unknown>): Promise<[PageFaultReason, number]> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(PageFault);
  return [error.reason, error.page];
}

export function reasonOf(look: () => unknown): PageFaultReason | undefined {
  try {
    look();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(PageFault);
    return (error as PageFault).reason;
  }
}

/** Stops operations at their pauses, until the test lets them go on. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  open = true;
  readonly pause = (): Promise<void> => (this.open ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve)));

  async reached(): Promise<void> {
    for (let turn = 0; turn < 100 && this.#waiting.length === 0; turn++) await undefined;
    expect(this.#waiting.length).toBeGreaterThan(0);
  }

  async release(): Promise<void> {
    for (const go of this.#waiting.splice(0)) go();
    for (let turn = 0; turn < 100; turn++) await undefined;
  }
}

/**
 * Knows of every page what was last seen there, and forgets it when it is told to. What it still knows must still be so: pages
 * change under a section that covers them, or not at all; and what no section covers is whole.
 */
export class Watcher {
  readonly #space: SimulatedAddressSpace;
  readonly #known = new Map<number, Seen>();

  constructor(space: SimulatedAddressSpace) {
    this.#space = space;
    space.tracker.subscribe(
      { start: 0, end: Number.POSITIVE_INFINITY },
      {
        invalidate: ({ ranges }) => {
          for (const page of this.#known.keys())
            if (ranges.some((range) => covers(range, page, space.pageSize))) this.#known.delete(page);
        },
      },
    );
  }

  /** Throws if a page of the first so many is not what is known of it; then looks at all that stand still. */
  check(pages: number): void {
    const { pageSize, tracker } = this.#space;
    const changing = tracker.inspect().sections.flatMap(({ ranges }) => ranges);
    for (const [page, now] of this.#space.snapshot(this.#space.pages(0, pages)).entries()) {
      if (changing.some((range) => covers(range, page, pageSize))) continue;
      const seen = now && { page, flags: now.flags, generation: now.generation, content: [...new Set(now.read())] };
      const known = this.#known.get(page);
      if (known !== undefined && !isStill(known, seen)) {
        throw new Error(`page ${page} has changed, and nobody was told: ${JSON.stringify({ known, seen })}`);
      }
      if (seen === undefined) continue;
      if (seen.content.length > 1) throw new Error(`page ${page} is mixed: ${seen.content}`);
      this.#known.set(page, seen);
    }
  }
}

interface Seen {
  readonly page: number;
  readonly flags: PageFlags;
  readonly generation: number;
  readonly content: number[];
}

function covers({ start, end }: Range, page: number, pageSize: number): boolean {
  return start < (page + 1) * pageSize && page * pageSize < end;
}

/** Permission to store may be given without a word: nobody can have stored there. */
function isStill(known: Seen, seen: Seen | undefined): boolean {
  if (seen === undefined || seen.generation !== known.generation) return false;
  const flags = known.flags.writable ? seen.flags : { ...seen.flags, writable: false };
  return JSON.stringify(flags) === JSON.stringify(known.flags);
}
