/**
 * The contract suite: what every implementation of the tracker must survive, whatever it is made of. It uses nothing but the
 * public surface, and of the test runner nothing but `describe` and `it`: it brings its own assertions. The numbers behind S
 * name the scenarios of the contract; the races among them have diagrams in docs/contract.md.
 */
import { checkNames, type Names, names } from '../../base/options.js';
import { describeCancellation } from './cancellation.js';
import { describeClosing } from './closing.js';
import { describeCollisions } from './collisions.js';
import { describeFilters } from './filters.js';
import { describeHolds } from './holds.js';
import { describeLimits } from './limits.js';
import { describeLookups } from './lookups.js';
import { describePhases } from './phases.js';
import { describeSubscribers } from './subscribers.js';
import type { MakeTracker, Suite } from './suite.js';
import { describeWaiting } from './waiting.js';

export type { ContractTracker, MakeTracker } from './suite.js';

/** What {@link describeContract} is told. `describe` and `it` are the test runner's own, handed over as they are. */
export interface ContractOptions {
  /** The name of the outermost `describe`. */
  readonly name: string;
  /** Makes the tracker that is examined; called at least once a test, and never outside one. */
  readonly make: MakeTracker;
  /** Declares a group of tests, whose names lead theirs: `describe` of Vitest, Jest, Mocha, `node:test`. */
  readonly describe: (name: string, body: () => void) => unknown;
  /**
   * Declares a test, which fails if `body` rejects. Few tests may need longer than runners usually allow; they ask for it
   * with `limitMs`, in milliseconds. A runner that ignores it must allow every test a minute.
   */
  readonly it: (name: string, body: () => Promise<void>, limitMs?: number) => unknown;
}

const CONTRACT_OPTIONS: Names = /* @__PURE__ */ names('name make describe it');

/**
 * Declares the contract as tests, 265 of them, for one way to make a tracker. Call it where `describe` may be called. No test
 * sleeps, reads the host's clock, or shares anything with another. Eight of them, which try every order of holds and begins, take
 * a second or two each, all others together as long.
 */
export function describeContract(options: ContractOptions): void {
  checkNames(options, CONTRACT_OPTIONS, 'describeContract');
  const { name, make, describe, it } = options;
  const suite: Suite = {
    make,
    describe: (group, body) => void describe(group, body),
    // Always a promise, and never a parameter: a runner may take a body that has one for a test with a callback.
    it: (sentence, body, limitMs) => void it(sentence, async () => body(), limitMs),
  };
  describe(name, () => {
    describeCollisions(suite);
    describeLookups(suite);
    describeWaiting(suite);
    describeFilters(suite);
    describeSubscribers(suite);
    describeHolds(suite);
    describePhases(suite);
    describeCancellation(suite);
    describeClosing(suite);
    describeLimits(suite);
  });
}
