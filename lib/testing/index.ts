/**
 * What helps to test a driver, or another implementation of the tracker.
 *
 * @packageDocumentation
 */
export {
  type FaultOptions,
  type ForkOptions,
  type MapOptions,
  SimulatedAddressSpace,
  type SimulatedAddressSpaceOptions,
} from './address-space.js';
export type { PageCopy } from './address-space-access.js';
export type { PageOwner } from './address-space-fault.js';
export * from './contract/index.js';
export * from './explorer.js';
export { AllocationError, PageFault, type PageFaultReason } from './faults.js';
export type { PageFlags, Protection, SimulatedPage } from './pages.js';
export { createSharedObject, type SharedObject, type SharedObjectOptions } from './shared-object.js';
export * from './trace-recorder.js';
