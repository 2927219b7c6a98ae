/**
 * `npm run house`: which room of `lib/` may lean on which. A room is a file; a wing is a folder of `lib/`, with `index.ts` as its door.
 *
 * 1. No circle of imports, those of types counted.
 * 2. Arrows run down: with every wing as one room the house has at most 7 floors, and the tracker at most 10 inside.
 * 3. One door a wing: from outside `wing/index.js`, for other wings also `wing/internal.js`. `base` is the ground floor, and open;
 *    what stands on the whole package may come in by its main entry.
 * 4. A wing begins with a note, on top of its `index.ts`, of at most 20 lines, and files that it names are in the wing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const FLOORS = 7;
const TRACKER_FLOORS = 10;
const NOTE_LINES = 20;

/** Which room imports which. */
export type Arrows = ReadonlyMap<string, ReadonlySet<string>>;

/** What is wrong with a house, given its files by path below `lib/`. Empty if nothing is. */
export function problemsOfHouse(files: ReadonlyMap<string, string>): string[] {
  const arrows = arrowsOf(files);
  const problems = circlesOf(arrows).map((circle) => `circle: ${circle.join(' -> ')}`);
  for (const [from, targets] of arrows)
    for (const to of targets) if (!isDoor(from, to)) problems.push(`${from} reaches past the door of ${to}`);
  for (const [path, text] of files) if (/^[^/]+\/index\.ts$/.test(path)) problems.push(...note(path, text, files));
  if (problems.length > 0) return problems; // floors of a house with circles mean nothing
  const whole = floors(merged(arrows));
  if (whole > FLOORS) problems.push(`the house has ${whole} floors; expected at most ${FLOORS}`);
  const tracker = floors(within(arrows, 'tracker/'));
  if (tracker > TRACKER_FLOORS) problems.push(`the tracker has ${tracker} floors inside; expected at most ${TRACKER_FLOORS}`);
  return problems;
}

/** All imports between the files, read as text: exports from a file and imports of types count. */
export function arrowsOf(files: ReadonlyMap<string, string>): Arrows {
  return new Map(
    [...files].map(([path, text]) => {
      const named = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
      const targets = named.filter((name) => name.startsWith('.')).map((name) => normalize(join(dirname(path), name)));
      return [path, new Set(targets.map((name) => name.replace(/\.js$/, '.ts')).filter((name) => files.has(name)))];
    }),
  );
}

/** Every circle once, as the way round. */
export function circlesOf(arrows: Arrows): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (room: string) => {
    const at = way.indexOf(room);
    if (at >= 0) circles.push([...way.slice(at), room]);
    if (at >= 0 || done.has(room)) return;
    way.push(room);
    for (const next of arrows.get(room) ?? []) visit(next);
    way.pop();
    done.add(room);
  };
  for (const room of arrows.keys()) visit(room);
  return circles;
}

/** The longest way down, counted in rooms. There must be no circle. */
export function floors(arrows: Arrows): number {
  const known = new Map<string, number>();
  const floor = (room: string): number => {
    const found = known.get(room) ?? 1 + Math.max(0, ...[...(arrows.get(room) ?? [])].map(floor));
    known.set(room, found);
    return found;
  };
  return Math.max(0, ...[...arrows.keys()].map(floor));
}

function wingOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path;
}

function isDoor(from: string, to: string): boolean {
  const wing = wingOf(to);
  if (wing === wingOf(from) || wing === 'base' || to === 'index.ts') return true;
  return to === `${wing}/index.ts` || (to === `${wing}/internal.ts` && from.includes('/'));
}

function note(path: string, text: string, files: ReadonlyMap<string, string>): string[] {
  const found = /^\/\*\*\n(?: \*.*\n)+/.exec(text)?.[0].trimEnd();
  if (found === undefined) return [`${path} does not begin with a note`];
  const lines = found.split('\n').length;
  const wing = [...files.keys()].filter((file) => file.startsWith(`${dirname(path)}/`));
  const lost = (found.match(/(?<!\/)\b[\w-]+\.ts\b/g) ?? []).filter((name) => !wing.some((file) => file.endsWith(`/${name}`)));
  return [
    ...(lines > NOTE_LINES ? [`the note of ${path} has ${lines} lines; expected at most ${NOTE_LINES}`] : []),
    ...lost.map((name) => `the note of ${path} names ${name}, which is not in its wing`),
  ];
}

/** Every wing as one room. */
function merged(arrows: Arrows): Arrows {
  const wings = new Map<string, Set<string>>();
  for (const [from, targets] of arrows) {
    const wing = wings.get(wingOf(from)) ?? new Set();
    for (const to of targets) if (wingOf(to) !== wingOf(from)) wing.add(wingOf(to));
    wings.set(wingOf(from), wing);
  }
  return wings;
}

function within(arrows: Arrows, folder: string): Arrows {
  const inside = [...arrows].filter(([path]) => path.startsWith(folder));
  return new Map(inside.map(([path, targets]) => [path, new Set([...targets].filter((to) => to.startsWith(folder)))]));
}

/** The files of `lib/`, by their paths below it. */
export function readHouse(lib: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
    if (entry.endsWith('.ts') && existsSync(join(lib, entry))) files.set(entry, readFileSync(join(lib, entry), 'utf8'));
  }
  return files;
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const files = readHouse(fileURLToPath(new URL('../../lib', import.meta.url)));
  const problems = problemsOfHouse(files);
  for (const problem of problems) console.log(problem);
  const arrows = arrowsOf(files);
  const circles = circlesOf(arrows).length;
  const height =
    circles > 0 ? '' : `, ${floors(merged(arrows))} floors, the tracker ${floors(within(arrows, 'tracker/'))} inside`;
  console.log(`house: ${files.size} files, ${circles} circles${height}, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
