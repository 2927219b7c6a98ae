/**
 * The package as its users get it: packs the build, installs the tarball into a temporary folder without any network, then
 * looks at its files, loads every entry through `import` and `require`, runs the examples, and compiles consumers with the
 * oldest, the current and the newest TypeScript. Needs a build; `npm run build` makes it.
 */
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { problemsOfExamples } from './examples.js';
import { PEERS, RUNTIME_EXPORTS } from './exports.js';
import { install, root, saidBy } from './install.js';
import { problemsOfTarball } from './tarball.js';

const MAX_CORE_EXPORTS = 12;

/** Helpers of a compiler that lowered what the target already has; the first two would allocate a closure for each `??`. */
const LOWERED = /_nullishCoalesce|_optionalChain|__privateGet|__privateAdd|_classPrivateField/;

const here = fileURLToPath(new URL('.', import.meta.url));

interface Case {
  readonly compiler: 'typescript50' | 'typescript' | 'typescript7';
  readonly files: readonly string[];
  readonly options: Record<string, unknown>;
}

const NODE16 = { module: 'node16', moduleResolution: 'node16' };
const NODENEXT = { module: 'nodenext', moduleResolution: 'nodenext' };
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };
/** A browser's consumer: no types but the compiler's own, and no disposable library. */
const BROWSER = { lib: ['ES2022', 'DOM'], types: [] };
/** A Node consumer: AbortSignal comes from @types/node alone. */
const NODE = { lib: ['ES2022'], types: ['node'], typeRoots: [join(root, 'node_modules/@types')] };
/** A consumer that asks for everything. */
const DISPOSABLE = { lib: ['ESNext', 'DOM'], types: [] };

const BOTH_FORMATS = ['consumer.mts', 'consumer.cts'];
/** The oldest and the newest meet every kind of consumer; the one in between the strictest. */
const CASES: readonly Case[] = [
  { compiler: 'typescript50', files: BOTH_FORMATS, options: { ...NODE16, ...BROWSER } },
  { compiler: 'typescript50', files: ['consumer.ts'], options: { ...BUNDLER, ...BROWSER } },
  { compiler: 'typescript50', files: BOTH_FORMATS, options: { ...NODE16, ...NODE } },
  { compiler: 'typescript', files: BOTH_FORMATS, options: { ...NODENEXT, ...BROWSER, exactOptionalPropertyTypes: true } },
  { compiler: 'typescript7', files: BOTH_FORMATS, options: { ...NODENEXT, ...BROWSER, exactOptionalPropertyTypes: true } },
  { compiler: 'typescript7', files: ['consumer.ts'], options: { ...BUNDLER, ...BROWSER } },
  { compiler: 'typescript7', files: BOTH_FORMATS, options: { ...NODENEXT, ...NODE } },
  { compiler: 'typescript7', files: ['consumer-using.mts'], options: { ...NODENEXT, ...DISPOSABLE } },
];

/** Beside others' packages, whose declarations are not ours to repair. */
const PEER_CASES: readonly Case[] = [
  { compiler: 'typescript', files: ['consumer-query.mts'], options: { ...NODENEXT, ...DISPOSABLE, skipLibCheck: true } },
  { compiler: 'typescript7', files: ['consumer-query.mts'], options: { ...NODENEXT, ...DISPOSABLE, skipLibCheck: true } },
];

const problems: string[] = [];

