/**
 * `npm run test:servers`: URLs of real servers, each put through the same checks: nginx, apache, lighttpd and caddy where Debian has
 * put them, and servers of npm, which are installed by `npm ci` beside this file when they are not there yet.
 *
 * Prints a table of servers by checks. A server that is not there is NOT RUN. Exit code 1 if a check fails for any other reason than
 * that the server itself gave an old validator to new bytes. `--markdown` prints the table for the docs, `--only TEXT` runs the
 * servers with this text in their name.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../../bench/support/text.js';
import { CHECKS, examine } from './checks.js';
import { type Running, SERVERS, type Server } from './had.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));

const { values } = parseArgs({
  options: { markdown: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});

interface Started {
  readonly name: string;
  readonly running: Running;
  readonly files: string;
  readonly cells: string[];
}

let failed = 0;
let checks = 0;

function install(): void {
  const locked: object = JSON.parse(readFileSync(`${HERE}package.json`, 'utf8')).dependencies;
  if (Object.keys(locked).every((name) => existsSync(`${HERE}node_modules/${name}/package.json`))) return;
  console.log('servers: installing the packages in test/servers');
  const { status, stderr, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    ...{ cwd: HERE, encoding: 'utf8', timeout: 300_000 },
  });
  if (status !== 0) console.error(`servers: npm ci in test/servers has failed; is there a network?\n${error?.message ?? stderr}`);
}

async function start(server: Server, folder: string, notRun: string[]): Promise<Started | undefined> {
  let name = server.name;
  try {
    name = `${server.name} ${await server.version()}`;
  } catch (error) {
    notRun.push(name);
    console.log(`NOT RUN: ${name} is not there (${(error as Error).message.split('\n')[0]})`);
    return undefined;
  }
  const files = join(folder, 'files');
  mkdirSync(files, { recursive: true });
  for (const each of [folder, files]) chmodSync(each, 0o755);
  try {
    const running = await server.start({ files, work: join(folder, 'work') });
    return { name, running, files, cells: [] };
  } catch (error) {
    failed++;
    console.error(`FAILED: ${name} does not start: ${(error as Error).message}`);
    return undefined;
  }
}

/** One check of all servers, in all its modes, at the same time: most of it is waiting for seconds to pass. */
async function runCheck(check: (typeof CHECKS)[number], started: readonly Started[]): Promise<void> {
  await Promise.all(
    started.map(async ({ name, running, files, cells }) => {
      const modes = await Promise.all(
        check.modes.map(async (mode) => {
          checks++;
          try {
            const lie = await examine(check, mode, { files, url: running.url });
            return lie === undefined ? undefined : `${mode}: server`;
          } catch (error) {
            failed++;
            console.error(`FAILED: ${name}, ${check.name}, ${mode}: ${error instanceof Error ? error.message : error}`);
            return `${mode}: FAILED`;
          }
        }),
      );
      const bad = modes.filter((text) => text !== undefined);
      const isAll = bad.length === check.modes.length && bad.every((text) => text.endsWith(': server'));
      cells.push(bad.length === 0 ? 'ok' : isAll ? 'server' : bad.join('; '));
    }),
  );
}

function print(started: readonly Started[]): void {
  const head = ['server', ...CHECKS.map(({ name }) => name)];
  const rows = started.map(({ name, cells }) => [name, ...cells]);
  if (!values.markdown) return console.log(table(head, rows));
  for (const line of [head, head.map(() => '---'), ...rows]) console.log(`| ${line.join(' | ')} |`);
}

async function main(): Promise<number> {
  install();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rangefence-servers-')));
  chmodSync(folder, 0o755);
  const started: Started[] = [];
  const notRun: string[] = [];
  try {
    for (const [place, server] of SERVERS.filter(({ name }) => name.includes(values.only)).entries()) {
      const one = await start(server, join(folder, String(place)), notRun);
      if (one !== undefined) started.push(one);
    }
    for (const check of CHECKS) await runCheck(check, started);
    print(started);
  } finally {
    await Promise.allSettled(started.map(({ running }) => running.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
  const summary = `servers: ${started.length} run, ${notRun.length} not run; ${checks} checks, ${failed} failed`;
  console.log(notRun.length === 0 ? summary : `${summary}\nNOT RUN: ${notRun.join(', ')}`);
  return failed > 0 || started.length === 0 ? 1 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.exit(await main());
