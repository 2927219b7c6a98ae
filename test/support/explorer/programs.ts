/**
 * Small programs for the explorer's own tests.
 */
import { expect } from 'vitest';
import {
  type Actor,
  explore,
  type MakeScenario,
  type Scenario,
  ScheduleError,
  type Step,
  type Touches,
} from '../../../lib/testing/index.js';

/** Takes so many steps and does nothing. */
export function walker(steps: number, touches?: Touches): Actor {
  return async (step) => {
    for (let i = 0; i < steps; i++) await step(`step ${i}`, touches);
  };
}

export function walkers(...lengths: readonly number[]): MakeScenario {
  return () => ({ actors: Object.fromEntries(lengths.map((length, i) => [`walker ${i}`, walker(length)])) });
}

/** Two actors, or more, that do the same to something shared. */
export function crowd<Shared>(
  count: number,
  makeShared: () => Shared,
  act: (shared: Shared, step: Step, who: number) => unknown,
) {
  return (finish: (shared: Shared) => Partial<Scenario> = () => ({})): MakeScenario =>
    () => {
      const shared = makeShared();
      const names = Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i));
      const actors = Object.fromEntries(names.map((name, i) => [name, (step: Step) => act(shared, step, i)]));
      return { actors, ...finish(shared) };
    };
}

export async function failureOf(running: Promise<unknown>): Promise<ScheduleError> {
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ScheduleError);
  return error as ScheduleError;
}

/** Every order, as strings, by the scenario's own account. */
export async function ordersOf(make: (note: (name: string) => void) => Scenario): Promise<string[]> {
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
