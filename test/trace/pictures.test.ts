import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { pictures } from '../../bench/pictures/pictures.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MOST_BYTES = 20_000;

let drawn: ReadonlyMap<string, string>;

beforeAll(async () => {
  drawn = await pictures();
});

describe('the pictures of the documents', () => {
  it('are what `npm run pictures` draws', () => {
    for (const [path, text] of drawn) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(text);
  });

  it('are the same each time', async () => {
    expect(await pictures()).toEqual(drawn);
  });

  it('are all there are beside the documents about tracing, and each is shown', () => {
    const files = readdirSync(join(ROOT, 'docs/tracing')).map((name) => `docs/tracing/${name}`);
    expect([...drawn.keys()].filter((path) => path.startsWith('docs/tracing/')).sort()).toEqual(files.sort());
    const page = readFileSync(join(ROOT, 'docs/tracing.md'), 'utf8');
    for (const path of drawn.keys()) expect(page).toContain(`](${path.slice('docs/'.length)})`);
  });

  it('are small, and follow the light or dark setting of whoever looks', () => {
    for (const text of drawn.values()) {
      expect(Buffer.byteLength(text)).toBeLessThan(MOST_BYTES);
      expect(text).toContain('@media (prefers-color-scheme: dark)');
    }
  });

  it('show, in the one for the README, two collisions, a hold, a begin that queues, and a lookup that is left alone', () => {
    const shapes = drawn.get('docs/picture.svg')!.split('<g transform=')[0]!;
    const count = (name: string) => shapes.split(`class="${name}"`).length - 1;
    expect([count('collision'), count('hold'), count('shape queue'), count('shape lost'), count('shape committed')]).toEqual([
      ...[2, 1, 1, 2, 2],
    ]);
    expect(shapes).toContain('disjoint: not disturbed" #2: committed after 1 attempt'.replaceAll('"', '&#34;'));
  });
});
