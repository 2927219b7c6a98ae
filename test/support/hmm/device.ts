/**
 * Device: what the kernel's test driver can be told to do, over a table of one of the three kinds.
 */
import type { Range } from '../../../lib/index.js';
import { PageFault, type SimulatedAddressSpace } from '../../../lib/testing/index.js';
import { type DeviceTable, makeTable, type Variant } from './tables.js';

/** Whose memory a device has: its own, or one that everybody can use as it is. */
export type Memory = 'private' | 'coherent';

/**
 * What a snapshot says of a page: where it is (`local`: in this device's memory, `remote`: in another one's that it can use,
 * `zero`: the page of zeros), what it allows, and whether it is part of a huge one; or `none`.
 */
export type Sight = 'none' | `${'' | 'local ' | 'remote ' | 'zero '}${'read' | 'write'}${'' | ' huge'}`;

/** What the kernel's command would have returned. */
export class CommandError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** The kernel's words for what a device gets to hear. */
const ERRNO = {
  'no-mapping': 'EFAULT',
  'not-readable': 'EFAULT',
  'not-writable': 'EPERM',
  'beyond-end': 'EFAULT',
  torn: 'torn',
  freed: 'freed',
};

/** What a device is. */
export interface DeviceOptions {
  readonly variant: Variant;
  /** Default private. */
  readonly memory?: Memory | undefined;
  readonly pause?: (() => Promise<void>) | undefined;
}

/** A simulated device, opened on a space. */
export class Device {
  readonly space: SimulatedAddressSpace;
  readonly table: DeviceTable;
  /** What the space asks its owners. */
  readonly coherent: boolean;

  constructor(space: SimulatedAddressSpace, { variant, memory = 'private', pause }: DeviceOptions) {
    this.space = space;
    this.coherent = memory === 'coherent';
    this.table = makeTable(variant, { space, owner: this, pause });
  }

  /** What the device sees, into the buffer. */
  read(range: Range, into: Uint8Array = new Uint8Array(range.end - range.start)): Promise<Uint8Array> {
    return this.table.access({ range, write: false }, (pages) => {
      into.set(Buffer.concat(pages.map((page) => page.read())));
      return into;
    });
  }

  /** Stores to whole pages. */
  write(range: Range, bytes: Uint8Array): Promise<void> {
    const { pageSize } = this.space;
    return this.table.access({ range, write: true }, (pages) =>
      pages.forEach((page, i) => {
        page.write(bytes.subarray(i * pageSize, (i + 1) * pageSize));
      }),
    );
  }

  /**
   * The kernel's command: takes the pages into its own memory, and shows what is in them. `EINVAL`: not all is mapped and may be
   * read. `ENOENT`: a page has stayed elsewhere.
   */
  async take(range: Range): Promise<Uint8Array> {
    await this.migrate(range).catch((error) => {
      throw error instanceof PageFault ? new CommandError('EINVAL') : error;
    });
    if ((await this.snapshot(range)).some((sight) => !sight.startsWith('local'))) throw new CommandError('ENOENT');
    return this.read(range);
  }

  /** Takes the pages into its own memory; resolves with their number. */
  migrate(range: Range): Promise<number> {
    return this.space.migrate(range, this);
  }

  /** Gives them back. */
  evict(range: Range): Promise<number> {
    return this.space.migrateBack(range, this);
  }

  /** Takes the pages for itself, and maps them; resolves with their number. */
  async exclusive(range: Range): Promise<number> {
    const count = await this.space.makeExclusive(range, this);
    await this.table.access({ range, write: true }, () => {});
    return count;
  }

  /** Pages of the range that it still has for itself. */
  exclusivePages(range: Range): number {
    const { pageSize } = this.space;
    let count = 0;
    for (let page = range.start / pageSize; page < range.end / pageSize; page++) {
      if (this.table.peek(page)?.flags.exclusive) count++;
    }
    return count;
  }

  /** What is there, without any fault. */
  snapshot(range: Range): Promise<Sight[]> {
    return this.table.look(range, () =>
      this.space.snapshot(range).map((page): Sight => {
        if (page === undefined) return 'none';
        const { devicePrivate, deviceCoherent, zero, writable, huge } = page.flags;
        if (devicePrivate && page.owner !== this) return 'none'; // it would have to be fetched first
        const away = page.owner === this ? 'local ' : 'remote ';
        const place = devicePrivate || deviceCoherent ? away : zero ? 'zero ' : '';
        return `${place}${writable ? 'write' : 'read'}${huge ? ' huge' : ''}`;
      }),
    );
  }

  /** Gives back what is in its memory, and forgets the rest. */
  async close(range?: Range): Promise<void> {
    if (range !== undefined) await this.evict(range);
    this.table.close();
  }
}

/** The kernel's error number of a failure; anything but a fault is thrown on. */
export async function errno(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof PageFault) return ERRNO[error.reason];
    if (error instanceof CommandError) return error.code;
    throw error;
  }
}
