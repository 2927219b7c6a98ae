import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configurationOf, dryRun, withSourceNames } from './jsr.js';

const SOURCE = {
  name: 'fence',
  version: '1.2.3',
  license: 'MIT',
  exports: {
    '.': { import: { types: './dist/index.d.ts', default: './dist/index.js' } },
    './query/a': { import: { types: './dist/query-a.d.ts', default: './dist/query-a.js' } },
    './package.json': './package.json',
  },
  imports: { '#types': { import: { types: './lib/types.d.ts' } } },
  dependencies: { one: '^1.0.0' },
  peerDependencies: { '@scope/two': '^5.0.0 || ^6.0.0' },
  tsup: { entry: { index: 'lib/index.ts', 'query-a': 'lib/query/a/index.ts' } },
};

test('the configuration for JSR has an entry of sources for each entry of built files, and says where packages come from', () => {
  expect(configurationOf(SOURCE, 'us')).toMatchObject({
    name: '@us/fence',
    version: '1.2.3',
    license: 'MIT',
    exports: { '.': './lib/index.ts', './query/a': './lib/query/a/index.ts' },
    imports: { '#types': './lib/types.d.ts', one: 'npm:one@^1.0.0', '@scope/two': 'npm:@scope/two@^6.0.0' },
  });
});

test('imports name the files of the sources, and nothing else is changed', () => {
  const text = "import { a } from './a.js';\nexport type { B } from '../b/index.js';\nlet c: import('./c.js').C;\n";
  expect(withSourceNames(text)).toBe(text.replaceAll(".js'", ".ts'"));
  for (const same of ["import { a } from 'a/x.js';", "read('./a.js');"]) expect(withSourceNames(same)).toBe(same);
});

test('the dry run says why it could not be made, and what is wrong where it fails', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rangefence-jsr-'));
  try {
    const missing = await dryRun(folder, () => Promise.reject(new Error('E404: no such package')));
    expect(missing).toEqual({ notRun: 'Deno could not be had: E404: no such package' });
    // Node stands in for Deno: it takes the first argument for a program.
    const publish = (text: string) => writeFileSync(join(folder, 'publish'), text);
    publish('console.log(1)');
    expect(await dryRun(folder, async () => process.execPath)).toEqual({});
    publish("console.error('slow types'); process.exit(1)");
    expect((await dryRun(folder, async () => process.execPath)).problem).toMatch(/^JSR's dry run fails\nslow types/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
