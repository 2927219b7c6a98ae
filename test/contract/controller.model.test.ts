/**
 * The controller that counts listeners, beside Node, which knows them.
 */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WatchedController } from '../../lib/testing/contract/support/controller.js';
import { Random, seeds } from '../support/model/random.js';

const known = ({ signal }: WatchedController): number => getEventListeners(signal, 'abort').length;

describe('a controller that counts the listeners of its signal', () => {
  it('agrees with Node after every step of random schedules', () => {
    for (const seed of seeds(300)) {
      const random = new Random(seed);
      const controller = new WatchedController();
      const others = [new AbortController(), new AbortController()];
      const { signal } = controller;
      const listeners = [0, 1, 2].map(() => () => {});
      const steps: string[] = [];
      const listener = () => listeners[random.below(3)]!;
      // Not `true` for a capturing one: when it is removed, Node looks only at an object.
      const options = () => [undefined, { once: true }, { capture: true, once: true }, { capture: true }][random.below(4)];
      const kinds: Record<string, () => void> = {
        add: () => signal.addEventListener('abort', listener(), options()),
        addAgain: () => signal.addEventListener('abort', listener(), { once: true }),
        // A function of its own: with that signal, Node would take away a later listener of the same function.
        addUntil: () => signal.addEventListener('abort', () => {}, { signal: others[random.below(2)]!.signal }),
        addOther: () => signal.addEventListener('close', listener()),
        remove: () => signal.removeEventListener('abort', listener(), options()),
        removeOther: () => signal.removeEventListener('close', listener()),
        detach: () => others[random.below(2)]!.abort(),
        abort: () => controller.abort(),
      };
      const names = Object.keys(kinds);
      for (let i = 0; i < 12; i++) {
        const name = names[random.below(names.length)]!;
        steps.push(name);
        kinds[name]!();
        expect([seed, steps, controller.listeners]).toEqual([seed, steps, known(controller)]);
      }
    }
  });

  it('calls those who listen, with its reason', () => {
    const controller = new WatchedController();
    const heard: unknown[] = [];
    controller.signal.addEventListener('abort', () => heard.push(controller.signal.reason), { once: true });
    controller.abort('enough');
    controller.abort('again');
    expect(heard).toEqual(['enough']);
    expect(controller.listeners).toBe(0);
  });
});
