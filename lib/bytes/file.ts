/**
 * File: a file by its path, whoever writes it, in place or by putting another one in its place.
 *
 * Algorithm note
 *
 * A version is what `stat` says of the path: device, inode, size, time of the last change of the content (mtime) and of anything
 * (ctime; tools that copy set mtime back, and none can set ctime). A load is
 *
 *     stat -> a;  a is young: wait, and again;  open, if what is open is another inode;  read;  stat -> b;  a = b ?
 *
 * Time stamps are coarse: the kernel stamps a file with the time of its last tick, so that two writes within one tick leave the
 * same stamp, and a load between them would keep the first content for ever under the version of the second. The trouble is
 * known from version control as "racily clean" entries. So nothing is read under a stamp that could still be given to another
 * write: the load waits until the tick of the stamp is over, then stats again, and reads after that.
 *
 *     load                            writer
 *                                     write 1   stamp 100
 *     stat -> 100 (now 101)
 *     read                            write 2   stamp 100, as the tick is not over
 *     stat -> 100                     -> the content of write 1 would be taken for that of write 2: so wait until 120
 *
 * An open file keeps its inode, so no other file can get the same number while this one is compared with it.
 */
import { type Clock, systemClock } from '../base/clock.js';
import { check } from '../base/errors.js';
import { checkNames, type Names, names } from '../base/options.js';
import type { Range } from '../base/vocabulary.js';

import type { ByteBackend, ByteReadContext, ByteReading, ByteVersion, IdentifyContext } from './backend.js';
import { pause } from './bounded.js';
import { SourceError } from './errors.js';
import { type FileSystem, type Handle, hostFiles, type Stat } from './host.js';
import { type ByteSourceSettings, SOURCE_NAMES } from './options.js';
import { ByteSource } from './source.js';
import { PathWatch, type WatchHost } from './watch.js';

/**
 * How old a time stamp must be. Kernels tick at 100 to 1,000 Hz, so a stamp may be given to writes during 10 ms after it; as much
 * again for a tick that comes late.
 */
const TICK_MS = 20;

/** The same where file systems count whole seconds, and the oldest of them every other second. */
const WHOLE_SECONDS_MS = 2_000;

/** How a file source is made. */
export interface FileOptions extends ByteSourceSettings {
  /**
   * Watches the folder of the file, so that a change is noticed without a read. Where the host cannot watch, it goes without.
   * Does not keep the process alive. Default true.
   */
  watch?: boolean | undefined;
}

const FILE_OPTIONS: Names = /* @__PURE__ */ names(SOURCE_NAMES, 'watch');

/**
 * A source over the file at `path`, which may be a URL of the scheme `file:`. Nothing is opened before the first read, so the file may come later. Needs `node:fs`, which it
 * gets from `process.getBuiltinModule` (Node 20.16 or later, Deno, Bun); throws `SourceError` elsewhere, and
 * `InvalidArgumentError`.
 */
export function openFile(path: string | URL, options: FileOptions = {}): ByteSource {
  const isUrl = path instanceof URL && path.protocol === 'file:';
  check(isUrl || (typeof path === 'string' && path !== ''), 'path', path, 'a path, or a URL of a file');
  check(typeof options === 'object' && options !== null, 'options', options, 'an object');
  checkNames(options, FILE_OPTIONS, 'openFile');
  const { watch = true, ...settings } = options;
  const { clock = systemClock } = settings;
  check(typeof watch === 'boolean', 'watch', watch, 'a boolean');
  const host = hostFiles();
  if (host === undefined) {
    throw new SourceError(`${path}`, 'cannot be opened', {
      expected: 'node:fs through process.getBuiltinModule (Node 20.16 or later, Deno, Bun)',
      got: 'a host without it',
    });
  }
  const absolute = host.paths.resolve(isUrl ? host.urls.fileURLToPath(path) : `${path}`);
  const backend = new FileBackend(absolute, { ...host, clock });
  return new ByteSource({ ...settings, backend: watch ? watched(backend, absolute, host) : backend });
}

/** What `stat` has said. */
interface FileVersion extends ByteVersion {
  /** Which file it is, whatever is in it. */
  readonly inode: string;
  /** When anything about it has changed last, in milliseconds since 1970. */
  readonly changedAt: number;
  /** How long that stamp may be given to other writes. */
  readonly youngMs: number;
}

interface Opened {
  readonly handle: Handle;
  /** Empty until it has been asked for. */
  inode: string;
  /** Loads that use it. It is closed when it has been replaced and the last of them is done. */
  users: number;
}

/** See the top of the file. */
class FileBackend implements ByteBackend<FileVersion> {
  readonly name: string;
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  /** What new loads use, until another inode has taken the path. */
  #opened: Opened | undefined = undefined;
  /** All that are not closed yet. */
  readonly #handles: Set<Opened> = new Set();
  #closed = false;
  #idle: (() => void) | undefined = undefined;
  /** Devices on which a stamp with a fraction of a second was seen: a file system of whole seconds has none. */
  readonly #fine: Set<bigint> = new Set();
  /** The youngest version that was waited for, and since when, by the clock of the source. */
  #young: { readonly key: string; readonly since: number } = { key: '', since: 0 };

  constructor(path: string, { fs, clock }: { readonly fs: FileSystem; readonly clock: Clock }) {
    this.name = path;
    this.#fs = fs;
    this.#clock = clock;
  }

