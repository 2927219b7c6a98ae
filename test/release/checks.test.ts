import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  type Manifest,
  problemsOfAddresses,
  problemsOfChangelog,
  problemsOfManifest,
  problemsOfProvenance,
  problemsOfRelease,
  type Release,
} from './checks.js';

/** All that can be missing is there. The addresses are nobody's. */
const ADDRESSES = {
  repository: { type: 'git', url: 'git+https://code.somewhere.org/range/fence.git' },
  homepage: 'https://fence.somewhere.org/',
  bugs: { url: 'https://code.somewhere.org/range/fence/issues', email: 'security@somewhere.org' },
  author: 'A. Publisher',
};

const MANIFEST: Manifest = {
  ...ADDRESSES,
  version: '1.2.3',
  description: 'It does something',
  license: 'MIT',
  keywords: ['a', 'b'],
  engines: { node: '>=20' },
  exports: { '.': { import: { types: './dist/index.d.ts', default: './dist/index.js' } }, './package.json': './package.json' },
  publishConfig: { access: 'public', provenance: true },
  scripts: { prepublishOnly: 'npm run build && npm run release:check && npm test' },
};

const TARBALL = new Map(
  'package.json README.md LICENSE CHANGELOG.md CONTRIBUTING.md SECURITY.md dist/index.js dist/index.d.ts'
    .split(' ')
    .map((name) => [name, '']),
);

const WORKFLOW = 'permissions:\n  contents: read\n  id-token: write\njobs:\n  npm:\n    steps:\n      - run: npm publish\n';

const RELEASE: Release = {
  manifest: MANIFEST,
  changelog: '# Changelog\n\n## [1.2.3] - 2026-01-02\n\n### Added\n\n- Something.\n\n## [1.2.2] - 2025-01-02\n\n- Other.\n',
  workflows: new Map([['release.yml', WORKFLOW]]),
  tarball: TARBALL,
  dirty: [],
  today: '2026-01-02',
};

const problems = (change: Partial<Release>) => problemsOfRelease({ ...RELEASE, ...change });
const withManifest = (change: Manifest) => problems({ manifest: { ...MANIFEST, ...change } });

test('a release that lacks nothing has no problems', () => {
  expect(problems({})).toEqual([]);
  expect(withManifest({ author: { name: 'A. Publisher' } })).toEqual([]);
});

describe('what the publisher fills in', () => {
  test.each(['repository', 'homepage', 'bugs', 'author'])('is named where it is missing: %s', (field) => {
    const found = withManifest({ [field]: undefined });
    expect(found.length).toBeGreaterThan(0);
    for (const line of found) expect(line).toMatch(new RegExp(`^package\\.json: ${field}\\b.* is missing; expected `));
  });

  test.each([
    ['bugs.email', { bugs: { url: ADDRESSES.bugs.url } }],
    ['bugs.url', { bugs: { email: ADDRESSES.bugs.email } }],
    ['repository.type', { repository: { url: ADDRESSES.repository.url } }],
    ['repository.url', { repository: 'range/fence' }],
  ])('is named in part: %s', (field, change) => {
    expect(withManifest(change).some((line) => line.startsWith(`package.json: ${field} is missing`))).toBe(true);
  });

  test.each([
    ['homepage', { homepage: 'http://fence.somewhere.org' }],
    ['homepage', { homepage: 'https://example.org/fence' }],
    ['homepage', { homepage: 'https://fence.invalid/' }],
    ['repository.url', { repository: { type: 'git', url: 'https://code.somewhere.org/range/fence' } }],
    ['repository.url', { repository: { type: 'git', url: 'git+https://code.somewhere.org/OWNER/fence.git' } }],
    ['bugs.email', { bugs: { ...ADDRESSES.bugs, email: 'security' } }],
    ['bugs.email', { bugs: { ...ADDRESSES.bugs, email: 'security@example.com' } }],
    ['author', { author: 'TODO' }],
  ])('is refused where it leads nowhere: %s %o', (field, change) => {
    expect(withManifest(change)).toEqual([
      expect.stringMatching(new RegExp(`^package\\.json: ${field.replace('.', '\\.')} is "`)),
    ]);
  });
});

describe('the rest of package.json', () => {
  test.each(['version', 'description', 'license', 'keywords', 'engines'])('has %s', (field) => {
    expect(withManifest({ [field]: undefined }).some((line) => line.startsWith(`package.json: ${field}`))).toBe(true);
  });

  test('is not private, and names no keyword twice', () => {
    expect(withManifest({ private: true })).toEqual(['package.json: private is there; npm would refuse']);
    expect(withManifest({ keywords: ['a', 'a'] })).toEqual(['package.json: keywords has one twice']);
  });

  test('promises no file that is not built', () => {
    const tarball = new Map([...TARBALL].filter(([name]) => name !== 'dist/index.js'));
    expect(problems({ tarball })).toEqual(['tarball: dist/index.js is missing, which exports promises; npm run build makes it']);
  });
});

