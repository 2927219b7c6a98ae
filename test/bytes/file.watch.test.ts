/** What a watch must notice: whatever may make a path lead to another content, wherever on the way it happens. */
import { renameSync } from 'node:fs';
import { link, mkdir, mkdtemp, realpath, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteSource, openFile, SourceError } from '../../lib/bytes/index.js';
import { blocks, versionsOf } from '../support/bytes/content.js';

const BYTES = 320;
let folder: string;
let source: ByteSource | undefined;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'rangefence-')));
});

afterEach(async () => {
  await source?.close();
  source = undefined;
  await rm(folder, { recursive: true });
});

const at = (...names: string[]) => join(folder, ...names);

/** Another file in its place: rewritten as it stands, it would be empty for a moment. */
async function put(path: string, version: number): Promise<void> {
  await writeFile(at('put'), blocks(version, 20));
  await rename(at('put'), path);
}

async function folderOf(name: string, version: number): Promise<void> {
  await mkdir(at(name), { recursive: true });
  await writeFile(at(name, 'data'), blocks(version, 20));
}

/** Resolves when everything of the source is dropped. */
function dropped(): Promise<void> {
  return new Promise((resolve) => {
    const subscription = source!.tracker.subscribe(
      { start: 0, end: 1 },
      {
        invalidate: () => {
          subscription.close();
          resolve();
        },
      },
    );
  });
}

/** Reads version 1, then each change must be noticed without a read. */
async function expectNoticed(path: string, changes: readonly (readonly [() => Promise<unknown>, number])[]): Promise<void> {
  source = openFile(path, { pageSize: 160 });
  expect(versionsOf(await source.read(0, BYTES))).toEqual([1]);
  for (const [change, version] of changes) {
    const drop = dropped();
    await change();
    await drop;
    expect(versionsOf(await source.read(0, BYTES))).toEqual([version]);
  }
}

/** Puts another link in place of one, as Kubernetes does with `..data`. */
async function swap(name: string, target: string): Promise<void> {
  await symlink(target, at(`${name}.new`));
  await rename(at(`${name}.new`), at(name));
}

describe('a watch notices', { timeout: 20_000 }, () => {
  it('a link on the way that is swapped, again and again', async () => {
    for (const version of [1, 2, 3]) await folderOf(`..${version}`, version);
    await symlink('..1', at('..data'));
    await symlink('..data/data', at('data'));
    await expectNoticed(at('data'), [
      [() => swap('..data', '..2'), 2],
      [() => swap('..data', at('..3')), 3],
      [() => put(at('..3', 'data'), 4), 4],
      [() => swap('..data', '..1'), 1],
    ]);
  });

  it('a link to a folder that is swapped, above the file', async () => {
    await folderOf('releases/1/inner', 1);
    await folderOf('releases/2/inner', 2);
    await symlink('releases/1', at('current'));
    await expectNoticed(at('current', 'inner', 'data'), [[() => swap('current', './releases/../releases/2'), 2]]);
  });

  it('a link to the file itself that is swapped, and the file that it leads to', async () => {
    await folderOf('a', 1);
    await folderOf('b', 2);
    await symlink('a/data', at('data'));
    await expectNoticed(at('data'), [
      [() => swap('data', 'b/data'), 2],
      [() => put(at('b', 'data'), 3), 3],
    ]);
  });

  it('a folder above that is renamed away, and another one in its place', async () => {
    await folderOf('current/inner', 1);
    await folderOf('next/inner', 2);
    const change = () => {
      renameSync(at('current'), at('previous'));
      renameSync(at('next'), at('current')); // in one turn: when the first is told of, the second has been done
    };
    source = openFile(at('current', 'inner', 'data'), { pageSize: 160 });
    expect(versionsOf(await source.read(0, BYTES))).toEqual([1]);
    change();
    while (versionsOf(await source.read(0, BYTES).catch(() => blocks(0, 1)))[0] !== 2)
      await new Promise((resolve) => setImmediate(resolve));
    const drop = dropped();
    await put(at('current', 'inner', 'data'), 3);
    await drop;
    expect(versionsOf(await source.read(0, BYTES))).toEqual([3]);
  });

  it('a folder that is made later, several at once', async () => {
    source = openFile(at('some', 'day', 'data'), { pageSize: 160 });
    await expect(source.read(0, 1)).rejects.toBeInstanceOf(SourceError);
    await folderOf('some/day', 1);
    expect(versionsOf(await source.read(0, BYTES))).toEqual([1]);
    const drop = dropped();
    await put(at('some', 'day', 'data'), 2);
    await drop;
    expect(versionsOf(await source.read(0, BYTES))).toEqual([2]);
  });

  it('a folder that is removed, and made again', async () => {
    await folderOf('inner', 1);
    source = openFile(at('inner', 'data'), { pageSize: 160 });
    await source.read(0, BYTES);
    let drop = dropped();
    await rm(at('inner'), { recursive: true });
    await drop;
    await expect(source.read(0, 1)).rejects.toMatchObject({ missing: true });
    await folderOf('inner', 2);
    while ((await source.read(0, BYTES).catch(() => [])).length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(versionsOf(await source.read(0, BYTES))).toEqual([2]);
    await new Promise((resolve) => setTimeout(resolve, 50)); // events of what was made are told by now, or will be in the way of none
    drop = dropped();
    await put(at('inner', 'data'), 3);
    await drop;
    expect(versionsOf(await source.read(0, BYTES))).toEqual([3]);
  });

  it('a link that led nowhere when its target comes', async () => {
    await symlink('target/data', at('data'));
    source = openFile(at('data'), { pageSize: 160 });
    await expect(source.read(0, 1)).rejects.toMatchObject({ missing: true });
    await folderOf('target', 1);
    expect(versionsOf(await source.read(0, BYTES))).toEqual([1]);
    const drop = dropped();
    await put(at('target', 'data'), 2);
    await drop;
  });

  it('nothing where links lead in a circle, and does not hang there', async () => {
    await symlink('b', at('a'));
    await symlink('a', at('b'));
    source = openFile(at('a'), { pageSize: 160 });
    await expect(source.read(0, 1)).rejects.toBeInstanceOf(SourceError);
    await unlink(at('a'));
    await put(at('a'), 1);
    expect(versionsOf(await source.read(0, BYTES))).toEqual([1]);
  });

  it('no other name beside the file: what happens there costs no question', async () => {
    await folderOf('inner', 1);
    source = openFile(at('inner', 'data'), { pageSize: 160 });
    await source.read(0, BYTES);
    const { requests } = source.stats;
    for (let i = 0; i < 50; i++) await writeFile(at('inner', `other${i}`), 'x');
    await link(at('inner', 'other1'), at('inner', 'another'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(source.stats.requests).toBe(requests);
    expect(source.stats.changes).toBe(0);
  });
});

describe('a watch', () => {
  it('leaves nothing when its source is closed, however many folders it was on', async () => {
    const watches = () => process.getActiveResourcesInfo().length;
    await folderOf('a/b/c', 1);
    await symlink('a/b', at('link'));
    const before = watches();
    for (let i = 0; i < 10; i++) {
      const one = openFile(at('link', 'c', 'data'));
      await one.read(0, 1);
      await one.close();
    }
    expect(watches()).toBeLessThanOrEqual(before);
  });
});
