/**
 * Host: the part of Node's file system that a file source uses, spelled out, as the library is compiled without Node's types;
 * reached without an import, so that a browser's bundle has nothing to resolve.
 */

/** What is asked about a file. All of it is exact: time stamps are nanoseconds since 1970. */
export interface Stat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  isFile(): boolean;
}

/** An open file. `close` waits for reads that are under way. */
export interface Handle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  stat(options: { readonly bigint: true }): Promise<Stat>;
  close(): Promise<void>;
}

/** A running watch. */
export interface Watcher {
  on(event: 'error', listener: () => void): void;
  unref?(): void;
  close(): void;
}

/** The part of `node:fs` that is used. */
export interface FileSystem {
  readonly promises: {
    open(path: string, flags: 'r'): Promise<Handle>;
    stat(path: string, options: { readonly bigint: true }): Promise<Stat>;
  };
  statSync(path: string, options: { readonly bigint: true }): Pick<Stat, 'dev' | 'ino'>;
  lstatSync(path: string): { isSymbolicLink(): boolean };
  readlinkSync(path: string): string;
  watch(
    path: string,
    options: { readonly persistent: false },
    listener: (event: string, name: string | null | undefined) => void,
  ): Watcher;
}

/** The part of `node:path` that is used. */
export interface Paths {
  readonly sep: string;
  resolve(path: string): string;
  dirname(path: string): string;
  join(...parts: string[]): string;
  parse(path: string): { readonly root: string };
}

/** The part of `node:url` that is used. */
export interface Urls {
  fileURLToPath(url: URL): string;
}

/** What a source of a file needs of its host. */
export interface HostFiles {
  readonly fs: FileSystem;
  readonly paths: Paths;
  readonly urls: Urls;
}

interface Host {
  readonly process?: {
    getBuiltinModule?(name: 'node:fs'): FileSystem | undefined;
    getBuiltinModule?(name: 'node:path'): Paths | undefined;
    getBuiltinModule?(name: 'node:url'): Urls | undefined;
  };
}

/** All of them; `undefined` where one is missing. */
export function hostFiles(): HostFiles | undefined {
  const { process } = globalThis as unknown as Host;
  const fs = process?.getBuiltinModule?.('node:fs');
  const paths = process?.getBuiltinModule?.('node:path');
  const urls = process?.getBuiltinModule?.('node:url');
  return fs === undefined || paths === undefined || urls === undefined ? undefined : { fs, paths, urls };
}
