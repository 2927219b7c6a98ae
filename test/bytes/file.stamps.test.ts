/** What hosts and file systems leave of a time stamp, and how long a file must be left alone because of that. */
import * as fs from 'node:fs';
import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteSource, openFile } from '../../lib/bytes/index.js';
import type { Clock } from '../../lib/index.js';
import { blocks, versionsOf } from '../support/bytes/content.js';

let folder: string;
let path: string;
/** Waits that were asked for, in milliseconds; they take no time, but the stamps get older. */
let waits: number[];
let source: ByteSource | undefined;
let agedMs = 0n;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rangefence-'));
  path = join(folder, 'data');
  waits = [];
  agedMs = 0n;
});

afterEach(async () => {
  await source?.close();
  await rm(folder, { recursive: true });
});

const clock: Clock = {
  now: () => Number(agedMs),
  setTimeout: (callback, ms) => {
    waits.push(ms);
    agedMs += BigInt(Math.ceil(ms));
    return setImmediate(callback);
  },
  clearTimeout: (timer) => clearImmediate(timer as NodeJS.Immediate),
};

type Cut = (ns: bigint) => bigint;
const toSeconds: Cut = (ns) => ns - (ns % 1_000_000_000n);
const toMilliseconds: Cut = (ns) => ns - (ns % 1_000_000n);
const toTick: Cut = (ns) => ns;

/** Opens where `stat` gives stamps that are cut so. */
function open(mtime: Cut, ctime: Cut): ByteSource {
  const host = process as { getBuiltinModule: (name: string) => unknown };
  const { getBuiltinModule } = host;
  const cut = (stat: fs.BigIntStats) =>
    Object.create(stat, {
      mtimeNs: { value: mtime(stat.mtimeNs - agedMs * 1_000_000n) },
      ctimeNs: { value: ctime(stat.ctimeNs - agedMs * 1_000_000n) },
    }) as fs.BigIntStats;
  const stat = async (file: string) => cut(await fs.promises.stat(file, { bigint: true }));
  const wrapped = { ...fs, promises: { ...fs.promises, stat } };
  try {
    host.getBuiltinModule = (name) => (name === 'node:fs' ? wrapped : getBuiltinModule(name));
    source = openFile(path, { pageSize: 160, watch: false, clock });
    return source;
  } finally {
    host.getBuiltinModule = getBuiltinModule;
  }
}

/** Off the bounds of seconds, where a stamp happens to have no fraction. */
async function replace(version: number): Promise<void> {
  while (Date.now() % 1_000 < 20) await new Promise((resolve) => setTimeout(resolve, 5));
  await writeFile(`${path}.new`, blocks(version, 20));
  await rename(`${path}.new`, path);
}

describe('a file that was just written', () => {
  it.each<[string, Cut, Cut]>([
    ['nanoseconds', toTick, toTick],
    ['mtime in milliseconds, ctime in whole seconds, as Deno has them', toMilliseconds, toSeconds],
    ['milliseconds', toMilliseconds, toMilliseconds],
  ])('is waited for by a tick: %s', async (_name, mtime, ctime) => {
    await replace(1);
    expect(versionsOf(await open(mtime, ctime).read(0, 320))).toEqual([1]);
    expect(waits.every((ms) => ms <= 20)).toBe(true);
    waits = [];
    await replace(2);
    expect(versionsOf(await source!.read(0, 320, { revalidate: true }))).toEqual([2]);
    expect(waits.every((ms) => ms <= 20)).toBe(true);
  });

  it('is waited for by two seconds where the file system counts whole ones', async () => {
    await replace(1);
    await open(toSeconds, toSeconds).read(0, 320);
    expect(Math.max(...waits)).toBeGreaterThan(900);
  });

  it('and whose mtime was set to another time is waited for by seconds where the host has cut off the rest of ctime', async () => {
    await replace(1);
    await utimes(path, new Date(0), new Date(1_000_500));
    await open(toMilliseconds, toSeconds).read(0, 320);
    expect(Math.max(...waits)).toBeGreaterThan(900);
  });

  it('is not waited for by seconds because one stamp happens to have no fraction', async () => {
    await replace(1);
    let isWhole = false;
    const sometimes: Cut = (ns) => (isWhole ? toSeconds(ns) : toMilliseconds(ns));
    await open(sometimes, toSeconds).read(0, 320);
    isWhole = true;
    waits = [];
    await replace(2);
    await source!.read(0, 320, { revalidate: true });
    expect(waits.every((ms) => ms <= 20)).toBe(true);
  });
});

describe('a file at rest', () => {
  it.each<[string, Cut, Cut]>([
    ['nanoseconds', toTick, toTick],
    ['as Deno has them', toMilliseconds, toSeconds],
    ['whole seconds', toSeconds, toSeconds],
  ])('costs no wait: %s', async (_name, mtime, ctime) => {
    await replace(1);
    agedMs = 10_000n;
    await open(mtime, ctime).read(0, 320);
    expect(waits).toEqual([]);
  });
});
