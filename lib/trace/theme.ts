/**
 * Theme: colours for a light and a dark page, and what each shape means. No meaning hangs on a colour alone: sections are
 * filled, lookups are outlined, what was lost is dashed, what waits is hatched.
 */
import type { Style } from './scene.js';

/** What is coloured. */
export type Colour = Exclude<Style, 'queue' | 'telling' | 'gaveUp'> | 'paper' | 'ink' | 'muted' | 'grid' | 'collision' | 'panel';

/** Light and dark; each pair was checked to be at least 3 to 1 on its paper where it bears meaning. */
const COLOURS: Record<Colour, readonly [light: string, dark: string]> = {
  paper: ['#ffffff', '#14171c'],
  panel: ['#f6f8fa', '#1c2128'],
  ink: ['#1f2328', '#e6edf3'],
  muted: ['#59636e', '#9aa4b0'],
  grid: ['#e4e8ec', '#2a313a'],
  section: ['#c2660a', '#f0a04b'],
  refused: ['#6e7781', '#9aa4b0'],
  committed: ['#1a7f4b', '#4cc38a'],
  lost: ['#b3261e', '#ff7b72'],
  failed: ['#7b3fb5', '#c297ff'],
  open: ['#59636e', '#b1bac4'],
  wait: ['#59636e', '#9aa4b0'],
  hold: ['#0b62c4', '#6cb6ff'],
  notice: ['#0a7d8c', '#4fd1d9'],
  collision: ['#d1101b', '#ff5c5c'],
};

/** Declarations of all colours as custom properties of `selector`, which follow what the reader prefers. */
export function themeOf(selector: string): string {
  const block = (which: 0 | 1) =>
    `${selector} { ${Object.entries(COLOURS)
      .map(([name, pair]) => `--${name}: ${pair[which]};`)
      .join(' ')} }`;
  return `${block(0)}\n@media (prefers-color-scheme: dark) { ${block(1)} }`;
}

/** Names of all colours. */
export const COLOUR_NAMES: readonly string[] = Object.keys(COLOURS);

/** The legend, in its order. */
export const LEGEND: readonly (readonly [style: Style | 'collision', text: string])[] = [
  ['section', 'section (a change)'],
  ['telling', 'its subscribers have not let go yet'],
  ['queue', 'begin that queues'],
  ['refused', 'begin that was refused'],
  ['committed', 'attempt, committed'],
  ['lost', 'attempt, lost'],
  ['failed', 'attempt, failed'],
  ['open', 'attempt, not over'],
  ['wait', 'waits'],
  ['gaveUp', 'waits or queues, and gives up'],
  ['hold', 'holds its range'],
  ['notice', 'subscriber is told'],
  ['collision', 'collision, and since when its offender was there'],
];
