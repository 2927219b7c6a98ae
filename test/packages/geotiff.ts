/**
 * geotiff, also inside of a worker thread. A package below it, web-worker, takes every thread for one that it has started itself
 * and fails to load in others, unless there is a global `Worker` already. Only geotiff's pool of decoders would use it.
 */
const scope = globalThis as { Worker?: unknown };
const isAbsent = scope.Worker === undefined;
if (isAbsent) scope.Worker = class {};

/** The package. */
export const geotiff: typeof import('geotiff') = await import('geotiff');

if (isAbsent) delete scope.Worker;
