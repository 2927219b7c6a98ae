/**
 * Actors that never come to a step again: each ends with an error that names them.
 *
 * A program of its own, which endless.test.ts starts for each of them: the loops are ended through the inspector, and a runner of tests
 * that has lived through that does not end. Prints the names, or runs the one that it is given and exits.
 */
import { strict as assert } from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import { RangeTracker } from '../../lib/index.js';
import { type Actor, explore, MicrotaskLoopError, replay, type Step, sample } from '../../lib/testing/index.js';
import { failureOf, walker } from '../support/explorer/programs.js';

const tests = new Map<string, () => Promise<void>>();
let group = '';
const describe = (name: string, body: () => void): void => {
  group = name;
  body();
};
const test = (name: string, body: () => Promise<void>): void => void tests.set(`${group} ${name}`, body);

const PAGE = { start: 0, end: 1 };

/** The object has these properties, and maybe others. */
function partly(object: unknown, expected: Record<string, unknown>): void {
  const found = (object ?? {}) as Record<string, unknown>;
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, found[name]])), expected);
}

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

  for (const [what, turn] of Object.entries(spins)) {
    test(`and ${what} ends with an error`, async () => {
      const make = () => ({ actors: { walker: walker(2), spinner: spinner(turn) } });
      const failure = await failureOf(explore(make));
      assert.ok(failure.cause instanceof MicrotaskLoopError);
      partly(failure.cause, { actor: 'spinner', name: 'MicrotaskLoopError' });
      assert.match(failure.message, /actor "spinner" has not come to a step .* since "look"/);
      await failureOf(replay(make, failure.schedule));
    });
  }

  test('ends with an error where the program follows contexts itself, begun before or meanwhile', async () => {
    const storage = new AsyncLocalStorage<string>();
    const make = () => ({
      actors: {
        spinner: (step: Step) => storage.run('inside', () => spinner(() => Promise.resolve())(step)),
      },
    });
    for (let run = 0; run < 2; run++) {
      const failure = await storage.run('outside', () => failureOf(explore(make)));
      partly(failure.cause, { actor: 'spinner' });
    }
  });

  test('and only queues microtasks ends with an error, also in a sample, and before its first step', async () => {
    const actor: Actor = () =>
      new Promise(() => {
        const again = (): void => queueMicrotask(again);
        again();
      });
    const failure = await failureOf(sample(() => ({ actors: { first: walker(1), spinner: actor } }), { runs: 1 }));
    partly(failure.cause, { actor: 'spinner' });
    assert.match(failure.message, /before its first step/);
  });

  test('is told from one that waits, and others go on', async () => {
    const [spinning, walking] = await Promise.allSettled([
      explore(() => ({ actors: { spinner: spinner(() => Promise.resolve()) } })),
      explore(() => ({ actors: { a: walker(3), b: walker(3) } })),
    ]);
    assert.equal(spinning.status, 'rejected');
    partly((walking as { value?: object }).value, { schedules: 20, complete: true });
  });

  test('is found in the end of a scenario, too', async () => {
    const end = async () => {
      for (;;) await null;
    };
    const failure = await failureOf(explore(() => ({ actors: { a: walker(1) }, end })));
    partly(failure.cause, { name: 'MicrotaskLoopError', actor: undefined });
  });

  test('may take many turns, as long as they come to an end', async () => {
    const busy: Actor = async (step) => {
      await step('work');
      for (let i = 0; i < 100_000; i++) await null;
      await step('done');
    };
    partly(await explore(() => ({ actors: { busy } })), { schedules: 1, complete: true });
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
    assert.match(failure.message, /not done after 50 steps: "poller" goes round/);
  });
});

const [, , name] = process.argv;
if (name === undefined) console.log(JSON.stringify([...tests.keys()]));
else {
  await tests.get(name)!();
  process.exit(0);
}
