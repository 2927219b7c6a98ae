import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { typeErrors } from './fence-types.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = new Map([['rangefence', join(root, 'lib/base/vocabulary.ts')]]);

test('type errors of examples are found, with their lines, and correct examples have none', { timeout: 30_000 }, () => {
  const good = "import type { Range } from 'rangefence'\nconst range: Range = { start: 0, end: 8 }\nconsole.log(await range)";
  const bad = "import type { Range } from 'rangefence'\nconst range: Range = { start: 0, stop: 8 }";
  const fences = [good, bad].map((code, index) => ({ path: 'x.md', line: 10 * (index + 1), code }));
  expect(typeErrors(root, fences, modules)).toEqual([
    expect.stringMatching(/^x\.md:21: .*'stop' does not exist in type 'Range'/),
  ]);
});
