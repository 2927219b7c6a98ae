/**
 * Actors that never come to a step again: each ends with an error that names them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { type Actor, explore, MicrotaskLoopError, replay, type Step, sample } from '../../lib/testing/index.js';
import { failureOf, walker } from '../support/explorer/programs.js';

const PAGE = { start: 0, end: 1 };

const spins: Record<string, () => Promise<unknown>> = {
  'awaits a promise that is settled': () => Promise.resolve(),
  'awaits nothing at all': async () => undefined,
  'awaits queueMicrotask': () => new Promise<void>((resolve) => queueMicrotask(resolve)),
  'awaits process.nextTick': () => new Promise<void>((resolve) => process.nextTick(resolve)),
};

describe('an actor that never leaves the microtask queue', () => {
  const spinner =
    (turn: () => Promise<unknown>): Actor =>
    async (step) => {
      await step('look');
      for (;;) await turn();
    };

  test.each(Object.entries(spins))('and %s ends with an error', { timeout: 30_000 }, async (_, turn) => {
    const make = () => ({ actors: { walker: walker(2), spinner: spinner(turn) } });
    const failure = await failureOf(explore(make));
    expect(failure.cause).toBeInstanceOf(MicrotaskLoopError);
    expect(failure.cause).toMatchObject({ actor: 'spinner', name: 'MicrotaskLoopError' });
    expect(failure.message).toMatch(/actor "spinner" has not come to a step .* since "look"/);
    await failureOf(replay(make, failure.schedule));
  });

  test('ends with an error where the program follows contexts itself, begun before or meanwhile', {
    timeout: 30_000,
  }, async () => {
    const storage = new AsyncLocalStorage<string>();
    const make = () => ({
      actors: {
        spinner: (step: Step) => storage.run('inside', () => spinner(() => Promise.resolve())(step)),
      },
    });
    for (const run of ['first', 'second']) {
      const failure = await storage.run('outside', () => failureOf(explore(make)));
      expect(failure.cause, run).toMatchObject({ actor: 'spinner' });
    }
  });

  test('and only queues microtasks ends with an error, also in a sample, and before its first step', {
    timeout: 30_000,
  }, async () => {
    const actor: Actor = () =>
      new Promise(() => {
        const again = (): void => queueMicrotask(again);
        again();
      });
    const failure = await failureOf(sample(() => ({ actors: { first: walker(1), spinner: actor } }), { runs: 1 }));
    expect(failure.cause).toMatchObject({ actor: 'spinner' });
    expect(failure.message).toContain('before its first step');
  });

  test('is told from one that waits, and others go on', { timeout: 30_000 }, async () => {
    const [spinning, walking] = await Promise.allSettled([
      explore(() => ({ actors: { spinner: spinner(() => Promise.resolve()) } })),
      explore(() => ({ actors: { a: walker(3), b: walker(3) } })),
    ]);
    expect(spinning.status).toBe('rejected');
    expect(walking).toMatchObject({ status: 'fulfilled', value: { schedules: 20, complete: true } });
  });

  test('is found in the end of a scenario, too', { timeout: 30_000 }, async () => {
    const end = async () => {
      for (;;) await null;
    };
    const failure = await failureOf(explore(() => ({ actors: { a: walker(1) }, end })));
    expect(failure.cause).toMatchObject({ name: 'MicrotaskLoopError', actor: undefined });
  });

  test('may take many turns, as long as they come to an end', async () => {
    const busy: Actor = async (step) => {
      await step('work');
      for (let i = 0; i < 100_000; i++) await null;
      await step('done');
    };
    expect(await explore(() => ({ actors: { busy } }))).toMatchObject({ schedules: 1, complete: true });
  });
});

describe('an actor that goes round in a circle', () => {
  test('of lookups that never wait ends with maxSteps, and is named', async () => {
    const make = () => {
      const tracker = new RangeTracker();
      return {
        actors: {
          walker: walker(1),
          poller: async () => {
            for (;;) await tracker.lookup(PAGE, () => 1);
          },
        },
      };
    };
    const failure = await failureOf(explore(make, { maxSteps: 50 }));
    expect(failure.message).toMatch(/not done after 50 steps: "poller" goes round/);
  });
});
