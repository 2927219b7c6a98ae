/**
 * The trace recorder, under the name by which tests have always known it. It lives beside what draws and exports traces.
 */
export * from '../trace/recorder.js';
