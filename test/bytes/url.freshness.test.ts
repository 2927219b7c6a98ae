/**
 * Validators that a server makes of whole seconds: two contents of one second and one length have the same ETag, and the same
 * date. Nothing is read under them until they cannot be given to another content any more.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteSource, openUrl } from '../../lib/bytes/index.js';
import { blocks, versionsOf } from '../support/bytes/content.js';
import { ByteServer } from '../support/bytes/server.js';
import { ManualClock } from '../support/model/clock.js';
import { Outcome } from '../support/turns.js';

const PAGE = 160;
const SECOND = Date.UTC(2026, 0, 2);

let server: ByteServer;
let clock: ManualClock;
let source: ByteSource;

/** A server that knows its file by whole seconds and the length, as many do. */
beforeEach(async () => {
  server = await ByteServer.start(blocks(1, 20));
  server.fixedTag = () => `"${Math.floor(server.modified! / 1000).toString(16)}-${server.content.length.toString(16)}"`;
  server.modified = SECOND + 200;
  server.date = SECOND + 300;
  clock = new ManualClock();
  source = openUrl(server.url, { pageSize: PAGE, clock });
});

afterEach(async () => {
  await source.close();
  await server.stop();
});

/** Time passes for everybody. */
function pass(ms: number): void {
  server.date! += ms;
  clock.advance(ms);
}

async function untilItWaits(): Promise<void> {
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
}

const query = (revalidate: boolean) =>
  source.consistent(async (view) => [...versionsOf(await view.read(0, PAGE)), ...versionsOf(await view.read(PAGE, PAGE), 10)], {
    revalidate,
  });

describe('a replacement in the same second', () => {
  it.each([false, true])(
    'does not mix with what was there before it, although the ETag is strong: revalidate %s',
    async (revalidate) => {
      const answer = new Outcome(query(revalidate));
      await untilItWaits();
      server.put(blocks(2, 20));
      server.modified = SECOND + 900; // the same second, the same ETag, the same Last-Modified
      pass(2_000);
      while (answer.state === 'pending') {
        await new Promise((resolve) => setImmediate(resolve));
        if (clock.pending > 0) pass(100);
      }
      expect(answer.value).toEqual([2, 2]);
    },
  );

  it('is not believed after a full second, either: file systems stamp up to a tick late', async () => {
    server.date = SECOND + 1_003;
    const read = new Outcome(source.read(0, PAGE));
    await untilItWaits();
    server.put(blocks(2, 20)); // stamped 999 by a clock that ticks late
    server.modified = SECOND + 999;
    pass(997);
    while (read.state === 'pending') {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.pending > 0) pass(1);
    }
    expect(versionsOf(read.value!)).toEqual([2]);
  });

  it('costs no wait where it was long ago', async () => {
    server.modified = SECOND - 60_000;
    expect(versionsOf(await source.read(0, PAGE))).toEqual([1]);
    expect([clock.pending, server.log.length]).toEqual([0, 1]);
  });

  it('is noticed at once where something else was there before: only what is kept must be settled', async () => {
    server.modified = SECOND - 60_000;
    await source.read(0, 2 * PAGE);
    server.put(blocks(2, 20));
    server.modified = SECOND + 200;
    const dropped = new Promise<void>((resolve) => {
      source.tracker.subscribe({ start: 0, end: 1 }, { invalidate: () => resolve() });
    });
    const read = new Outcome(source.read(0, PAGE, { revalidate: true }));
    await dropped; // nobody has advanced the clock
    await untilItWaits();
    pass(2_000);
    while (read.state === 'pending') await new Promise((resolve) => setImmediate(resolve));
    expect(versionsOf(read.value!)).toEqual([2]);
  });

  it('is told of at once where a load has found it, although nothing of it is kept yet', async () => {
    server.modified = SECOND - 60_000;
    server.fixedTag = () => `W/"${server.modified}"`;
    await source.read(0, PAGE);
    server.put(blocks(2, 20));
    server.modified = SECOND + 200;
    const dropped = new Promise<void>((resolve) => {
      source.tracker.subscribe({ start: 0, end: 1 }, { invalidate: () => resolve() });
    });
    // A server that knows no conditions.
    server.always = (_request, response, logged) => server.serve({ ...logged, ifUnmodifiedSince: undefined }, response);
    const read = new Outcome(source.read(PAGE, PAGE));
    await dropped;
    expect(clock.now()).toBe(0);
    await untilItWaits();
    pass(2_000);
    while (read.state === 'pending') await new Promise((resolve) => setImmediate(resolve));
    expect(versionsOf(read.value!, 10)).toEqual([2]);
  });

  it('is waited for by our own clock where the server does not say what time it is', async () => {
    server.date = undefined;
    server.modified = Date.now(); // the wall's, as the server's would be
    const read = new Outcome(source.read(0, PAGE));
    await untilItWaits();
    expect(read.state).toBe('pending');
    server.put(blocks(2, 20));
    clock.advance(2_000);
    while (read.state === 'pending') await new Promise((resolve) => setImmediate(resolve));
    expect(versionsOf(read.value!)).toEqual([2]);
  });

  it('ends with the signal of the caller, and leaves no timer', async () => {
    const controller = new AbortController();
    const read = new Outcome(source.read(0, PAGE, { signal: controller.signal }));
    await untilItWaits();
    controller.abort('enough');
    await new Promise((resolve) => setImmediate(resolve));
    expect([read.error, clock.pending]).toEqual(['enough', 0]);
  });
});
