/**
 * What helps to test a driver, or another implementation of the tracker.
 *
 * @packageDocumentation
 */

export type { PageCopy } from './address-space/access.js';
export {
  type FaultOptions,
  type ForkOptions,
  type MapOptions,
  SimulatedAddressSpace,
  type SimulatedAddressSpaceOptions,
} from './address-space/address-space.js';
export type { PageOwner } from './address-space/fault.js';
export { AllocationError, PageFault, type PageFaultReason } from './address-space/faults.js';
export type { PageFlags, Protection, SimulatedPage } from './address-space/pages.js';
export { createSharedObject, type SharedObject, type SharedObjectOptions } from './address-space/shared-object.js';
export * from './contract/index.js';
export * from './explorer/explorer.js';
