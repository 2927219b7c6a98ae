/**
 * `npm run release:check`: may the package go out? Names what the publisher has to fill in, looks at what would be packed, at the
 * settings of provenance, at the changelog, and makes JSR's dry run. Needs a build; `npm run build` makes it.
 *
 *   --scope NAME   the scope at JSR; without it the dry run goes under `@scope`
 *   --keep         leaves the folder that goes to JSR, and says where it is: `deno publish` there publishes it
 *
 * `npm publish` runs it first (prepublishOnly). Exit code 1 if anything is missing. What could not be run is said, and is no failure.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { root } from '../package/install.js';
import { type Manifest, problemsOfRelease } from './checks.js';
import { dryRun, prepare } from './jsr.js';

const text = (path: string) => readFileSync(join(root, path), 'utf8');

async function output(file: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { cwd: root, maxBuffer: 2 ** 26 });
  return stdout;
}

/** What npm would pack. */
async function tarball(): Promise<Map<string, string>> {
  const said = await output('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']);
  const [packed] = JSON.parse(said) as { files: { path: string }[] }[];
  return new Map(packed!.files.map(({ path }) => [path, text(path)]));
}

const { values } = parseArgs({ options: { scope: { type: 'string', default: 'scope' }, keep: { type: 'boolean' } } });
const names = readdirSync(join(root, '.github/workflows'));
const files = await tarball();
const problems = problemsOfRelease({
  manifest: JSON.parse(text('package.json')) as Manifest,
  changelog: text('CHANGELOG.md'),
  workflows: new Map(names.map((name) => [name, text(`.github/workflows/${name}`)])),
  tarball: files,
  dirty: (await output('git', ['status', '--porcelain'])).split('\n').filter((line) => line !== ''),
  today: new Date().toISOString().slice(0, 10),
});

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rangefence-jsr-')));
prepare(folder, values.scope);
const { problem, notRun } = await dryRun(folder);
if (problem !== undefined) problems.push(problem);
if (values.keep) console.log(`for JSR: ${folder}`);
else rmSync(folder, { recursive: true, force: true });

for (const line of problems) console.log(line);
console.log(`tarball: ${files.size} files`);
console.log(notRun === undefined ? "JSR's dry run: made" : `JSR's dry run: NOT RUN (${notRun})`);
console.log(`release: ${problems.length} problems${notRun === undefined ? '' : ', one check NOT RUN'}`);
process.exitCode = problems.length === 0 ? 0 : 1;
