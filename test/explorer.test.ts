/**
 * The explorer itself: it counts what can be counted by hand, and finds what is known to be wrong.
 */
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from '../lib/index.js';
import {
  type Actor,
  explore,
  type MakeScenario,
  replay,
  type Scenario,
  ScheduleError,
  type Step,
  sample,
  type Touches,
} from '../lib/testing/index.js';

/** Takes so many steps and does nothing. */
function walker(steps: number, touches?: Touches): Actor {
  return async (step) => {
    for (let i = 0; i < steps; i++) await step(`step ${i}`, touches);
  };
}

function walkers(...lengths: readonly number[]): MakeScenario {
  return () => ({ actors: Object.fromEntries(lengths.map((length, i) => [`walker ${i}`, walker(length)])) });
}

/** Two actors, or more, that do the same to something shared. */
function crowd<Shared>(count: number, makeShared: () => Shared, act: (shared: Shared, step: Step, who: number) => unknown) {
  return (finish: (shared: Shared) => Partial<Scenario> = () => ({})): MakeScenario =>
    () => {
      const shared = makeShared();
      const names = Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i));
      const actors = Object.fromEntries(names.map((name, i) => [name, (step: Step) => act(shared, step, i)]));
      return { actors, ...finish(shared) };
    };
}

async function failureOf(running: Promise<unknown>): Promise<ScheduleError> {
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ScheduleError);
  return error as ScheduleError;
}

/** Every order, as strings, by the scenario's own account. */
async function ordersOf(make: (note: (name: string) => void) => Scenario): Promise<string[]> {
  const orders: string[] = [];
  await explore(() => {
    let order = '';
    const scenario = make((name) => {
      order += name;
    });
    return {
      ...scenario,
      end: () => {
        orders.push(order);
      },
    };
  });
  return orders;
}

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
});

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

