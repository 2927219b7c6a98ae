/**
 * `npm run demo:threads`: three worker threads that read pages of shared memory and keep what they have read, and one that writes them in
 * two steps; guarded by `rangefence/threads`, by one fair reader/writer lock (under which nothing can be kept), and by a message after
 * each change, as many write it. A line a second says what they have read: torn is half a change, stale is a version older than what
 * was known to all before the read was asked for.
 *
 * `--seconds N` for each guard. Exit code 1 if anything torn or stale was read under rangefence or the lock.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { SharedSpace } from '../../lib/threads/index.js';
import { number } from '../support/text.js';
import { FairLock } from './fair-lock.js';
import { type Ground, GUARDS, type Guard, PAGES, READERS, type Said, WORDS } from './ground.js';
import { startWorker } from './start.js';

const TITLES: Readonly<Record<Guard, string>> = {
  rangefence: 'rangefence/threads: one tracker a thread, in one shared space',
  lock: 'one phase-fair reader/writer lock: nothing is kept',
  message: 'a message after each change: pages are dropped when it comes',
};

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '4' } } });
const seconds = Number(values.seconds);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function show(guard: Guard): Promise<number> {
  console.log(`\n${TITLES[guard]}`);
  const space = SharedSpace.create({ threads: READERS + 1 });
  const memory = new SharedArrayBuffer(4 * PAGES * WORDS);
  const known = new SharedArrayBuffer(4 * PAGES);
  const lock = new SharedArrayBuffer(FairLock.bytes);
  const workers: Worker[] = [];
  for (let i = 0; i <= READERS; i++) {
    const handle = space.connect();
    const ground: Ground = { guard, memory, known, lock, handle, isWriter: i === READERS };
    workers.push(startWorker(new URL('demo.inside.ts', import.meta.url), ground, [handle.port]));
  }
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  let wrong = 0;
  for (let second = 1; second <= seconds; second++) {
    await sleep(1000);
    const answers = workers.map(async (worker): Promise<Said> => {
      const answer = once(worker, 'message');
      worker.postMessage('?');
      return (await answer)[0];
    });
    const said = await Promise.all(answers);
    const each = said.slice(0, READERS).map(({ reads, hits, torn, stale }) => {
      return `${number(reads)} reads, ${number(hits)} kept, ${torn} torn, ${stale} stale`;
    });
    console.log(`${second} s  ${each.join(' | ')} | ${number(said[READERS]!.changes)} changes`);
    wrong = said.reduce((sum, { torn, stale }) => sum + torn + stale, 0);
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  space.close();
  return wrong;
}

const wrong: Partial<Record<Guard, number>> = {};
for (const guard of GUARDS) wrong[guard] = await show(guard);
console.log(`\ntorn or stale: ${GUARDS.map((guard) => `${number(wrong[guard]!)} under ${guard}`).join(', ')}`);
process.exit(wrong.rangefence === 0 && wrong.lock === 0 ? 0 : 1);
