/**
 * The mirror's second door: what the drivers that stand on it need, and the public must not see.
 */
export { Home } from './home.js';
export { DEFAULT_MAX_RUN_PAGES } from './options.js';
