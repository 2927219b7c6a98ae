/**
 * What the explorer says of an order that fails, and of one that it cannot run.
 */
import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from '../../lib/index.js';
import { explore, type MakeScenario, replay, type Step, sample } from '../../lib/testing/index.js';
import { failureOf, walker, walkers } from '../support/explorer/programs.js';

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
    expect(await replay(make, '0+1.0')).toMatchObject({ schedule: '0+1.0', complete: true });
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
