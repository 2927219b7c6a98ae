import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { problemsOfHouse, readHouse } from './house.js';

const NOTE = '/**\n * What it is for.\n */\n';
const house = (files: Record<string, string>) => problemsOfHouse(new Map(Object.entries(files)));

describe('the rules of the house', () => {
  it('hold in lib/', () => {
    expect(problemsOfHouse(readHouse(fileURLToPath(new URL('../../lib', import.meta.url))))).toEqual([]);
  });

  it('find a circle, also one of types', () => {
    const files = {
      'a/x.ts': "import type { Y } from './y.js';\n",
      'a/y.ts': "export { z } from './z.js';\n",
      'a/z.ts': "import './x.js';\n",
    };
    expect(house(files)).toEqual(['circle: a/x.ts -> a/y.ts -> a/z.ts -> a/x.ts']);
  });

  it('find who reaches past a door, and leave the ground floor and the second door open', () => {
    const files = {
      'index.ts': "export { t } from './tracker/internal.js';\n",
      'a/x.ts':
        "import { t } from '../tracker/t.js';\nimport { c } from '../base/c.js';\nimport { u } from '../tracker/internal.js';\n",
      'tracker/t.ts': '',
      'tracker/internal.ts': '',
      'base/c.ts': '',
    };
    expect(house(files)).toEqual([
      'index.ts reaches past the door of tracker/internal.ts',
      'a/x.ts reaches past the door of tracker/t.ts',
    ]);
  });

  it('count floors: of wings as rooms, and of files in the tracker', () => {
    const tower = (wing: (i: number) => string, n: number) =>
      Object.fromEntries(
        Array.from({ length: n }, (_, i) => [wing(i), i === 0 ? '' : `import '${i > 0 ? below(wing(i - 1)) : ''}';\n`]),
      );
    const below = (path: string) => (path.startsWith('tracker/') ? `./${path.slice(8, -3)}.js` : `../${path.slice(0, -3)}.js`);
    expect(house(tower((i) => `base/${i}.ts`, 3)).length).toBe(0);
    const wings = Object.fromEntries(
      Object.entries(tower((i) => `w${i}/index.ts`, 8)).map(([path, text]) => [path, NOTE + text]),
    );
    expect(house(wings)).toEqual(['the house has 8 floors; expected at most 7']);
    expect(house(tower((i) => `tracker/f${i}.ts`, 11))).toEqual(['the tracker has 11 floors inside; expected at most 10']);
  });

  it('ask for a note on top of a wing, of a screen at most', () => {
    expect(house({ 'a/index.ts': 'export {};\n' })).toEqual(['a/index.ts does not begin with a note']);
    const long = `/**\n${' * and so on\n'.repeat(19)} */\n`;
    const lost = '/** \n * b.ts, deeper.ts, then c.ts; see other/d.ts\n */\n';
    expect(house({ 'a/index.ts': lost.replace('** ', '**'), 'a/b.ts': '', 'a/in/deeper.ts': '' })).toEqual([
      'the note of a/index.ts names c.ts, which is not in its wing',
    ]);
    expect(house({ 'a/index.ts': long })).toEqual(['the note of a/index.ts has 21 lines; expected at most 20']);
  });
});
