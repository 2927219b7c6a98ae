import { describe, expect, test } from 'vitest';
import { extractFences, runFence } from './fences.js';

const modules: Record<string, unknown> = {
  'some-lib': {
    default: 7,
    one: 1,
    later: (value: unknown) => Promise.resolve(value),
    fail: () => Promise.reject(new RangeError('no')),
  },
};

async function run(code: string): Promise<number> {
  const [fence] = extractFences('x.md', `# x\n\n\`\`\`ts run\n${code}\n\`\`\`\n`);
  return runFence(fence!, async (name) => modules[name] ?? Promise.reject(new Error(`no module ${name}`)));
}

describe('extracting', () => {
  test('takes the fences tagged ts run, with the line of their code, and leaves the others', () => {
    const text = '```ts\na\n```\n\n```ts run\nb\nc\n```\n\n- x\n\n  ```ts run\n  d\n  ```\n\n```sh\n```\n';
    expect(extractFences('x.md', text)).toEqual([
      { path: 'x.md', line: 6, code: 'b\nc' },
      { path: 'x.md', line: 13, code: 'd' },
    ]);
  });

  test('refuses a fence that is never closed', () => {
    expect(() => extractFences('x.md', '```ts run\na\n')).toThrow('x.md: a fence is not closed');
    expect(() => extractFences('x.md', '```ts\na\n')).toThrow('x.md: a fence is not closed');
  });
});

describe('running', () => {
  test.each([
    ['an expression', '1 + 2 // => 3', 1],
    ['an awaited expression', "import { later } from 'some-lib'\nawait later('a') // => 'a'", 1],
    ['a variable, usable afterwards', 'const x = { a: [1, 2] } // => { a: [1, 2] }\nx.a.length // => 2', 2],
    ['what is logged', 'console.log(1 + 1) // => 2', 1],
    ['a statement over several lines', '[\n  1,\n].map((x) => x + 1) // => [2]', 1],
    ['types', 'interface P { readonly a: number }\nconst p: P = { a: 1 } as P // => { a: 1 }', 1],
    [
      'imports of every form',
      "import d, { one as uno, type T } from 'some-lib'\nimport * as all from 'some-lib'\nimport type { U } from 'some-lib'\nd // => 7\nuno // => 1\nall.one // => 1",
      3,
    ],
    ['a statement inside a callback', '[5].forEach((x) => {\n  x // => 5\n})', 1],
    ['a callback on one line', '[5].map((x) => { return x }) // => [5]', 1],
    ['the last of two statements', 'let a = 1; a + 1 // => 2', 1],
    ['marked statements within a marked statement', '[5].map((x) => {\n  x + 1 // => 6\n  return x\n}) // => [5]', 2],
    ['an error that is thrown', 'null!.x // throws TypeError', 1],
    ['an error that is awaited', "import { fail } from 'some-lib'\nawait fail() // throws RangeError", 1],
    ['undefined and -Infinity', "void 0 // => undefined\nNumber('-Infinity') // => -Infinity", 2],
    [
      'using',
      'let open = true\n{\n  using handle = { [Symbol.dispose]() { open = false } }\n  open // => true\n}\nopen // => false',
      2,
    ],
    ['nothing to compare', 'const a = 1', 0],
  ])('accepts %s', async (_, code, count) => {
    expect(await run(code)).toBe(count);
  });

  test.each([
    ['a wrong value', 'const a = 1\n1 + 2 // => 4', 'x.md:5: is 3; expected 4'],
    ['a wrong variable', 'const a = { b: 1 } // => { b: 2 }', 'x.md:4: is { b: 1 }; expected { b: 2 }'],
    ['a wrong logged value', 'console.log(1) // => 2', 'x.md:4: is 1; expected 2'],
    ['a wrong value inside a callback', '[5].forEach((x) => {\n  x // => 6\n})', 'x.md:5: is 5; expected 6'],
    ['a wrong value whose error is caught', 'try {\n  1 // => 2\n} catch {}', 'x.md:5: is 1; expected 2'],
    ['a promise that was not awaited', "import { later } from 'some-lib'\nlater(1) // => 1", 'x.md:5: is Promise'],
    ['0 for -0', '-0 // => 0', 'x.md:4: is -0; expected 0'],
    ['a missing error', '1 // throws TypeError', 'x.md:4: throws nothing; expected TypeError'],
    ['another error', 'null!.x // throws RangeError', 'x.md:4: throws TypeError; expected RangeError'],
    ['an error nobody expected', "import { fail } from 'some-lib'\nawait fail()", 'no'],
    ['an assertion that is never reached', '[].forEach(() => {\n  1 // => 1\n})', 'x.md:5: is never reached'],
    ['a comment that follows no statement', '// => 1', 'x.md:4: the comment follows no statement with a value'],
    ['a comment inside an expression', 'const a = [\n  1, // => 1\n]', 'x.md:5: the comment follows no statement'],
    ['a value that is prose', '1 // => the number one', 'x.md:4: the number one is not a JavaScript value'],
    [
      'a variable that is expected to throw',
      'const a = null!.x // throws TypeError',
      'only an expression can be expected to throw',
    ],
    ['a value of a declaration without one', 'const { a } = { a: 1 } // => 1', 'only one variable with a name can be compared'],
    ['an unknown module', "import { x } from 'other-lib'", 'no module other-lib'],
    ['code that does not parse', 'const = 1', 'Unexpected token'],
  ])('refuses %s', async (_, code, message) => {
    await expect(run(code)).rejects.toThrow(message);
  });
});