describe('known bugs are found', () => {
  const lostUpdate = crowd(
    2,
    () => ({ value: 0 }),
    async (shared, step) => {
      await step('read');
      const seen = shared.value;
      await step('write');
      shared.value = seen + 1;
    },
  )((shared) => ({ end: () => expect(shared.value).toBe(2) }));

  /** Reads a page asynchronously and installs it, guarded by whatever `guard` is; a writer announces its change to it. */
  function cache<Guard extends { begin(): void; end(): void; token(): unknown; fresh(token: unknown): boolean }>(
    makeGuard: () => Guard,
    { awaits = false, late = false } = {},
  ): MakeScenario {
    return () => {
      const guard = makeGuard();
      let content = 'old';
      let installed: string | undefined;
      const writer: Actor = async (step) => {
        await step('begin');
        guard.begin();
        installed = undefined;
        await step('change');
        content = 'new';
        await step('end');
        guard.end();
      };
      const reader: Actor = async (step) => {
        await step('token');
        const token = guard.token();
        await step('read');
        const value = content;
        await step('check');
        if (!guard.fresh(token)) return;
        if (awaits) await step('install');
        installed = value;
        if (late) await step('late');
      };
      return { actors: { reader, writer }, end: () => expect([undefined, content]).toContain(installed) };
    };
  }

  /** Moves at begins, or at both; nobody reads while somebody is inside only if it looks at that, too. */
  const counter = (moves: { begin: boolean; end: boolean; looks: boolean }) => () => {
    let seq = 0;
    let active = 0;
    return {
      begin: () => {
        active++;
        if (moves.begin) seq++;
      },
      end: () => {
        active--;
        if (moves.end) seq++;
      },
      token: () => seq,
      fresh: (token: unknown) => token === seq && !(moves.looks && active > 0),
    };
  };

  const flag = () => {
    let valid = true;
    return {
      begin: () => {
        valid = false;
      },
      end: () => {
        valid = true;
      },
      token: () => undefined,
      fresh: () => valid,
    };
  };

  test('a lost update', async () => {
    const failure = await failureOf(explore(lostUpdate));
    expect(failure.schedule).toBe('0.1.0.1');
    expect(failure.cause).toMatchObject({ actual: 1, expected: 2 });
  });

  test('the ABA of a flag that is cleared and set again inside a read', async () => {
    const failure = await failureOf(explore(cache(flag)));
    const [reads, begins, ends] = ['read', 'begin', 'end'].map((label) => failure.diagram.search(new RegExp(`\\b${label}\\b`)));
    expect(reads).toBeLessThan(failure.diagram.lastIndexOf('end'));
    expect(begins).toBeLessThan(ends!);
  });

  test('a counter that moves at begins only', async () => {
    const failure = await failureOf(explore(cache(counter({ begin: true, end: false, looks: true }))));
    // The one order: the change began before the token, and ended after the read.
    expect(failure.schedule.split('.').indexOf('1')).toBeLessThan(failure.schedule.split('.').indexOf('0'));
  });

  test('a commit that comes an await after its check', async () => {
    await failureOf(explore(cache(counter({ begin: true, end: true, looks: true }), { awaits: true })));
  });

  test('and nothing is found where nothing is wrong', async () => {
    const sound = cache(counter({ begin: true, end: true, looks: true }), { late: true });
    expect(await explore(sound)).toMatchObject({ complete: true });
    expect((await explore(sound)).schedules).toBeGreaterThan(20);
  });

  test('a deadlock, with who waits where', async () => {
    const locks = () => {
      const taken = new Map<string, Promise<void>>();
      return async (name: string): Promise<() => void> => {
        while (taken.has(name)) await taken.get(name);
        let free = () => {};
        taken.set(name, new Promise<void>((resolve) => (free = resolve)));
        return () => {
          taken.delete(name);
          free();
        };
      };
    };
    const make = crowd(2, locks, async (lock, step, who) => {
      await step('first lock');
      const one = await lock(who === 0 ? 'x' : 'y');
      await step('second lock');
      const other = await lock(who === 0 ? 'y' : 'x');
      await step('free');
      other();
      one();
    })();
    const failure = await failureOf(explore(make));
    expect(failure.message).toContain(`nobody can go on: a waits since "second lock", b waits since "second lock"`);
    expect(failure.schedule).toBe('0.1.0.1');
    expect(failure.diagram).toContain('(waits)');
    await failureOf(replay(make, failure.schedule));
  });

  test('an actor that never comes to an end', async () => {
    const make: MakeScenario = () => ({
      actors: {
        circle: async (step) => {
          for (;;) await step('round');
        },
      },
    });
    expect((await failureOf(explore(make, { maxSteps: 10 }))).message).toContain('not done after 10 steps');
    expect((await failureOf(sample(make, { maxSteps: 10 }))).message).toContain('not done after 10 steps');
  });

  test('an error of an actor, thrown at once or later, and of check', async () => {
    const throws = (actor: Actor, check?: () => void): MakeScenario => {
      return () => ({ actors: { actor }, ...(check === undefined ? {} : { check }) });
    };
    const oops = () => {
      throw new Error('oops');
    };
    const late: Actor = async (step) => {
      await step('late');
      oops();
    };
    expect(await failureOf(explore(throws(oops)))).toMatchObject({ schedule: '', cause: { message: 'oops' } });
    expect(await failureOf(explore(throws(late)))).toMatchObject({ schedule: '0', cause: { message: 'oops' } });
    expect(await failureOf(explore(throws(walker(1), oops)))).toMatchObject({ schedule: '', cause: { message: 'oops' } });
  });

  test('in a random order, the same for the same seed', async () => {
    const first = await failureOf(sample(lostUpdate, { seed: 7 }));
    const again = await failureOf(sample(lostUpdate, { seed: 7 }));
    expect(again.schedule).toBe(first.schedule);
    await failureOf(replay(lostUpdate, first.schedule));
  });

  test('by priorities, where a coin at each step would not find it', async () => {
    // One must take all of its 12 steps between two certain steps of the other: for a coin about one run in 2^12.
    const make: MakeScenario = () => {
      let armed = false;
      let steps = 0;
      return {
        actors: {
          long: async (step) => {
            for (let i = 0; i < 12; i++) {
              await step('walk');
              if (armed) steps++;
            }
          },
          short: async (step) => {
            await step('arm');
            armed = true;
            await step('disarm');
            armed = false;
            expect(steps).toBeLessThan(12);
          },
        },
      };
    };
    const found = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => failureOf(sample(make, { seed, depth: 2, runs: 400 }))),
    );
    expect(new Set(found.map(({ schedule }) => schedule)).size).toBe(1);
    await expect(sample(make, { depth: 1, runs: 400 })).resolves.toMatchObject({ schedules: 2 }); // no changes: two orders
  });
});

