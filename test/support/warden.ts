/**
 * Warden: ends what a test has started, also when the test's own process is killed. It is a process of its own, which is told whom to
 * end, and does so when it is told nothing any more: its input ends with whoever tells.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** Lines `+pid`, `-pid`, and `/folder` for one that goes, too. SIGKILL ends those that are stopped as well. */
const PROGRAM = `
const pids = new Set(), folders = new Set();
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  if (line[0] === '+') pids.add(Number(line));
  else if (line[0] === '-') pids.delete(-Number(line));
  else folders.add(line);
}).on('close', () => {
  for (const pid of pids) try { process.kill(pid, 'SIGKILL'); } catch {}
  for (const folder of folders) require('node:fs').rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
`;

let warden: ChildProcess | undefined;

function tell(line: string): void {
  if (warden === undefined) {
    // In a group of its own: a Ctrl-C at the terminal is for whoever started it, and it has to see that through.
    warden = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
    warden.unref();
    (warden.stdin as unknown as { unref(): void }).unref();
  }
  warden.stdin!.write(`${line}\n`);
}

/** This process ends with the one that says so, if it has not ended before. */
export function ward<C extends ChildProcess>(child: C): C {
  const { pid } = child;
  if (pid === undefined) return child;
  tell(`+${pid}`);
  child.once('exit', () => tell(`-${pid}`));
  return child;
}

/** This folder goes with the process that says so. Returns it. */
export function wardFolder(folder: string): string {
  tell(folder);
  return folder;
}
