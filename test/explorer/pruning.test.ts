/**
 * Orders that the explorer need not run: equivalent ones, those to known states, and those that exchange twins.
 */
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from '../../lib/index.js';
import { type Actor, explore, type MakeScenario, replay, type Touches } from '../../lib/testing/index.js';
import { failureOf, walker } from '../support/explorer/programs.js';
import { Random, seeds } from '../support/model/random.js';

describe('equivalent orders', () => {
  const on = (name: string): Touches => ({ writes: [name] });

  test('steps that touch nothing in common have one order', async () => {
    const make: MakeScenario = () => ({ actors: { a: walker(3, on('x')), b: walker(3, on('y')), c: walker(3, on('z')) } });
    expect(await explore(make)).toMatchObject({ schedules: 1, complete: true });
  });

  test('readers have one order among themselves, and a writer has a place among them for each', async () => {
    const reads = { reads: ['x'] };
    // The writer comes before or after each of three readers, which do not care about one another: 2^3 classes.
    const make: MakeScenario = () => ({
      actors: { a: walker(1, reads), b: walker(1, reads), c: walker(1, reads), writer: walker(1, on('x')) },
    });
    expect(await explore(make)).toMatchObject({ schedules: 8, complete: true });
  });

  test('the classes are those of the steps on each thing: their product', async () => {
    const both: Actor = async (step) => {
      await step('x', on('x'));
      await step('y', on('y'));
    };
    // Two actors, each first on x and then on y: two orders on x times two on y, none of which excludes another.
    expect(await explore(() => ({ actors: { a: both, b: both } }))).toMatchObject({ schedules: 4 });
    const turned: Actor = async (step) => {
      await step('y', on('y'));
      await step('x', on('x'));
    };
    // One of them the other way round: "a first on y and b first on x" would be a circle.
    expect(await explore(() => ({ actors: { a: both, b: turned } }))).toMatchObject({ schedules: 3 });
  });

  test('a step that says nothing depends on everything', async () => {
    expect(await explore(() => ({ actors: { a: walker(2, on('x')), b: walker(2) } }))).toMatchObject({ schedules: 6 });
  });

  test('exactly one order of each class is followed to its end, and every state is visited', async () => {
    const lengths = [2, 2, 2];
    const touchesOf = (who: number, i: number): string => ['x', 'y', 'z'][(who + i * who) % 3]!;
    const run = async (prunes: boolean) => {
      const ends: string[] = [];
      const states = new Set<string>();
      const make: MakeScenario = () => {
        const shared: Record<string, string> = { x: '', y: '', z: '' };
        const actor =
          (who: number): Actor =>
          async (step) => {
            for (let i = 0; i < lengths[who]!; i++) {
              const name = touchesOf(who, i);
              await step(name, prunes ? on(name) : undefined);
              shared[name] = `${shared[name]}${who}`;
            }
          };
        return {
          actors: { a: actor(0), b: actor(1), c: actor(2) },
          check: () => void states.add(JSON.stringify(shared)),
          end: () => void ends.push(JSON.stringify(shared)),
        };
      };
      return { seen: await explore(make), ends, states };
    };
    const all = await run(false);
    const pruned = await run(true);
    const classes = new Set(all.ends); // what happened to each thing, in order, is the class
    expect(all.seen.schedules).toBe(90);
    expect(new Set(pruned.ends)).toEqual(classes);
    expect(pruned.ends).toHaveLength(classes.size);
    expect(pruned.states).toEqual(all.states);
    expect(pruned.seen.steps).toBeLessThan(all.seen.steps / 2);
  });

  test('a step that wakes somebody depends on all others, whatever it has said', async () => {
    const run = async (touches: (name: string) => Touches | undefined) => {
      const ends = new Set<string>();
      const make: MakeScenario = () => {
        let open = () => {};
        let order = '';
        const opened = new Promise<void>((resolve) => {
          open = resolve;
        });
        return {
          actors: {
            sleeper: async () => {
              await opened;
              order += 's';
            },
            waker: async (step) => {
              await step('open', touches('door'));
              open();
            },
            other: async (step) => {
              await step('write', touches('order'));
              order += 'o';
            },
          },
          end: () => void ends.add(order),
        };
      };
      await explore(make);
      return [...ends].sort();
    };
    expect(await run(() => undefined)).toEqual(['os', 'so']);
    expect(await run(on)).toEqual(['os', 'so']);
  });

  test('with state(), what follows a known state is followed once', async () => {
    const make: MakeScenario = () => {
      let sum = 0;
      const adds: Actor = async (step) => {
        for (let i = 0; i < 3; i++) {
          await step('add');
          sum++;
        }
      };
      return {
        actors: { a: adds, b: adds, c: adds },
        state: () => `${sum}`,
        end: () => expect(sum).toBe(9),
      };
    };
    const seen = await explore(make);
    // One run for each edge of the grid of 4 × 4 × 4 places that leads to a place already seen, and one for the end.
    const edges = 3 * 3 * 4 * 4;
    expect(seen).toMatchObject({ complete: true, merged: edges - 63 - (seen.schedules - 1) });
    expect(seen.schedules + seen.merged).toBeLessThan(1680 / 10);
    expect(seen.orders).toBe(1680); // 9! / 3!³: what it stands for, though few of them were run
  });

  test('orders are counted also where maxRuns ends it, and with twins up to their names', async () => {
    const make: MakeScenario = () => ({ actors: { a: walker(3), b: walker(3), c: walker(3) }, state: () => '' });
    const seen = await explore(make, { maxRuns: 2 });
    expect(seen).toMatchObject({ schedules: 1, merged: 1, orders: 2, complete: false });
    expect(await explore(() => ({ ...make(), twins: [['a', 'b', 'c']] }))).toMatchObject({ orders: 1680 / 6, complete: true });
    expect(await explore(() => ({ actors: make().actors }))).toMatchObject({ orders: 1680, schedules: 1680, merged: 0 });
  });

  test('state() and touches together miss no failure that either of them finds alone', async () => {
    for (const target of [1, 2, 3, 4, 5, 6]) {
      const make = (knows: boolean, says: boolean): MakeScenario => {
        return () => {
          const shared = { x: 0, y: 0 };
          const actor = (first: 'x' | 'y', factor: number): Actor => {
            return async (step) => {
              await step('first', says ? on(first) : undefined);
              shared[first] = shared[first] * factor + 1;
              await step('x', says ? on('x') : undefined);
              shared.x = shared.x * factor + 1;
            };
          };
          return {
            actors: { a: actor('x', 1), b: actor('y', 2), c: actor('y', 1) },
            end: () => expect(shared.x).not.toBe(target),
            ...(knows ? { state: () => JSON.stringify(shared) } : {}),
          };
        };
      };
      const fails = (knows: boolean, says: boolean) =>
        explore(make(knows, says)).then(
          () => false,
          () => true,
        );
      const found = await Promise.all([fails(false, false), fails(true, false), fails(false, true), fails(true, true)]);
      expect(new Set(found).size, `${target}: ${found}`).toBe(1);
    }
  });
});

