import { describe, expect, test } from 'vitest';
import { problemsOfTarball } from './tarball.js';

const README = '# x\n\n[a](docs/a.md#b), [programs](examples), [there](https://example.org/none)\n\n```\n[no](link.md)\n```\n';
const TARBALL = {
  'package.json': '{}',
  'README.md': README,
  LICENSE: '',
  'CHANGELOG.md': '',
  'CONTRIBUTING.md': '',
  'SECURITY.md': '',
  'dist/index.js': '',
  'dist/chunk-3NSHJCMZ.d.cts': '',
  'lib/keyed/keyv.d.ts': '',
  'docs/a.md': '[back](../README.md) ![picture](more/b.svg)',
  'docs/more/b.svg': '',
  'examples/c.mjs': '',
};

const problemsWith = (changes: Record<string, string | undefined>) => {
  const files = Object.entries({ ...TARBALL, ...changes }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return problemsOfTarball(new Map(files));
};

describe('a tarball', () => {
  test('may have what is built, documents with their pictures, and examples', () => {
    expect(problemsWith({})).toEqual([]);
  });

  test.each(['package.json', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'])('must have %s', (name) => {
    expect(problemsWith({ [name]: undefined })).toEqual([`${name} is missing from the tarball`]);
  });

  test.each(['lib/index.ts', 'dist/index.js.map', 'docs/api/x.html', 'test/x.test.ts', '.env', 'dist/deep/x.js'])(
    'may not have %s',
    (name) => {
      expect(problemsWith({ [name]: '' })).toContain(`${name} does not belong into the tarball`);
    },
  );

  test('leads nowhere that it does not have', () => {
    expect(problemsWith({ 'docs/more/b.svg': undefined })).toEqual([
      'docs/a.md links to more/b.svg, which is not in the tarball',
    ]);
    expect(problemsWith({ 'examples/c.mjs': undefined })).toEqual(['README.md links to examples, which is not in the tarball']);
  });

  test('has no document that the README does not lead to', () => {
    expect(problemsWith({ 'docs/lost.md': '[a](a.md)' })).toEqual(['docs/lost.md is not reached from the README']);
  });
});
