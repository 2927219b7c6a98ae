/**
 * Pictures: every picture of the documents that is drawn from a run, by its place in the repository.
 */
import { toSvg } from '../../lib/trace/index.js';
import { recordEverything } from '../../test/support/traced.js';
import { hitAndUntouched, inside, waiting } from './runs.js';

/** The text of each file; the same every time. */
export async function pictures(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    [
      'docs/picture.svg',
      toSvg(await hitAndUntouched(), {
        title: 'A lookup is hit by changes twice, then holds its range while a change queues; a disjoint lookup is not disturbed',
      }),
    ],
    ['docs/tracing/everything.svg', toSvg(await recordEverything(), { title: 'A run in which each thing happens once' })],
    [
      'docs/tracing/inside.svg',
      toSvg(await inside(), {
        ...{ width: 720, title: 'An invalidation that begins and ends entirely inside a lookup makes it retry' },
      }),
    ],
    [
      'docs/tracing/waiting.svg',
      toSvg(await waiting(), { title: 'Waits for a subscriber, for a section, and behind a hold; three of them are given up' }),
    ],
  ]);
}
