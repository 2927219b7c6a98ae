/**
 * The explorer itself: it counts what can be counted by hand.
 */
import { describe, expect, test } from 'vitest';
import { type Actor, explore } from '../../lib/testing/index.js';
import { crowd, ordersOf, walker, walkers } from '../support/explorer/programs.js';
import { turns } from '../support/model/clock.js';

describe('counting', () => {
  test.each([
    [[1], 1],
    [[3, 2], 10],
    [[2, 2], 6],
    [[4, 4], 70],
    [[1, 1, 1, 1], 24],
    [[2, 2, 2], 90],
    [[3, 3, 3], 1680],
    [[0, 2], 1],
    [[], 1],
  ])('actors of %j steps have %d orders', async (lengths, orders) => {
    const seen = await explore(walkers(...lengths));
    expect(seen).toMatchObject({ schedules: orders, cut: 0, merged: 0, complete: true });
    expect(seen.steps).toBe(orders * lengths.reduce((sum, length) => sum + length, 0));
  });

  test('no order is run twice', async () => {
    const orders = await ordersOf((note) => {
      const actor = (name: string, steps: number): Actor => {
        return async (step) => {
          for (let i = 0; i < steps; i++) {
            await step(name);
            note(name);
          }
        };
      };
      return { actors: { a: actor('a', 3), b: actor('b', 2), c: actor('c', 1) } };
    });
    expect(orders).toHaveLength(60);
    expect(new Set(orders).size).toBe(60);
  });

  test('a mutex that they queue for before their first step leaves one order', async () => {
    const make = crowd(
      2,
      () => ({ tail: Promise.resolve() as Promise<unknown> }),
      async (mutex, step) => {
        const before = mutex.tail;
        let leave = () => {};
        mutex.tail = new Promise<void>((resolve) => {
          leave = resolve;
        });
        await before;
        await step('enter');
        await step('work');
        await step('leave');
        leave();
      },
    )();
    expect(await explore(make)).toMatchObject({ schedules: 1, complete: true });
  });

  test('maxRuns ends it early, and it says so', async () => {
    expect(await explore(walkers(3, 3), { maxRuns: 5 })).toMatchObject({ schedules: 5, complete: false });
    expect(await explore(walkers(3, 3), { maxRuns: 20 })).toMatchObject({ schedules: 20, complete: true });
  });

  test('strands: an actor that does two things at once has the orders of both', async () => {
    const both: Actor = (step) => Promise.all([walker(2)(step), walker(2)(step)]);
    expect(await explore(() => ({ actors: { both } }))).toMatchObject({ schedules: 6 });
    expect(await explore(() => ({ actors: { both, other: walker(1) } }))).toMatchObject({ schedules: 30 });
  });

  test('a strand that nobody awaits is run to its end, too', async () => {
    const loose: Actor = (step) => void walker(2)(step);
    expect(await explore(() => ({ actors: { loose, other: walker(2) } }))).toMatchObject({ schedules: 6 });
  });

  test('all microtasks have run before anybody else is resumed', async () => {
    const orders = await ordersOf((note) => ({
      actors: {
        slow: async (step) => {
          await step('go');
          note('<');
          await turns(100);
          note('>');
        },
        other: async (step) => {
          await step('go');
          note('o');
        },
      },
    }));
    expect(orders).toEqual(['<>o', 'o<>']);
  });

  test('explorations side by side wait together, and count what each would alone', async () => {
    const seen = await Promise.all([walkers(2, 2), walkers(3, 2), walkers(1), walkers(2, 2, 2)].map((make) => explore(make)));
    expect(seen.map(({ schedules }) => schedules)).toEqual([6, 10, 1, 90]);
  });
});
