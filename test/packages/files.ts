/**
 * Files: a file in versions, replaced by the next one or written over with it; and a folder of its own for it.
 */
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Archive } from './archives.js';

/** Runs `work` with a folder that is gone afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'rangefence-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file of an archive, by its path. Its versions come in order, one at a time. */
export class VersionedFile {
  readonly path: string;
  version = 0;
  readonly #archive: Archive;
  /** The replacement before, for those that come before it is done. */
  #last: Promise<void> = Promise.resolve();

  constructor(folder: string, archive: Archive) {
    this.path = join(folder, 'thing');
    this.#archive = archive;
  }

  /** Writes versions beside it, so that each only needs to be put in its place. */
  async prepare(versions: number): Promise<void> {
    for (let version = 1; version <= versions; version++) await writeFile(this.#prepared(version), this.#archive(version));
  }

  /** Puts the next version, which was prepared, in its place: at once for everybody who opens it from then on. */
  replace(): Promise<void> {
    this.#last = this.#last.then(async () => {
      await rename(this.#prepared(this.version + 1), this.path);
      this.version++;
    });
    return this.#last;
  }

  /** Writes the next version, which was prepared, over the present one, in the same file: whoever reads meanwhile gets pieces. */
  overwrite(): Promise<void> {
    this.#last = this.#last.then(async () => {
      await copyFile(this.#prepared(this.version + 1), this.path);
      this.version++;
    });
    return this.#last;
  }

  #prepared(version: number): string {
    return `${this.path}.${version}`;
  }
}
