/**
 * Watch: whatever may make a path lead to another content.
 *
 * Algorithm note
 *
 * A watch of the host stays with what it was set on, an inode, and tells of the names in a folder. The last folder of the path
 * alone is not enough: what a path leads to is decided by every name in it, and by every link on the way.
 *
 *     /etc/config/data    -> ..data/data            a link, never touched again
 *     /etc/config/..data  -> ..2026_11_27           a link that is swapped at each update: this is the event
 *     /srv/current/data                             `current` is renamed away, and another folder put in its place
 *     /var/later/data                               `later` is made some day
 *
 * So the path is followed as the system follows it, name by name, and every folder in which a name was looked up is watched
 * for that name. Where a name is missing, its folder is the last, and is watched for it to come. When one of the names is
 * told of, the path is followed again, as the rest of the way may be another one now; and once more after a watch was set, as
 * something may have happened just before.
 */
import type { FileSystem, Paths, Watcher } from './host.js';

/** As many links as Linux follows; a way that is longer leads nowhere. */
const MOST_LINKS = 40;

/** Each round is one change that came between two looks; who changes faster than that is seen by the next event. */
const MOST_ROUNDS = 4;

/** The part of the host that is needed. */
export interface WatchHost {
  readonly fs: FileSystem;
  readonly paths: Paths;
}

interface Watched {
  readonly watcher: Watcher;
  readonly inode: string;
  names: ReadonlySet<string>;
}

/** See the top of the file. Never throws: where the host cannot watch, a load looks for itself. */
export class PathWatch {
  readonly #path: string;
  readonly #host: WatchHost;
  readonly #changed: () => void;
  /** By folder. */
  readonly #watched: Map<string, Watched> = new Map();
  #closed = false;

  /** `path` is absolute. `changed` is called for every event that may concern it. */
  constructor(path: string, host: WatchHost, changed: () => void) {
    this.#path = path;
    this.#host = host;
    this.#changed = changed;
    this.#follow();
  }

  /** Lets go of everything. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const folder of [...this.#watched.keys()]) this.#leave(folder);
  }

  #follow(): void {
    for (let round = 0; round < MOST_ROUNDS && !this.#closed; round++) {
      const steps = stepsOf(this.#path, this.#host);
      for (const folder of [...this.#watched.keys()]) if (!steps.has(folder)) this.#leave(folder);
      let isNew = false;
      for (const [folder, names] of steps) if (this.#enter(folder, names)) isNew = true;
      if (!isNew) return;
    }
  }

  /** True if a watch was set. */
  #enter(folder: string, names: ReadonlySet<string>): boolean {
    const { fs } = this.#host;
    try {
      const { dev, ino } = fs.statSync(folder, { bigint: true });
      const inode = `${dev}:${ino}`;
      const known = this.#watched.get(folder);
      if (known?.inode === inode) {
        known.names = names;
        return false;
      }
      this.#leave(folder);
      const watcher = fs.watch(folder, { persistent: false }, (event, name) => this.#told(folder, event, name));
      watcher.on('error', () => this.#leave(folder));
      watcher.unref?.();
      this.#watched.set(folder, { watcher, inode, names });
      return true;
    } catch {
      return false; // gone again, not to be looked into, no watches left, not supported
    }
  }

  #leave(folder: string): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
  }

  #told(folder: string, event: string, name: string | null | undefined): void {
    if (this.#closed || (name != null && this.#watched.get(folder)?.names.has(name) !== true)) return;
    if (event !== 'change') this.#follow();
    this.#changed();
  }
}

/** The folders in which the path is looked up, each with the names that are looked up in it. */
function stepsOf(path: string, { fs, paths }: WatchHost): Map<string, Set<string>> {
  const steps = new Map<string, Set<string>>();
  const split = (text: string) => text.split(paths.sep).filter((name) => name !== '' && name !== '.');
  let folder = paths.parse(path).root;
  let names = split(path.slice(folder.length));
  let links = 0;
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === '..') {
      folder = paths.dirname(folder);
      continue;
    }
    const known = steps.get(folder);
    if (known === undefined) steps.set(folder, new Set([name]));
    else known.add(name);
    const target = targetOf(paths.join(folder, name), fs);
    if (target === undefined) break;
    if (target === '') {
      folder = paths.join(folder, name);
      continue;
    }
    if (++links > MOST_LINKS) break;
    const { root } = paths.parse(target);
    if (root !== '') folder = root;
    names = [...split(target.slice(root.length)), ...names];
  }
  return steps;
}

/** Where a link leads to; empty for what is no link, undefined for what is not there. */
function targetOf(path: string, fs: FileSystem): string | undefined {
  try {
    return fs.lstatSync(path).isSymbolicLink() ? fs.readlinkSync(path) : '';
  } catch {
    return undefined;
  }
}
