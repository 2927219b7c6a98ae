/**
 * What a finished operation must not leave behind, for tests whose signals come from anywhere: Node knows their listeners.
 */
import { getEventListeners } from 'node:events';
import * as contract from '../../lib/testing/contract/support/leftovers.js';

/** Abort listeners that are attached now. */
export function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

/** Where something could be left behind besides the tracker. */
export interface Places extends Omit<contract.Places, 'controllers'> {
  readonly signals?: readonly AbortSignal[] | undefined;
}

/** G7: no entry, no listener, no timer. */
export function expectNothingLeft(
  tracker: Parameters<typeof contract.expectNothingLeft>[0],
  { signals = [], ...places }: Places = {},
): void {
  const controllers = signals.map((signal) => ({ listeners: listeners(signal) }));
  contract.expectNothingLeft(tracker, { ...places, controllers });
}