describe('random programs', () => {
  type Name = 'x' | 'y' | 'z';
  type Op = { readonly from: Name; readonly to: Name; readonly factor: number };

  function randomProgram(random: Random): Op[][] {
    const name = (): Name => random.pick(['x', 'y', 'z'] as const);
    return Array.from({ length: 3 }, () =>
      Array.from({ length: 1 + random.below(3) }, () => ({ from: name(), to: name(), factor: random.below(2) })),
    );
  }

  /** Every state of the variables and places that is reached. */
  async function reached(program: readonly Op[][], says: { readonly touches: boolean; readonly state: boolean }) {
    const seen = new Set<string>();
    const make: MakeScenario = () => {
      const shared = { x: 1, y: 1, z: 1 };
      const places = program.map(() => 0);
      const actor =
        (who: number): Actor =>
        async (step) => {
          for (const { from, to, factor } of program[who]!) {
            await step('do', says.touches ? { reads: [from], writes: [to] } : undefined);
            shared[to] = (shared[to] * factor + shared[from]) % 5;
            places[who]!++;
          }
        };
      const state = () => JSON.stringify(shared);
      return {
        actors: Object.fromEntries(program.map((_, who) => [`actor ${who}`, actor(who)])),
        check: () => void seen.add(`${places} ${state()}`),
        ...(says.state ? { state } : {}),
      };
    };
    await explore(make);
    return seen;
  }

  test('touches and states, alone or together, miss no state that can be reached', { timeout: 60_000 }, async () => {
    await Promise.all(
      seeds(24).map(async (seed) => {
        const program = randomProgram(new Random(seed));
        const all = await reached(program, { touches: false, state: false });
        for (const touches of [false, true]) {
          for (const state of [false, true]) {
            if (touches || state) expect(await reached(program, { touches, state }), `seed ${seed}`).toEqual(all);
          }
        }
      }),
    );
  });
});

