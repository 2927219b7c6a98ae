import { expect, it } from 'vitest';
import { RangeTracker } from '../../lib/index.js';
import { range } from '../support/reading.js';

it('a history does not keep the owner of what it has forgotten', async () => {
  const tracker = new RangeTracker({ historyCapacity: 64 });
  // In a function of its own: the last owner would live on in a register of this one.
  const change = () => {
    const owner = {};
    tracker.tryBegin(range(0, 8), { owner })!.end();
    return new WeakRef(owner);
  };
  const owners = Array.from({ length: 50 }, change);
  for (let i = 0; i < 64; i++) tracker.tryBegin(range(0, 8))!.end();
  await new Promise((resolve) => setImmediate(resolve)); // a WeakRef keeps its target until the end of the turn
  gc!();
  expect(owners.filter((owner) => owner.deref() !== undefined)).toHaveLength(0);
});