describe('reports', () => {
  test('a failing order is a string and a diagram, and can be run again', async () => {
    const make: MakeScenario = () => {
      let open = () => {};
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      return {
        actors: {
          reader: async (step) => {
            await step('look');
            await opened;
            await step('read');
            throw new Error('stale');
          },
          writer: async (step) => {
            await step('change and open');
            open();
          },
        },
      };
    };
    const failure = await failureOf(explore(make));
    expect(failure.schedule).toBe('0.1.0');
    expect(failure.diagram.split('\n')).toEqual([
      'reader     writer',
      '---------  ---------------',
      'look',
      '(waits)',
      '           change and open',
      '(goes on)  (done)',
      'read',
      '(done)',
    ]);
    expect(failure.message).toContain('stale');
    expect(failure.message).toContain('"0.1.0"');
    expect(failure.message).toContain(failure.diagram);
    const again = await failureOf(replay(make, failure.schedule));
    expect(again.message).toBe(failure.message);
  });

  test('replay goes no further than it is told', async () => {
    const make = walkers(2, 1);
    expect(await replay(make, '0.1')).toMatchObject({ schedule: '0.1', complete: false });
    expect(await replay(make, '0.1.0')).toMatchObject({ schedule: '0.1.0', complete: true });
    expect(await replay(make, '')).toMatchObject({ schedule: '', complete: false });
  });

  test('strands have places of their own in a schedule', async () => {
    let order = '';
    const make: MakeScenario = () => {
      order = '';
      const strand = async (step: Step, name: string) => {
        await step(name);
        order += name;
      };
      return { actors: { both: (step) => Promise.all([strand(step, 'x'), strand(step, 'y')]) } };
    };
    expect((await replay(make, '0+1.0')).complete).toBe(true);
    expect(order).toBe('yx');
  });

  test.each(['2', '0+1', 'x', '0..1', '0.0.0.0', '-1'])('a schedule that cannot be run says why: %j', async (schedule) => {
    await expect(replay(walkers(3, 1), schedule)).rejects.toThrow(InvalidArgumentError);
  });

  test('a scenario that is not the same each time is an error, not a guess', async () => {
    let runs = 0;
    const make: MakeScenario = () => {
      const name = `step of run ${runs++ > 0 ? 'later' : 'first'}`;
      return { actors: { a: async (step) => step(name), b: walker(2) } };
    };
    await expect(explore(make)).rejects.toThrow(/not the same each time/);
    let lengths = 3;
    await expect(explore(() => walkers(lengths--, 2)())).rejects.toThrow(/not the same each time/);
  });

  test('bad options are refused', async () => {
    const make = walkers(1);
    await expect(explore(make, { maxRuns: 0 })).rejects.toThrow(InvalidArgumentError);
    await expect(explore(make, { maxSteps: Number.NaN })).rejects.toThrow(InvalidArgumentError);
    await expect(sample(make, { runs: 0.5 })).rejects.toThrow(InvalidArgumentError);
    await expect(sample(make, { seed: 0.5 })).rejects.toThrow(InvalidArgumentError);
    await expect(sample(make, { depth: 0 })).rejects.toThrow(InvalidArgumentError);
    await expect(explore({} as unknown as MakeScenario)).rejects.toThrow(InvalidArgumentError);
    await expect(sample(undefined as unknown as MakeScenario)).rejects.toThrow(InvalidArgumentError);
  });
});