describe('twins', () => {
  /** Actors that take so many steps each, and note their letters. */
  const program = (lengths: Readonly<Record<string, number>>, twins?: readonly string[][]) => {
    const orders = new Set<string>();
    const make: MakeScenario = () => {
      let order = '';
      const actor = (name: string, steps: number): Actor => {
        return async (step) => {
          for (let i = 0; i < steps; i++) {
            await step('go');
            order += name;
          }
        };
      };
      const actors = Object.fromEntries(Object.entries(lengths).map(([name, steps]) => [name, actor(name, steps)]));
      return { actors, twins, end: () => void orders.add(order) };
    };
    return { make, orders };
  };
  /** Names those of `letters` anew, in the order in which they come first. */
  const sorted = (order: string, letters: string): string => {
    const met = [...new Set([...order].filter((letter) => letters.includes(letter)))];
    return [...order].map((letter) => (met.includes(letter) ? letters[met.indexOf(letter)] : letter)).join('');
  };

  test.each([
    [{ a: 1, b: 1 }, [['a', 'b']], 1],
    [{ a: 2, b: 2 }, [['a', 'b']], 6 / 2],
    [{ a: 2, b: 2, c: 2 }, [['a', 'b', 'c']], 90 / 6],
    [{ a: 2, b: 2, c: 2 }, [['a', 'b']], 90 / 2],
    [
      { a: 2, b: 2, c: 1, d: 1 },
      [
        ['a', 'b'],
        ['d', 'c'],
      ],
      180 / 4,
    ],
    [{ a: 2, b: 3 }, [['a']], 10],
  ])('actors of %j of which %j are twins have %d orders, one for each way to exchange them', async (lengths, twins, count) => {
    const { make, orders } = program(lengths, twins);
    expect(await explore(make)).toMatchObject({ schedules: count, complete: true });
    expect(orders.size).toBe(count);
  });

  test('every order is one of those with twins exchanged', async () => {
    const all = program({ a: 2, b: 2, x: 1, c: 2 });
    const some = program({ a: 2, b: 2, x: 1, c: 2 }, [['a', 'b', 'c']]);
    await explore(all.make);
    await explore(some.make);
    expect(all.orders.size).toBe(630);
    expect(some.orders).toEqual(new Set([...all.orders].map((order) => sorted(order, 'abc'))));
  });

  test('together with what the steps touch, they lose no order that is different', async () => {
    const ends = async (twins: readonly string[][], touches: (name: string) => Touches | undefined) => {
      const seen = new Set<string>();
      const make: MakeScenario = () => {
        const shared: Record<string, string> = { x: '', y: '' };
        const actor =
          (letter: string, names: readonly string[]): Actor =>
          async (step) => {
            for (const name of names) {
              await step(name, touches(name));
              shared[name] += letter;
            }
          };
        const actors = { a: actor('a', ['x', 'y']), b: actor('a', ['x', 'y']), c: actor('c', ['y', 'x']) };
        return { actors, twins, end: () => void seen.add(JSON.stringify(shared)) };
      };
      const { schedules } = await explore(make);
      return { seen: [...seen].sort(), schedules };
    };
    const all = await ends([], () => undefined);
    const some = await ends([['a', 'b']], (name) => ({ writes: [name] }));
    expect(some.seen).toEqual(all.seen);
    expect(some.schedules).toBeLessThan(all.schedules / 4);
  });

  test('an order that is not among those is run by replay all the same', async () => {
    const { make } = program({ a: 1, b: 1 }, [['a', 'b']]);
    expect(await replay(make, '1.0')).toMatchObject({ complete: true });
  });

  test('a failure is found if it is one with the twins exchanged', async () => {
    const make: MakeScenario = () => {
      let value = 0;
      const adds: Actor = async (step) => {
        await step('read');
        const seen = value;
        await step('write');
        value = seen + 1;
      };
      return { actors: { a: adds, b: adds, c: adds }, twins: [['a', 'b', 'c']], end: () => expect(value).toBeGreaterThan(1) };
    };
    const { schedule } = await failureOf(explore(make));
    expect(sorted(schedule.replaceAll('.', ''), '012')).toBe(schedule.replaceAll('.', ''));
    await failureOf(
      replay(
        make,
        schedule.replace(/./g, (who) => ({ 0: '2', 1: '0', 2: '1' })[who] ?? who),
      ),
    );
  });

  test.each([
    [[['a', 'z']]],
    [[['a', 'a']]],
    [
      [
        ['a', 'b'],
        ['b', 'c'],
      ],
    ],
  ])('twins that cannot be are refused: %j', async (twins) => {
    await expect(explore(program({ a: 1, b: 1, c: 1 }, twins).make)).rejects.toThrow(InvalidArgumentError);
  });
});
