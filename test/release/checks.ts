/**
 * What must be there before the package goes out. Addresses and names are the publisher's: nothing here invents them, and nothing
 * that is missing is published. Each check looks at what it is given, so that its tests can take away one thing after the other.
 */
import { problemsOfTarball } from '../package/tarball.js';

/** What of package.json is looked at. */
export interface Manifest {
  readonly [field: string]: unknown;
}

/** All that the checks look at. */
export interface Release {
  readonly manifest: Manifest;
  readonly changelog: string;
  /** Text of each workflow, by name. */
  readonly workflows: ReadonlyMap<string, string>;
  /** Text of each file that would be packed, by path. */
  readonly tarball: ReadonlyMap<string, string>;
  /** What git reports as changed or unknown. */
  readonly dirty: readonly string[];
  /** As `YYYY-MM-DD`. */
  readonly today: string;
}

/** Names that stand for somebody else's: an address there was copied, not filled in. */
const RESERVED =
  /(^|[@/.])(example\.(com|net|org)|localhost|[\w-]+\.(example|invalid|test))(?=[/:]|$)|\b(OWNER|TODO|YOUR[-_]?\w+)\b/i;
/** Those of Keep a Changelog, each once. */
const HEADINGS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
const SEMVER = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** One line for each thing that is missing or wrong: where, and what is expected. */
export function problemsOfRelease(release: Release): string[] {
  const { manifest, changelog, workflows, tarball, dirty, today } = release;
  return [
    ...problemsOfAddresses(manifest),
    ...problemsOfManifest(manifest, tarball),
    ...problemsOfProvenance(manifest, workflows),
    ...problemsOfChangelog(changelog, String(manifest.version), today),
    ...problemsOfTarball(tarball).map((text) => `tarball: ${text}`),
    ...dirty.map((path) => `git: ${path} is not committed; expected what is published to be what is tagged`),
  ];
}

/** What only the publisher knows. */
export function problemsOfAddresses(manifest: Manifest): string[] {
  const { url, type } = objectOf(manifest.repository);
  const bugs = objectOf(manifest.bugs);
  const author = typeof manifest.author === 'string' ? manifest.author : objectOf(manifest.author).name;
  return [
    ...missing('repository.type', type, /^git$/, '"git"'),
    ...missing(
      'repository.url',
      url,
      /^git\+https:\/\/[^/]+\/.+\.git$/,
      'git+https://HOST/…/NAME.git, where the sources can be had',
    ),
    ...missing('homepage', manifest.homepage, /^https:\/\/[^/]+/, 'https://…, where the documents can be read'),
    ...missing('bugs.url', bugs.url, /^https:\/\/[^/]+/, 'https://…, where faults are reported'),
    ...missing(
      'bugs.email',
      bugs.email,
      /^[^@\s]+@[^@\s]+\.[^@\s]+$/,
      'an address for vulnerabilities (SECURITY.md sends people there)',
    ),
    ...missing('author', author, /\S/, 'who publishes it'),
  ];
}

/** What is always right in the repository. */
export function problemsOfManifest(manifest: Manifest, tarball: ReadonlyMap<string, string>): string[] {
  const problems = [
    ...missing('version', manifest.version, SEMVER, 'a version'),
    ...missing('description', manifest.description, /\S/, 'one sentence'),
    ...missing('license', manifest.license, /^MIT$/, '"MIT", as LICENSE says'),
    ...missing('engines.node', objectOf(manifest.engines).node, /^>=\d+/, 'the oldest Node that is tested'),
  ];
  const { keywords } = manifest;
  if (!Array.isArray(keywords) || keywords.length === 0)
    problems.push('package.json: keywords is missing; expected what people search for');
  else if (new Set(keywords).size < keywords.length) problems.push('package.json: keywords has one twice');
  if (manifest.private !== undefined) problems.push('package.json: private is there; npm would refuse');
  for (const path of targetsOf(manifest.exports)) {
    if (!tarball.has(path)) problems.push(`tarball: ${path} is missing, which exports promises; npm run build makes it`);
  }
  return problems;
}

/** A package with provenance is published by a workflow that may sign, and that has been through the checks. */
export function problemsOfProvenance(manifest: Manifest, workflows: ReadonlyMap<string, string>): string[] {
  const { access, provenance } = objectOf(manifest.publishConfig);
  const problems: string[] = [];
  if (access !== 'public') problems.push('package.json: publishConfig.access is not "public"');
  if (provenance !== true) problems.push('package.json: publishConfig.provenance is not true');
  const gate = String(objectOf(manifest.scripts).prepublishOnly);
  for (const command of ['npm run build', 'npm run release:check', 'npm test']) {
    if (!gate.split(' && ').includes(command)) problems.push(`package.json: prepublishOnly does not run ${command}`);
  }
  const publishing = [...workflows]
    .map(([name, text]) => [name, text.replace(/^ *#.*$/gm, '')] as const)
    .filter(([, text]) => /\bnpm publish\b/.test(text));
  if (publishing.length === 0) problems.push('workflows: none runs npm publish');
  for (const [name, text] of publishing) {
    if (!/^ +id-token: write$/m.test(text))
      problems.push(`workflows: ${name} lacks "id-token: write", without which nothing is signed`);
    if (/\bnpm publish\b.*--(ignore-scripts|no-provenance|provenance=false)/.test(text)) {
      problems.push(`workflows: ${name} goes around the checks`);
    }
  }
  return problems;
}

/** On top stands the section of this version, with its day. */
export function problemsOfChangelog(changelog: string, version: string, today: string): string[] {
  const [head = '', ...lines] = changelog.split(/^## /m).slice(1)[0]?.split('\n') ?? [];
  const [, name, date] = /^\[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$/.exec(head) ?? [];
  if (name !== version || date === undefined) {
    return [`CHANGELOG.md: begins with "${head}"; expected "[${version}] - ${today}"`];
  }
  const problems = date > today ? [`CHANGELOG.md: ${version} is of ${date}; today is ${today}`] : [];
  const headings = lines.filter((line) => line.startsWith('### ')).map((line) => line.slice(4));
  for (const [index, heading] of headings.entries()) {
    if (!HEADINGS.includes(heading)) problems.push(`CHANGELOG.md: has "${heading}"; expected one of ${HEADINGS.join(', ')}`);
    else if (headings.indexOf(heading) < index) problems.push(`CHANGELOG.md: has "${heading}" twice`);
  }
  const entries = lines.filter((line) => line.startsWith('- ')).length;
  if (entries === 0) problems.push(`CHANGELOG.md: says nothing about ${version}`);
  return problems;
}

function missing(field: string, value: unknown, form: RegExp, expected: string): string[] {
  if (value === undefined || value === '') return [`package.json: ${field} is missing; expected ${expected}`];
  if (typeof value !== 'string' || !form.test(value) || RESERVED.test(value)) {
    return [`package.json: ${field} is ${JSON.stringify(value)}; expected ${expected}`];
  }
  return [];
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** All files that exports lead to, as paths of the tarball. */
function targetsOf(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports.replace(/^\.\//, '')];
  return [...new Set(Object.values(objectOf(exports)).flatMap(targetsOf))];
}
