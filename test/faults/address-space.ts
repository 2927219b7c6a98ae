/**
 * Faults of the simulated address space; see faults.ts.
 */
import type { Fault } from './faults.js';

const MODEL = 'test/address-space/model.test.ts';
const WAITS = 'test/address-space/waits.test.ts';

/** Wrong behaviour of `SimulatedAddressSpace`, one at a time. */
export const ADDRESS_SPACE_FAULTS: readonly Fault[] = [
  // --- what is found before a wait and used after it
  {
    name: 'a change is announced for what it looked at before it waited',
    file: 'testing/address-space/change.ts',
    find: 'covers(told, announce()) ? { value',
    replace: 'covers(told, told) ? { value',
    first: [MODEL],
  },
  {
    name: 'a change locks what it looked at before it waited',
    file: 'testing/address-space/change.ts',
    find: 'if (covers(claims, hold())) return',
    replace: 'if (covers(claims, claims)) return',
    first: [WAITS],
  },
  {
    name: 'a change that was announced for too little goes on without the lock of the rest',
    file: 'testing/address-space/change.ts',
    find: 'for (let told = announce(); ; told = join(told, announce()))',
    replace: 'for (let told = announce(), tries = 0; ; told = tries++ > 0 ? announce() : told)',
    first: [WAITS],
  },
  {
    name: 'a fork locks the pages that it has seen, and not those that come',
    file: 'testing/address-space/mapping.ts',
    find: 'const hold = () => claimsOf(all(core, EVERYTHING)); // also',
    replace: 'const hold = () => claimsOf(announce()); // also',
    first: [WAITS],
  },
  {
    name: 'a release frees the pages that are there, and not those that come',
    file: 'testing/address-space/mapping.ts',
    find: "if (core.tracker.closed) throw new ClosedError('the address space');",
    replace: '',
    first: [WAITS],
  },
  {
    name: 'a fork tells nobody that a device loses a read-only page',
    file: 'testing/address-space/mapping.ts',
    find: ' || exclusive !== undefined;',
    replace: ' || (exclusive !== undefined && shared);',
    first: [WAITS],
  },
  {
    name: 'the content of an object is locked by nobody',
    file: 'testing/address-space/change.ts',
    find: 'if (object === undefined) continue;',
    replace: 'if (object === undefined || offset >= 0) continue;',
    first: [MODEL],
  },
  {
    name: 'an object is mapped in the middle of a store to it',
    file: 'testing/address-space/mapping.ts',
    find: 'const hold = () => join(claimsOf(all(core, run)), its);',
    replace: 'const hold = () => join(claimsOf(all(core, run)), its.size < 0 ? its : new Map());',
    first: [WAITS],
  },
  {
    name: 'what a device got for itself is taken from it by its own touch',
    file: 'testing/address-space/fault.ts',
    find: "const still = pages.filter((page) => peek(core, page, access) === 'restore');",
    replace: 'const still = pages;',
    first: [WAITS],
  },
  {
    name: 'one page of a huge one is copied, and the huge one stays',
    file: 'testing/address-space/fault.ts',
    find: 'const still = shared.filter((page) => !whole.has(page - (page % core.hugePages)));',
    replace: 'const still = shared.filter((page) => !whole.has(page + 0.5));',
    first: [WAITS],
  },
  {
    name: 'the truncation that ends last sets the length',
    file: 'testing/address-space/shared-object.ts',
    find: 'if (call < this.#setBy) return;',
    replace: '',
    first: [WAITS],
  },
  {
    name: 'what is being cut off can be faulted in again',
    file: 'testing/address-space/shared-object.ts',
    find: 'this.cuts.add(pages);',
    replace: '',
    first: [WAITS],
  },
];
