/**
 * Faults of traces and their pictures; see faults.ts.
 */
import type { Fault } from './faults.js';

const SCENE = 'test/trace/scene.test.ts';

/** Wrong behaviour of pictures, one at a time. */
export const TRACE_FAULTS: readonly Fault[] = [
  {
    name: 'trace: the last milliseconds are counted from the first event',
    file: 'trace/svg.ts',
    find: 'const since = times[length]! - lastMs;',
    replace: 'const since = lastMs;',
    first: [SCENE],
  },
  {
    name: 'trace: in proportion to time, the last milliseconds are the whole run',
    file: 'trace/svg.ts',
    find: 'Math.max(0, end - (lastMs ?? end))',
    replace: '0',
    first: [SCENE],
  },
  {
    name: 'trace: a subscriber that is told has no name',
    file: 'trace/shapes.ts',
    find: '(h >= 15 || number === 2)',
    replace: 'h >= 15',
    first: [SCENE],
  },
  {
    name: 'trace: keys are shown as slots only',
    file: 'trace/scene.ts',
    find: '(label ?? where);',
    replace: 'label;',
    first: [SCENE],
  },
  {
    name: 'trace: names stand on whatever is below them',
    file: 'trace/svg.ts',
    find: '`<rect class="paper" x="$',
    replace: '`<rect class="none" x="$',
    first: [SCENE],
  },
  {
    name: 'trace: a page opens as near to a collision as if its attempt reached over nothing',
    file: 'trace/scene.ts',
    find: "what === 'attempt' && to === at)",
    replace: "what === 'attempt' && to !== at)",
    first: [SCENE],
  },
];
