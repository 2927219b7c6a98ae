/**
 * Small address spaces whose invalidations are written down, and operations that stop where the test wants them to.
 */
import { expect } from 'vitest';
import type { Invalidation } from '../../lib/index.js';
import {
  PageFault,
  type PageFaultReason,
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
