/**
 * Device: what the kernel's test driver can be told to do, over a table of one of the three kinds.
 */
import type { Range } from '../../../lib/index.js';
import { PageFault, type SimulatedAddressSpace } from '../../../lib/testing/index.js';
import { type DeviceTable, makeTable, type Variant } from './tables.js';

/** What a snapshot says of a page. */
export type Sight = 'none' | 'zero' | 'read' | 'write' | 'local' | 'foreign';

/** The kernel's words for what a device gets to hear. */
const ERRNO = {
  'no-mapping': 'EFAULT',
  'not-readable': 'EFAULT',
  'not-writable': 'EPERM',
  'beyond-end': 'EFAULT',
  torn: 'torn',
  freed: 'freed',
};

/** A simulated device, opened on a space. */
export class Device {
  readonly space: SimulatedAddressSpace;
  readonly table: DeviceTable;

  constructor(space: SimulatedAddressSpace, variant: Variant, pause?: () => Promise<void>) {
    this.space = space;
    this.table = makeTable(variant, { space, owner: this, pause });
  }

  /** What the device sees. */
  read(range: Range): Promise<Uint8Array> {
    return this.table.access({ range, write: false }, (pages) => Buffer.concat(pages.map((page) => page.read())));
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
        const { devicePrivate, zero, writable } = page.flags;
        if (devicePrivate) return page.owner === this ? 'local' : 'foreign';
        if (zero) return 'zero';
        return writable ? 'write' : 'read';
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
    throw error;
  }
}
