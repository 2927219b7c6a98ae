/**
 * How many bytes a lookup allocates: a count, too, if nothing else runs beside it and no collection comes in between. So it
 * is measured in a process of its own (support/lookup-allocation.ts), and bounded as counts.test.ts bounds what it counts.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

/** Bytes a call, by Node 20 on 64 bits, the caller's own `await` included; a number that sinks for good reason is lowered here. */
const BYTES = {
  'quiet, synchronous': 288,
  'quiet, asynchronous': 736,
};
const SLACK = 1.3;
/** What is measured differs from round to round by less; a byte for each of a thousand sections would be more. */
const NOISE = 160;

/** Megabytes that hold a whole round: a collection in its middle would take away what is to be counted. */
const YOUNG = 64;
const FLAGS = ['--expose-gc', `--min-semi-space-size=${YOUNG}`, `--max-semi-space-size=${YOUNG}`, '--import', 'tsx'];

describe('the bytes of a call', () => {
  let bytes: Record<string, number>;
  beforeAll(async () => {
    const probe = fileURLToPath(new URL('../support/lookup-allocation.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, probe]);
    bytes = JSON.parse(stdout);
  }, 60_000);

  it('are counted exactly where it is known how many there are', () => {
    // A header of three words and two numbers.
    expect(bytes['an object of two numbers']).toBe(40);
  });

  it.each(Object.entries(BYTES))('are as few as ever in a lookup that is %s', (name, expected) => {
    expect(bytes[`${name}, 0 elsewhere`]).toBeLessThan(SLACK * expected);
    // Less than this would mean that a collection came in between.
    expect(bytes[`${name}, 0 elsewhere`]).toBeGreaterThan(expected / 4);
  });

  it.each(Object.keys(BYTES))('are as few with a thousand sections and subscribers elsewhere in a lookup that is %s', (name) => {
    expect(bytes[`${name}, 1000 elsewhere`]! - bytes[`${name}, 0 elsewhere`]!).toBeLessThan(NOISE);
  });
});
