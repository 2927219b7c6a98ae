import {
  type AsyncBuffer,
  asyncBufferFromFile,
  cachedAsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { hyparquetBuffer, openFile } from '../../lib/bytes/index.js';
import { parquetOf, versionsOf } from './archives.js';
import { inFolder, VersionedFile } from './files.js';

const QUERIES = 1000;
const REPLACEMENTS = 5;
/** Queries between two replacements. */
const SHARE = QUERIES / REPLACEMENTS;
/** Queries that arrive in one turn. */
const AT_ONCE = 10;
/** Row groups of one query. */
const PIECES = 3;
/** Turns between two of them. */
const LOOK = 40;
const GROUP = 500;
const GROUPS = 72;
/** 610 KiB: of a smaller file, hyparquet's cache keeps the first version as a whole, for ever. */
const ARCHIVE = parquetOf(GROUP * GROUPS, GROUP);

/** What came of the queries. */
interface Tally {
  /** By the version of the result. */
  readonly whole: Map<number, number>;
  mixed: number;
  failed: number;
  /** The most queries that ran side by side. */
  atOnce: number;
}

type Rows = Record<string, unknown>[];

/**
 * A thousand queries side by side. They arrive a few in each turn, look through the file from its beginning to its end, and go on
 * for as long as it takes. Meanwhile the file is replaced, once for each fifth of them.
 */
async function underReplacement(replace: () => Promise<void>, query: (first: number) => Promise<Rows>): Promise<Tally> {
  const tally: Tally = { whole: new Map(), mixed: 0, failed: 0, atOnce: 0 };
  let inFlight = 0;
  const one = async (i: number) => {
    tally.atOnce = Math.max(tally.atOnce, ++inFlight);
    try {
      const rows = await query(Math.floor((i * (GROUPS - PIECES + 1)) / QUERIES));
      const [version, ...others] = versionsOf(rows);
      if (others.length > 0 || rows.length !== PIECES * GROUP) tally.mixed++;
      else tally.whole.set(version!, (tally.whole.get(version!) ?? 0) + 1);
    } catch {
      tally.failed++;
    }
    inFlight--;
  };
  const running: Promise<void>[] = [];
  for (let i = 0; i < QUERIES; i++) {
    if (i % SHARE === SHARE / 2) running.push(replace());
    running.push(one(i));
    if (i % AT_ONCE === 0) await turns(1);
  }
  await Promise.all(running);
  return tally;
}

/** Row groups one after another, as long as somebody has a look at the rows in between. */
async function look(file: AsyncBuffer, first: number): Promise<Rows> {
  const metadata = await parquetMetadataAsync(file);
  const rows: Rows = [];
  for (let group = first; group < first + PIECES; group++) {
    await turns(LOOK);
    rows.push(...(await groupOf(file, metadata, group)));
  }
  return rows;
}

function groupOf(file: AsyncBuffer, metadata: FileMetaData, group: number): Promise<Rows> {
  return parquetReadObjects({ file, metadata, rowStart: group * GROUP, rowEnd: (group + 1) * GROUP });
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

function show(what: string, { whole, mixed, failed, atOnce }: Tally): void {
  const versions = [...whole].map(([version, count]) => `${count} of version ${version}`).join(', ');
  console.log(
    `${what}: of ${QUERIES} queries, up to ${atOnce} at once, ${mixed} mixed, ${failed} failed, ${versions || 'none whole'}`,
  );
}

describe('a Parquet file that is replaced under a thousand queries', () => {
  it('gives mixed or broken results through the package’s own cachedAsyncBuffer', async () => {
    await inFolder(async (folder) => {
      const file = new VersionedFile(folder, ARCHIVE);
      await file.prepare(REPLACEMENTS + 1);
      await file.replace();
      const buffer = cachedAsyncBuffer(await asyncBufferFromFile(file.path));
      // On a slow disk all replacements are through before the first group is read, or the other way round. So each is due when
      // its share of the groups has been read, and falls into the pause of everybody who looks at rows.
      let read = 0;
      let replaced = Promise.resolve();
      const query = async (first: number) => {
        const rows: Rows = [];
        const metadata = await parquetMetadataAsync(buffer);
        for (let group = first; group < first + PIECES; group++) {
          await turns(LOOK);
          await replaced;
          rows.push(...(await groupOf(buffer, metadata, group)));
          if (++read % SHARE === 0 && read <= REPLACEMENTS * SHARE) replaced = file.replace();
        }
        return rows;
      };
      const tally = await underReplacement(() => replaced, query);
      show('cachedAsyncBuffer over asyncBufferFromFile', tally);
      expect(file.version).toBe(REPLACEMENTS + 1);
      expect(tally.mixed + tally.failed).toBeGreaterThan(0);
    });
  });

  it('gives none through openFile and consistent, and the last version to all who ask afterwards', async () => {
    await inFolder(async (folder) => {
      const file = new VersionedFile(folder, ARCHIVE);
      await file.prepare(REPLACEMENTS + 2);
      await file.replace();
      const source = openFile(file.path);
      const query = (first: number) => source.consistent(async (view) => look(await hyparquetBuffer(view), first));
      const tally = await underReplacement(() => file.replace(), query);
      show('openFile and consistent', tally);
      const { collisions, holds } = source.tracker.stats;
      const { requests, changes } = source.stats;
      console.log(`  ${requests} requests, ${changes} changes noticed, ${collisions} queries begun again, ${holds} holds`);
      expect([tally.mixed, tally.failed]).toEqual([0, 0]);

      await file.replace();
      await source.invalidate();
      const rows = await Promise.all(Array.from({ length: 20 }, (_, i) => query(i * 3)));
      expect(versionsOf(rows.flat())).toEqual(new Set([file.version]));
      await source.close();
    });
  });

  it('gives none either where the file is written over in place, announced, without waiting for the queries', async () => {
    await inFolder(async (folder) => {
      const file = new VersionedFile(folder, ARCHIVE);
      await file.prepare(REPLACEMENTS + 1);
      await file.replace();
      const source = openFile(file.path);
      const everything = { start: 0, end: Number.POSITIVE_INFINITY };
      const tally = await underReplacement(
        () => source.mutate(everything, () => file.overwrite()),
        (first) => source.consistent(async (view) => look(await hyparquetBuffer(view), first)),
      );
      show('openFile, mutate and consistent', tally);
      expect([tally.mixed, tally.failed]).toEqual([0, 0]);
      await source.close();
    });
  });
});
