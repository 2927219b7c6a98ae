import { describe, expect, test } from 'vitest';
import { checkStyle, type Tree } from './style.js';

const README = '# x\n\n```ts run\n1 // => 1\n```\n';

function treeOf(files: Record<string, string>, top: string[] = []): Tree {
  const all = new Map(Object.entries({ 'README.md': README, ...files }));
  return { top, files: all, exists: (path) => all.has(path) };
}

function problemsOf(files: Record<string, string>, top?: string[]): string[] {
  return checkStyle(treeOf(files, top)).map(({ path, line, text }) => `${path}:${line}: ${text}`);
}

const lib = (text: string, path = 'lib/tracker.ts') => problemsOf({ [path]: text });

describe('the house rules', () => {
  test('accept an ordinary tree', () => {
    const files = {
      'lib/index.ts': "export { A, type B } from './a.js';\nexport type { C } from './a.js';\n",
      'lib/a.ts': 'export class A {\n  seq = 1;\n  next(): number {\n    return this.seq + 1;\n  }\n}\n',
      'docs/a.md': 'See [b](../README.md#x), [here](#y) and [there](https://example.org/none).\n\n## Y\n',
    };
    expect(problemsOf(files, ['lib', 'README.md', '.ci', '.git'])).toEqual([]);
  });

  test('refuse a stranger at the top level', () => {
    expect(problemsOf({}, ['lib', 'vitest.config.ts'])).toEqual(['vitest.config.ts:1: has no place at the top level']);
  });

  test('refuse a module of more than 400 lines and accept one of 400', () => {
    expect(lib('\n'.repeat(400))).toEqual([]);
    expect(lib('\n'.repeat(401))).toEqual(['lib/tracker.ts:401: 401 lines; expected at most 400']);
  });

  test.each([
    'Date.now()',
    'Math.random()',
    'performance.now()',
    'const now = performance.now',
    'setTimeout(() => {}, 1)',
    'globalThis.setTimeout(() => {}, 1)',
    'queue(setTimeout)',
    'setInterval(() => {}, 1)',
    'new Date()',
  ])('refuse %s outside of the clock', (code) => {
    expect(lib(`\n${code};\n`)).toEqual([expect.stringMatching(/^lib\/tracker\.ts:2: uses /)]);
    expect(lib(`\n${code};\n`, 'lib/base/clock.ts')).toEqual([]);
  });

  test.each([
    '// Date.now() would be wrong',
    'const text = "setTimeout(x)"',
    'clock.setTimeout(() => {}, 1)',
    'const c = { setTimeout(): void {} }',
    'new Date(0)',
    'other.now()',
  ])('accept %s', (code) => {
    expect(lib(`${code};\n`)).toEqual([]);
  });

  test.each(['seq | 0', 'this.endSeq >> 1', 'x & token.seq', '~beginSeq', 'seqOf(x) >>> 0', 'x ^= this.#seq', 'Seq << 1'])(
    'refuse the 32-bit expression %s',
    (code) => {
      expect(lib(`\n\n${code};\n`)).toEqual([expect.stringMatching(/^lib\/tracker\.ts:3: truncates .* to 32 bits/)]);
    },
  );

  test.each(['seq + 1', 'slot & mask', 'seq || other', 'seq && other', 'seq ?? other', 'type A = Seq | undefined', 'seq % size'])(
    'accept the expression %s',
    (code) => {
      expect(lib(`${code};\n`)).toEqual([]);
    },
  );

  test('refuse a README without code by line 19', () => {
    expect(problemsOf({ 'README.md': `${'\n'.repeat(17)}\`\`\`ts run\n1;\n\`\`\`\n` })).toEqual([]);
    const late = problemsOf({ 'README.md': `${'\n'.repeat(18)}\`\`\`ts run\n1;\n\`\`\`\n` });
    expect(late).toEqual(['README.md:20: code begins here; expected it by line 19']);
    expect(problemsOf({ 'README.md': '# x\n' })).toEqual(['README.md:1: has no TypeScript fence']);
  });

  test('refuse a README of more than 250 lines, and none at all', () => {
    expect(problemsOf({ 'README.md': README + '\n'.repeat(246) })).toEqual(['README.md:251: 251 lines; expected at most 250']);
    expect(checkStyle({ top: [], files: new Map(), exists: () => true })).toEqual([
      { path: 'README.md', line: 1, text: 'is missing' },
    ]);
  });

  test('refuse more than 12 runtime exports of the core, however they are written', () => {
    const list = (count: number) => Array.from({ length: count }, (_, i) => `a${i}`);
    const index = (text: string) => problemsOf({ 'lib/index.ts': text });
    expect(
      index(`export { ${list(12).join(', ')}, type T } from './a.js';\nexport interface I {}\nexport type J = I;\n`),
    ).toEqual([]);
    const thirteen = [expect.stringMatching(/^lib\/index\.ts:1: 13 runtime exports; expected at most 12/)];
    expect(index(`export { ${list(13).join(', ')} } from './a.js';\n`)).toEqual(thirteen);
    expect(index(`export { ${list(12).join(', ')} } from './a.js';\nexport const x = 1;\n`)).toEqual(thirteen);
    expect(index(`export { ${list(12).join(', ')} } from './a.js';\nexport class X {}\n`)).toEqual(thirteen);
    expect(index(`export { ${list(12).join(', ')} } from './a.js';\nexport * as x from './b.js';\n`)).toEqual(thirteen);
    expect(index("export * from './a.js';\n")).toEqual(['lib/index.ts:1: uses `export *`; expected an explicit list']);
  });

  test('refuse links to missing files and headings, also of other folders', () => {
    expect(problemsOf({ 'docs/a.md': '\n[x](b.md) [y](../README.md#none) [z](#none)\n\n```\n[not](a-link.md)\n```\n' })).toEqual([
      'docs/a.md:2: links to b.md, which does not exist',
      'docs/a.md:2: links to ../README.md#none, which has no such heading',
      'docs/a.md:2: links to #none, which has no such heading',
    ]);
  });

  test('refuse a script that package.json does not have, but in the changelog', () => {
    const files = { 'docs/a.md': '\n`npm run a:b`, `npm run b`.\n', 'CHANGELOG.md': '`npm run b`\n' };
    expect(problemsOf({ ...files, 'package.json': '{ "scripts": { "a:b": "", "b": "" } }' })).toEqual([]);
    expect(problemsOf({ ...files, 'package.json': '{ "scripts": { "a:b": "" } }' })).toEqual([
      'docs/a.md:2: names the script b, which does not exist',
    ]);
  });

  test.each(['package-lock.json', 'docs/package-lock.json'])('refuse a lock file that records addresses: %s', (path) => {
    expect(problemsOf({ [path]: '{\n"version": "1.0.0"\n}\n' })).toEqual([]);
    const problems = problemsOf({ [path]: '{\n"resolved": "https://mirror.example/a.tgz"\n}\n' });
    expect(problems).toEqual([expect.stringContaining(`${path}:2: records addresses`)]);
  });
});
