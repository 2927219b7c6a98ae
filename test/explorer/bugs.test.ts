/**
 * Known bugs in small models: the explorer finds them all, and nothing where nothing is wrong.
 */
import { describe, expect, test } from 'vitest';
import { type Actor, explore, type MakeScenario, replay, sample } from '../../lib/testing/index.js';
import { crowd, failureOf, walker } from '../support/explorer/programs.js';

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