async function main(): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rangefence-package-')));
  try {
    const home = await installed(folder);
    checkFiles(home);
    const entries = entriesOf(home);
    const alone = Object.fromEntries(Object.entries(entries).filter(([name]) => PEERS[name] === undefined));
    await Promise.all([smoke(folder, alone, 'import'), smoke(folder, alone, 'require')]);
    problems.push(...(await problemsOfExamples(join(folder, 'consumer'))));
    await compileAll(folder, CASES);
    await besidePeers(folder, entries);
    await compileAll(folder, PEER_CASES);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const problem of problems) console.log(problem);
  console.log(`package: ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

/** Packs and installs, and puts beside it what is run and compiled; resolves to the installed package. */
async function installed(folder: string): Promise<string> {
  const consumer = await install(folder);
  for (const name of ['consumer.ts', 'consumer-using.ts', 'smoke.mjs']) cpSync(join(here, name), join(consumer, name));
  // One text for both module formats; the extension decides which declaration files are read.
  for (const extension of ['mts', 'cts']) cpSync(join(here, 'consumer.ts'), join(consumer, `consumer.${extension}`));
  for (const name of ['using', 'query']) cpSync(join(here, `consumer-${name}.ts`), join(consumer, `consumer-${name}.mts`));
  return join(consumer, 'node_modules/rangefence');
}

/** Only what is meant to be published, without a trace of the machine that built it. */
function checkFiles(installed: string): void {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => statSync(join(installed, name)).isFile());
  const traces = [root, realpathSync(root), homedir(), pathToFileURL(root).href, 'sourceMappingURL'];
  problems.push(...problemsOfTarball(new Map(files.map((name) => [name, readFileSync(join(installed, name), 'utf8')]))));
  for (const name of files) {
    const text = readFileSync(join(installed, name), 'utf8');
    for (const trace of traces) if (text.includes(trace)) problems.push(`${name} contains ${trace}`);
    const helper = /\.c?js$/.test(name) ? LOWERED.exec(text) : null;
    if (helper !== null) problems.push(`${name} contains ${helper[0]}: the target was lowered`);
  }
  console.log(`tarball: ${files.length} files`);
}

/** The list of runtime exports for each entry that package.json declares, neither more nor fewer. */
function entriesOf(installed: string): Record<string, readonly string[]> {
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { exports: Record<string, unknown> };
  const declared = Object.keys(exports)
    .filter((key) => key !== './package.json')
    .map((key) => `rangefence${key.slice(1)}`);
  for (const name of declared) if (RUNTIME_EXPORTS[name] === undefined) problems.push(`${name} has no list of runtime exports`);
  for (const name of Object.keys(RUNTIME_EXPORTS))
    if (!declared.includes(name)) problems.push(`${name} is no entry of package.json`);
  const count = RUNTIME_EXPORTS.rangefence?.length ?? 0;
  if (count > MAX_CORE_EXPORTS) problems.push(`rangefence has ${count} runtime exports; expected at most ${MAX_CORE_EXPORTS}`);
  return RUNTIME_EXPORTS;
}

/** Each entry that needs others' packages fails without them, and needs no more than its own. They stay for the compilers. */
async function besidePeers(folder: string, entries: Record<string, readonly string[]>): Promise<void> {
  const modules = join(folder, 'consumer/node_modules');
  for (const [entry, peers] of Object.entries(PEERS)) {
    const links = peers.map((name) => join(modules, name));
    const names = JSON.stringify(entries[entry]);
    const test = `const { deepEqual } = await import('node:assert/strict');
      const { createRequire } = await import('node:module');
      const require = createRequire(process.cwd() + '/x.js');
      for (const all of [await import('${entry}'), require('${entry}')]) deepEqual(Object.keys(all).sort(), ${names});`;
    const missing = `let error; try { await import('${entry}'); } catch (reason) { error = reason; }
      if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw new Error('it loads without ${peers[0]}');`;
    const cwd = join(folder, 'consumer');
    await check(`${entry} without ${peers.join(' and ')}`, process.execPath, ['--input-type=module', '-e', missing], cwd);
    for (const [i, link] of links.entries()) {
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, 'node_modules', peers[i]!), link, 'dir');
    }
    await check(`${entry} beside ${peers.join(' and ')}`, process.execPath, ['--input-type=module', '-e', test], cwd);
    for (const link of links) rmSync(link);
  }
  for (const name of [...Object.values(PEERS).flat(), '@reduxjs/toolkit', '@types/react', 'graphql']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
  }
}

async function smoke(folder: string, entries: Record<string, readonly string[]>, format: 'import' | 'require'): Promise<void> {
  const args = ['smoke.mjs', format, JSON.stringify(entries)];
  await check(`${format} each entry`, process.execPath, args, join(folder, 'consumer'));
}

/** Two at a time: one compiler takes one core. */
async function compileAll(folder: string, cases: readonly Case[]): Promise<void> {
  const queue = [...cases.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await compile(folder, next[0], next[1]);
  };
  await Promise.all([worker(), worker()]);
}

async function compile(folder: string, index: number, { compiler, files, options }: Case): Promise<void> {
  const compilerOptions = { target: 'ES2022', strict: true, noEmit: true, skipLibCheck: false, ...options };
  const config = join(folder, 'consumer', `tsconfig.${index}.json`);
  writeFileSync(config, JSON.stringify({ compilerOptions, files }));
  const home = join(root, 'node_modules', compiler);
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
  const { moduleResolution, lib, types } = options as { moduleResolution: string; lib: string[]; types: string[] };
  const title = `TypeScript ${version} ${moduleResolution} ${[...lib, ...types].join('+')} ${files.map((file) => basename(file)).join(' ')}`;
  await check(title, process.execPath, [join(home, 'bin/tsc'), '-p', config], join(folder, 'consumer'));
}

/** A step whose failure is one problem among others. */
async function check(title: string, file: string, args: string[], cwd: string): Promise<void> {
  try {
    await promisify(execFile)(file, args, { cwd });
    console.log(`ok    ${title}`);
  } catch (error) {
    problems.push(`FAIL  ${title}\n${saidBy(error)}`);
  }
}

await main();
