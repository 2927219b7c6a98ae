/**
 * The simulated address space: what a driver is tested on. The way of one change through the files:
 *
 * - `address-space.ts` checks what it was given;
 * - `access.ts` (reading and storing), `mapping.ts` (which pages there are) and `moving.ts` (where their content is) say what
 *   changes;
 * - `fault.ts` makes pages usable first, where that is needed;
 * - `change.ts` announces the change, takes the locks of the pages (`lock.ts`), and asks again what it is about (`runs.ts`);
 * - `core.ts` is the page table, and lets the change happen in two halves;
 * - `frame.ts` is the memory that changes, `pages.ts` what a device sees of it, `shared-object.ts` what several spaces map.
 *
 * Nothing may be changed outside of a section that covers it, no lock may be held when one begins, and nothing that was found
 * before a wait may be used after it; see `change.ts`.
 */
export type { PageCopy } from './access.js';
export {
  type FaultOptions,
  type ForkOptions,
  type MapOptions,
  type RemapOptions,
  SimulatedAddressSpace,
  type SimulatedAddressSpaceOptions,
} from './address-space.js';
export type { Protection } from './core.js';
export { AllocationError, PageFault, type PageFaultReason } from './faults.js';
export type { PageFlags, PageOwner, SimulatedPage } from './pages.js';
export { createSharedObject, type SharedObject, type SharedObjectOptions } from './shared-object.js';