describe('provenance', () => {
  test('is asked for', () => {
    expect(withManifest({ publishConfig: { access: 'public' } })).toEqual(['package.json: publishConfig.provenance is not true']);
    expect(withManifest({ publishConfig: { provenance: true } })).toEqual(['package.json: publishConfig.access is not "public"']);
  });

  test('needs a workflow that publishes, may sign, and does not go around the checks', () => {
    const workflow = (text: string) => problems({ workflows: new Map([['release.yml', text]]) });
    expect(problems({ workflows: new Map() })).toEqual(['workflows: none runs npm publish']);
    expect(workflow(WORKFLOW.replace('id-token: write', ''))).toEqual([expect.stringContaining('lacks "id-token: write"')]);
    for (const flag of ['--ignore-scripts', '--provenance=false', '--no-provenance']) {
      expect(workflow(`# by hand: npm publish ${flag}\n${WORKFLOW}`)).toEqual([]);
      expect(workflow(WORKFLOW.replace('npm publish', `npm publish ${flag}`))).toEqual([
        'workflows: release.yml goes around the checks',
      ]);
    }
  });

  test.each(['npm run build', 'npm run release:check', 'npm test'])('npm publish cannot go without %s', (command) => {
    const prepublishOnly = String((MANIFEST.scripts as { prepublishOnly: string }).prepublishOnly).replace(command, 'true');
    expect(withManifest({ scripts: { prepublishOnly } })).toEqual([`package.json: prepublishOnly does not run ${command}`]);
  });
});

describe('the changelog', () => {
  test.each([
    ['has no section', '# Changelog\n'],
    ['still calls it unreleased', RELEASE.changelog.replace('[1.2.3] - 2026-01-02', '[Unreleased]')],
    ['has a word for its day', RELEASE.changelog.replace('2026-01-02', 'unreleased')],
    ['has no day', RELEASE.changelog.replace(' - 2026-01-02', '')],
    ['is of another version', RELEASE.changelog.replace('1.2.3', '1.2.4')],
    ['has what is unreleased above it', RELEASE.changelog.replace('## [1.2.3]', '## [Unreleased]\n\n- More.\n\n## [1.2.3]')],
  ])('is refused where it %s', (_, changelog) => {
    expect(problems({ changelog })).toEqual([
      expect.stringMatching(/^CHANGELOG\.md: begins with ".*"; expected "\[1\.2\.3\] - 2026-01-02"$/),
    ]);
  });

  test('is refused where a heading is unknown, or comes twice', () => {
    expect(problems({ changelog: RELEASE.changelog.replace('### Added', '### New') })).toEqual([
      'CHANGELOG.md: has "New"; expected one of Added, Changed, Deprecated, Removed, Fixed, Security',
    ]);
    expect(problems({ changelog: RELEASE.changelog.replace('- Something.', '- Something.\n\n### Added\n') })).toEqual([
      'CHANGELOG.md: has "Added" twice',
    ]);
  });

  test('is refused where it is of tomorrow, or says nothing', () => {
    expect(problems({ today: '2026-01-01' })).toEqual(['CHANGELOG.md: 1.2.3 is of 2026-01-02; today is 2026-01-01']);
    expect(problems({ changelog: RELEASE.changelog.replace('- Something.', '') })).toEqual([
      'CHANGELOG.md: says nothing about 1.2.3',
    ]);
  });
});

test('what is not committed, or does not belong into the tarball, is refused', () => {
  expect(problems({ dirty: [' M lib/index.ts'] })).toEqual([expect.stringMatching(/^git: {2}M lib\/index\.ts is not committed/)]);
  expect(problems({ tarball: new Map([...TARBALL, ['.npmrc', '']]) })).toEqual([
    'tarball: .npmrc does not belong into the tarball',
  ]);
  expect(problems({ tarball: new Map([...TARBALL, ['README.md', '[a](docs/a.md)']]) })).toEqual([
    'tarball: README.md links to docs/a.md, which is not in the tarball',
  ]);
});

describe('this package', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const manifest: Manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

  test('lacks nothing but what only its publisher knows', () => {
    const built = new Map(
      JSON.stringify(manifest.exports)
        .match(/dist\/[^"]+/g)!
        .map((path) => [path, '']),
    );
    expect(problemsOfManifest(manifest, new Map([...built, ['package.json', '']]))).toEqual([]);
    expect(problemsOfAddresses({ ...manifest, ...ADDRESSES })).toEqual([]);
    const version = String(manifest.version);
    const [unreleased, ...older] = readFileSync(`${root}CHANGELOG.md`, 'utf8').split(`## [${version}] - unreleased\n`);
    const released = older.length === 0 ? unreleased! : `${unreleased}## [${version}] - 2026-01-02\n${older.join('')}`;
    expect(problemsOfChangelog(released, version, '9999-01-01')).toEqual([]);
  });

  test('is published with provenance, by a workflow that goes through the checks', () => {
    const folder = `${root}.github/workflows/`;
    const workflows = readdirSync(folder).map((name) => [name, readFileSync(`${folder}${name}`, 'utf8')] as const);
    expect(problemsOfProvenance(manifest, new Map(workflows))).toEqual([]);
  });
});
