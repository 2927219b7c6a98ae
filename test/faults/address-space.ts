/**
 * Faults of the simulated address space; see faults.ts.
 */
import type { Fault } from './faults.js';

const HUGE = 'test/address-space/huge.test.ts';
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
    replace: 'void [core, ClosedError];',
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
    first: [WAITS],
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
    name: 'a page is copied that nobody shares any more',
    file: 'testing/address-space/fault.ts',
    find: "const still = pages.filter((page) => peek(core, page, access) === 'copy');",
    replace: 'const still = pages;',
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
  {
    name: 'a change of a part of a huge page locks the part alone',
    file: 'testing/address-space/change.ts',
    find: 'if (slot.huge || slot.advised) huge.add(',
    replace: 'if (slot.huge && size < 0) huge.add(',
    first: [WAITS],
  },
  {
    name: 'what a device is to have alone is made ready before it is locked',
    file: 'testing/address-space/moving.ts',
    find: 'await touch(core, [run], { ...access, held: section }, () => {});',
    replace: 'void [touch, section];',
    first: [WAITS],
  },
  // --- what moves
  {
    name: 'what may not be read is migrated',
    file: 'testing/address-space/moving.ts',
    find: "if (slot.protection === 'none') throw new PageFault('not-readable', page);",
    replace: '',
    first: [HUGE],
  },
  {
    name: 'a range with a hole is migrated around it',
    file: 'testing/address-space/moving.ts',
    find: "if (slot === undefined) throw new PageFault('no-mapping', page);",
    replace: 'if (slot === undefined) continue;',
    first: [HUGE],
  },
  {
    name: 'private copies of an object do not move',
    file: 'testing/address-space/moving.ts',
    find: 'return frame === undefined ? object === undefined : frame.refs',
    replace: 'return object !== undefined ? false : frame === undefined || frame.refs',
    first: [HUGE],
  },
  {
    name: 'a private copy that comes from the swap becomes the content of the object',
    file: 'testing/address-space/fault.ts',
    find: 'if (slot.object === undefined || slot.swap !== undefined) slot.frame = frame;',
    replace: 'if (slot.object === undefined) slot.frame = frame;',
    first: [HUGE],
  },
  {
    name: 'a huge page without memory in one piece does not move',
    file: 'testing/address-space/fault.ts',
    find: 'continue; // page by page, then',
    replace: 'throw error;',
    first: [HUGE],
  },
  {
    name: 'a huge page moves as a whole if only some of its pages can',
    file: 'testing/address-space/fault.ts',
    find: 'count === size && isHuge(first)',
    replace: 'count > 0 && isHuge(first)',
    first: [HUGE],
  },
  {
    name: 'a part of a huge page moves, and the rest stays huge',
    file: 'testing/address-space/fault.ts',
    find: 'await split(core, hugeRuns(core, toRuns([...small].sort((a, b) => a - b)), { partly: false }), section);',
    replace: 'void section;',
    first: [HUGE],
  },
  {
    name: 'a touch brings back one page of a huge one',
    file: 'testing/address-space/fault.ts',
    find: 'its.add(page);',
    replace: 'void page;',
    first: [HUGE],
  },
  {
    name: 'what is wanted huge is not had without memory in one piece',
    file: 'testing/address-space/fault.ts',
    find: 'if (!(error instanceof AllocationError)) throw error;\n        fill(',
    replace: 'if (error !== undefined) throw error;\n        fill(',
    first: [HUGE],
  },
  {
    name: 'memory that everybody can use is taken back first',
    file: 'testing/address-space/fault.ts',
    find: " && !isCoherent(frame.owner)) return 'bring';",
    replace: " && isCoherent !== undefined) return 'bring';",
    first: [HUGE],
  },
  {
    name: 'a device may not store to the new page that it has made',
    file: 'testing/address-space/moving.ts',
    find: "if (fresh.has(page) && slot.protection === 'read-write') slot.softDirty = true;",
    replace: 'void [fresh, page];',
    first: [HUGE],
  },
  {
    name: 'a remap that keeps the old place keeps the content there, too',
    file: 'testing/address-space/mapping.ts',
    find: 'if (keep) core.slots.set(page, emptied(slot));',
    replace: 'if (keep) core.slots.set(page, emptied === undefined ? slot : { ...slot });',
    first: [HUGE],
  },
  {
    name: 'what was supplied goes where the page was when it was asked for',
    file: 'testing/address-space/fault.ts',
    find: 'supplied.filter(({ page, slot }) => core.slots.get(page) === slot && isSupplied(slot));',
    replace: 'supplied;',
    first: ['test/address-space/address-space.test.ts'],
  },
  {
    name: 'a page whose content nobody has supplied yet moves to a device',
    file: 'testing/address-space/moving.ts',
    find: '(slot.frame === undefined || slot.frame === zero) && !isSupplied(slot);',
    replace: '(slot.frame === undefined || slot.frame === zero);',
    first: ['test/address-space/address-space.test.ts'],
  },
  {
    name: 'a child is supplied by the one who supplies its parent',
    file: 'testing/address-space/mapping.ts',
    find: '{ ...slot, supply: undefined }',
    replace: '{ ...slot }',
    first: ['test/address-space/address-space.test.ts'],
  },
];
