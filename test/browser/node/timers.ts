/** `node:timers/promises` in a browser. */
import { setImmediate as soon } from './globals.js';

export const setImmediate = (): Promise<void> => new Promise((resolve) => soon(resolve));