  async identify(_context: IdentifyContext): Promise<FileVersion> {
    const stat = await this.#ask('cannot be found', undefined, this.#fs.promises.stat(this.name, { bigint: true }));
    if (!stat.isFile()) throw new SourceError(this.name, 'cannot be read', { expected: 'a file', got: 'something else' });
    return this.#version(stat);
  }

  async read(range: Range, { signal }: ByteReadContext<FileVersion>): Promise<ByteReading<FileVersion>> {
    const before = await this.#settled(signal);
    const opened = await this.#open(before, range);
    try {
      if (opened.inode === '')
        opened.inode = inodeOf(await this.#ask('cannot be read', range, opened.handle.stat({ bigint: true })));
      const wanted = Math.max(0, Math.min(range.end, before.size) - range.start);
      const bytes = await this.#bytes(opened.handle, range, wanted);
      const after = await this.identify({ signal });
      return { version: before.key === after.key && opened.inode === before.inode ? before : undefined, bytes };
    } finally {
      this.#leave(opened);
    }
  }

  /** Resolves when the last load is done, and everything is closed. */
  close(): Promise<void> {
    this.#closed = true;
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#retire();
      this.#settle();
    });
  }

  /** The version, once its time stamp cannot be given to another write any more. */
  async #settled(signal: AbortSignal): Promise<FileVersion> {
    for (;;) {
      const version = await this.identify({ signal });
      const leftMs = this.#youngFor(version);
      if (leftMs <= 0) return version;
      await pause(this.#clock, leftMs, signal);
    }
  }

  /**
   * By the host's clock, which stamps local files; or, as that of a file server may be ahead, by how long it has been known here.
   * Not by that alone: every file that is opened would have to be waited for.
   */
  #youngFor({ key, changedAt, youngMs }: FileVersion): number {
    const ageMs = performance.timeOrigin + systemClock.now() - changedAt;
    if (ageMs >= youngMs) return 0;
    const now = this.#clock.now();
    if (this.#young.key !== key) this.#young = { key, since: now };
    return Math.min(this.#young.since + youngMs - now, ageMs > 0 ? youngMs - ageMs : youngMs);
  }

  #version(stat: Stat): FileVersion {
    if (hasFraction(stat)) this.#fine.add(stat.dev);
    const inode = inodeOf(stat);
    const key = `${inode} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
    return { key, size: Number(stat.size), inode, ...stampOf(stat, this.#fine.has(stat.dev)) };
  }

  async #open({ inode }: FileVersion, range: Range): Promise<Opened> {
    let opened = this.#opened;
    if (opened?.inode !== inode) {
      const handle = await this.#ask('cannot be opened', range, this.#fs.promises.open(this.name, 'r'));
      opened = { handle, inode: '', users: 0 };
      this.#handles.add(opened);
      this.#retire(); // also if another load has opened it meanwhile: one of the two is enough
      this.#opened = opened;
    }
    opened.users++;
    return opened;
  }

  async #bytes(handle: Handle, range: Range, wanted: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(wanted);
    let length = 0;
    while (length < wanted) {
      const reading = handle.read(bytes, length, wanted - length, range.start + length);
      const { bytesRead } = await this.#ask('cannot be read', range, reading);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  }

  #retire(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened?.users === 0) this.#shut(opened);
  }

  #leave(opened: Opened): void {
    opened.users--;
    if (this.#closed && this.#opened === opened) this.#opened = undefined;
    if (opened.users === 0 && this.#opened !== opened) this.#shut(opened);
  }

  /** It has only been read from, so there is nothing that closing could tell. */
  #shut(opened: Opened): void {
    opened.handle
      .close()
      .catch(() => {})
      .finally(() => {
        this.#handles.delete(opened);
        this.#settle();
      });
  }

  #settle(): void {
    if (this.#handles.size === 0) this.#idle?.();
  }

  async #ask<T>(what: string, range: Range | undefined, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (cause) {
      throw new SourceError(this.name, what, { range, cause });
    }
  }
}

/** The same, watched: the way to it, and not the file, as a watch on that would stay with an inode that has been replaced. */
function watched(backend: FileBackend, path: string, host: WatchHost): ByteBackend<FileVersion> {
  return Object.assign(backend, {
    watch(changed: () => void): () => void {
      const watch = new PathWatch(path, host, changed);
      return () => watch.close();
    },
  });
}

/** A stamp, as a version is made of it: when, and for how long another write may get the same one. */
type Stamp = Pick<FileVersion, 'changedAt' | 'youngMs'>;

const NS = 1_000_000_000n;

/**
 * Usually ctime says it all. Where it has no fraction, either the file system counts whole seconds, or the host has cut it off
 * (Deno does, and gives mtime in milliseconds): then mtime says it, unless somebody has set that to another time.
 */
function stampOf({ mtimeNs, ctimeNs }: Stat, isFine: boolean): Stamp {
  const isWhole = ctimeNs % NS === 0n;
  if (!isWhole) return { changedAt: Number(ctimeNs) / 1e6, youngMs: TICK_MS };
  const isSameSecond = mtimeNs / NS === ctimeNs / NS;
  if (isFine && isSameSecond) return { changedAt: Number(mtimeNs) / 1e6, youngMs: TICK_MS };
  return { changedAt: Number(ctimeNs) / 1e6, youngMs: WHOLE_SECONDS_MS };
}

function hasFraction({ mtimeNs, ctimeNs }: Stat): boolean {
  return mtimeNs % NS !== 0n || ctimeNs % NS !== 0n;
}

function inodeOf({ dev, ino }: Stat): string {
  return `${dev}:${ino}`;
}
