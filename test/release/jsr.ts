/**
 * JSR's dry run. JSR takes sources whose imports name the files as they are, so a copy is made of them, with a configuration out of
 * package.json. `npx jsr` starts `deno publish` and nothing else, after it has fetched Deno from where not everybody gets; here Deno
 * comes out of the npm package that carries it.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root, saidBy } from '../package/install.js';
import { cacheFolder, have, RUNTIMES } from '../runtimes/had.js';

const LIMIT_MS = 300_000;

/** What of package.json goes into JSR's configuration. */
export interface Source {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly imports: Readonly<Record<string, { readonly import: { readonly types: string } }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly tsup: { readonly entry: Readonly<Record<string, string>> };
}

/** The configuration, under the scope that is given. */
export function configurationOf(source: Source, scope: string): Record<string, unknown> {
  const { name, version, license, exports, imports, dependencies, peerDependencies, tsup } = source;
  const entries = Object.entries(exports).flatMap(([entry, target]) => {
    const built = (target as { import?: { default: string } }).import?.default.replace(/^\.\/dist\/(.*)\.js$/, '$1');
    const file = built === undefined ? undefined : tsup.entry[built];
    return file === undefined ? [] : [[entry, `./${file}`]];
  });
  const packages = Object.entries({ ...dependencies, ...peerDependencies });
  return {
    name: `@${scope}/${name}`,
    version,
    license,
    exports: Object.fromEntries(entries),
    imports: {
      ...Object.fromEntries(Object.entries(imports).map(([alias, target]) => [alias, target.import.types])),
      // Of `^5.0.0 || ^6.0.0` the last: JSR knows one range.
      ...Object.fromEntries(packages.map(([peer, range]) => [peer, `npm:${peer}@${range.split(' || ').at(-1)}`])),
    },
    // Sources are checked as they were written: tsconfig.json.
    compilerOptions: { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
  };
}

/** Imports of files, with the names that the files have. */
export function withSourceNames(text: string): string {
  return text.replace(/(\b(?:from|import)\s*\(?\s*'\.{1,2}\/[^']*)\.js'/g, "$1.ts'");
}

/** Puts into the folder what goes to JSR. */
export function prepare(folder: string, scope: string): void {
  const source: Source = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })) {
    const from = join(root, 'lib', name);
    if (!statSync(from).isFile() || name.endsWith('.cts')) continue;
    const to = join(folder, 'lib', name);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, withSourceNames(readFileSync(from, 'utf8')));
  }
  for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md']) cpSync(join(root, name), join(folder, name));
  writeFileSync(join(folder, 'deno.json'), `${JSON.stringify(configurationOf(source, scope), undefined, 2)}\n`);
}

/** What came out of it: nothing, what is wrong, or why it could not be run. */
export type DryRun = { readonly problem?: string; readonly notRun?: string };

/** Publishes the folder, but for the publishing. `program` gets Deno, or rejects with why it cannot be had. */
export async function dryRun(folder: string, program: () => Promise<string> = deno): Promise<DryRun> {
  let path: string;
  try {
    path = await program();
  } catch (error) {
    return { notRun: `Deno could not be had: ${(error as Error).message}` };
  }
  const env = { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' };
  try {
    await promisify(execFile)(path, ['publish', '--dry-run', '--allow-dirty'], { cwd: folder, env, timeout: LIMIT_MS });
    return {};
  } catch (error) {
    return { problem: `JSR's dry run fails\n${saidBy(error)}` };
  }
}

function deno(): Promise<string> {
  return have(RUNTIMES.find(({ name }) => name === 'Deno')!, cacheFolder());
}
