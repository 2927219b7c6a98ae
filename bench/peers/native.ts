/**
 * Native: the yardstick, bench/native/interval-tree.c, compiled here and run as often as asked.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CHECKED_OPERATIONS, type Digest, type Step } from './tree-work.js';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../native/interval-tree.c', import.meta.url));

/** The compiled program. */
export interface Native {
  /** What everybody must find. */
  digest(size: number): Promise<Digest>;
  /** Nanoseconds of each operation: the best of twenty rounds of so many. */
  time(size: number, operations: number): Promise<Record<Step, number>>;
  /** Bytes of one interval. */
  weigh(size: number): Promise<number>;
}

/** Compiles the program for `use`; hands in the reason if that is not possible here. */
export async function withNative<T>(use: (native: Native | string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'rangefence-native-'));
  try {
    return await use(await compile(join(folder, 'interval-tree')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compile(program: string): Promise<Native | string> {
  try {
    await run('cc', ['-O2', '-o', program, SOURCE]);
  } catch (error) {
    return `cc -O2 failed (${(error as Error).message.split('\n')[0]})`;
  }
  const call = async (size: number, operations: number) => {
    const { stdout } = await run(program, [String(size), String(operations)]);
    const [, churn, test, visit, hits, sum, bytes] = stdout.split(' ').map(Number) as [0, ...number[]];
    return { times: { churn: churn!, test: test!, visit: visit! }, digest: { hits: hits!, sum: sum! }, bytes: bytes! };
  };
  return {
    digest: async (size) => (await call(size, CHECKED_OPERATIONS)).digest,
    time: async (size, operations) => (await call(size, operations)).times,
    weigh: async (size) => (await call(size, 1)).bytes,
  };
}
