import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { tidy, withoutBareImports } from './chunks.js';

const folders: string[] = [];

/** A folder of files. */
function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'rangefence-chunks-'));
  folders.push(folder);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('what the bundler leaves behind', () => {
  it('is taken out: imports for effects, and the empty chunks behind them', () => {
    const folder = folderOf({
      'index.js': "import './chunk-A.js';\nexport { a } from './chunk-B.js';\nimport './chunk-B.js';\n",
      'index.cjs': "'use strict';\nrequire('./chunk-A.cjs');\nconst b = require('./chunk-B.cjs');\nexports.a = b.a;\n",
      'chunk-A.js': '\n',
      'chunk-A.cjs': "'use strict';\n\n",
      'chunk-B.js': 'const a = 1;\nexport { a };\n',
      'chunk-B.cjs': "'use strict';\nexports.a = 1;\n",
    });
    expect(tidy(folder).sort()).toEqual(['chunk-A.cjs', 'chunk-A.js']);
    expect(readdirSync(folder).sort()).toEqual(['chunk-B.cjs', 'chunk-B.js', 'index.cjs', 'index.js']);
    expect(readFileSync(join(folder, 'index.js'), 'utf8')).toBe("export { a } from './chunk-B.js';\n");
    expect(readFileSync(join(folder, 'index.cjs'), 'utf8')).toBe(
      "'use strict';\nconst b = require('./chunk-B.cjs');\nexports.a = b.a;\n",
    );
  });

  it('is refused if somebody takes something from an empty chunk', () => {
    const folder = folderOf({ 'index.js': "export { a } from './chunk-A.js';\n", 'chunk-A.js': '' });
    expect(() => tidy(folder)).toThrow('index.js takes something from chunk-A.js, which is empty');
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('does not include imports of other packages', () => {
    const text = "import 'keyv';\nimport './other.js';\n";
    expect(withoutBareImports(text)).toBe(text);
  });
});
