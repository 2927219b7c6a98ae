import { EtagMismatch, PMTiles, type Source } from 'pmtiles';
import { describe, expect, it } from 'vitest';
import { type ByteReader, perVersion, pmtilesSource } from '../../lib/bytes/index.js';
import { CollisionError, InvalidArgumentError } from '../../lib/index.js';
import { pmtilesFile, tileText, ZOOM } from '../packages/archives.js';
import { unheard } from '../packages/host.js';
import { exactly, open, type Thing } from '../packages/thing.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { failure } from '../support/turns.js';

const OPTIONS = { key: 'thing', EtagMismatch };

async function tile(tiles: PMTiles, x: number, y: number): Promise<string | undefined> {
  const response = await tiles.getZxy(ZOOM, x, y);
  return response && new TextDecoder().decode(response.data);
}

async function allTiles(tiles: PMTiles): Promise<(string | undefined)[]> {
  return Promise.all(Array.from({ length: 16 }, (_, i) => tile(tiles, i % 4, Math.floor(i / 4))));
}

function texts(version: number): string[] {
  return Array.from({ length: 16 }, (_, i) => tileText(version, i % 4, Math.floor(i / 4)));
}

/** As the package reads without a fence, and without an ETag: a server that has none, a file in a browser. */
function unfenced(thing: Thing): Source {
  return {
    getKey: () => 'thing',
    getBytes: async (offset, length) => ({ data: exactly(await thing.slice(offset, offset + length)) }),
  };
}

describe('pmtilesSource', () => {
  it('gives the tiles, the header and the metadata that the package reads from the same bytes by itself', async () => {
    const { thing, source } = open(pmtilesFile);
    const theirs = new PMTiles(unfenced(thing));
    const ours = new PMTiles(pmtilesSource(source, OPTIONS));
    expect(await allTiles(theirs)).toEqual(texts(1));
    expect(await allTiles(ours)).toEqual(texts(1));
    expect(await ours.getMetadata()).toEqual(await theirs.getMetadata());
    expect({ ...(await ours.getHeader()), etag: undefined }).toEqual(await theirs.getHeader());
    expect(await ours.getZxy(ZOOM + 1, 0, 0)).toBeUndefined();
    expect(await source.consistent((view) => allTiles(new PMTiles(pmtilesSource(view, OPTIONS))))).toEqual(texts(1));
  });

  it('is what keeps versions apart: without, an old directory finds a tile of another place', async () => {
    const { thing } = open(pmtilesFile);
    const tiles = new PMTiles(unfenced(thing));
    await tile(tiles, 0, 0);
    thing.replace();
    const text = await tile(tiles, 0, 0);
    expect(text).toContain('v2');
    expect(text).not.toBe(tileText(2, 0, 0));
  });

  it('gives nothing older than an announced change, from an object that was made and used before it', async () => {
    const { thing, source } = open(pmtilesFile);
    const tiles = new PMTiles(pmtilesSource(source, OPTIONS));
    for (let version = 1; version < 5; version++) {
      expect(await allTiles(tiles)).toEqual(texts(version));
      expect(await tiles.getMetadata()).toEqual({ name: `v${version}` });
      expect(await source.mutate({ start: 0, end: thing.bytes.length }, () => thing.replace())).toBeUndefined();
    }
  });

  // A first tile is read by three reads: of header and root, of a leaf, of the tile.
  it.each([1, 2])('begins again by itself when a change comes behind read %d of a tile', async (read) => {
    const { thing, source } = open(pmtilesFile);
    const tiles = new PMTiles(pmtilesSource(source, OPTIONS));
    thing.after = () => {
      if (thing.requests === read) thing.replace();
    };
    expect(await tile(tiles, 3, 3)).toBe(tileText(2, 3, 3));
    expect(await allTiles(tiles)).toEqual(texts(2));
  });

  it('notices by itself, by the next missing page, that the archive was replaced', async () => {
    const { thing, source } = open(pmtilesFile);
    const tiles = new PMTiles(pmtilesSource(source, OPTIONS));
    expect(await tile(tiles, 0, 0)).toBe(tileText(1, 0, 0));
    thing.replace();
    expect(await tile(tiles, 3, 3)).toBe(tileText(2, 3, 3));
    expect(await allTiles(tiles)).toEqual(texts(2));
    expect(source.stats.changes).toBe(1);
  });

  it('is not wedged by a failed refresh, and leaves no rejection unhandled', async () => {
    const { thing, source } = open(pmtilesFile);
    const tiles = new PMTiles(pmtilesSource(source, OPTIONS));
    expect(await tile(tiles, 0, 0)).toBe(tileText(1, 0, 0));
    thing.replace();
    let requests = 0;
    thing.before = () => {
      if (++requests === 2) thing.failures = 3; // the first finds out that there is another version
    };
    const reasons = await unheard(async () => {
      await expect(tile(tiles, 3, 3)).rejects.toThrow('the network is gone');
      await expect(tile(tiles, 3, 3)).rejects.toThrow('the network is gone');
      await expect(tile(tiles, 3, 3)).rejects.toThrow('the network is gone');
    });
    expect(reasons).toEqual([]);
    expect(await allTiles(tiles)).toEqual(texts(2));
  });

  it('asks pmtiles to begin again only when the new header is there, so that none of its promises is left to nobody', async () => {
    const { thing, source } = open(pmtilesFile);
    const tiles = new PMTiles(pmtilesSource(source, OPTIONS));
    // Header, leaf of another version, leaf again; the header again is the fourth.
    thing.after = () => {
      if (thing.requests === 1) thing.replace();
    };
    thing.before = () => {
      if (thing.requests === 4) thing.failures = 1;
    };
    const reasons = await unheard(() => expect(tile(tiles, 0, 0)).rejects.toThrow('the network is gone'));
    expect([thing.requests, reasons]).toEqual([4, []]);
    expect(await allTiles(tiles)).toEqual(texts(2));
  });

  it('hands out the header that it has read for that once more, and never after another change', async () => {
    const { thing, source } = open(pmtilesFile);
    const archive = pmtilesSource(source, OPTIONS);
    const isCurrent = async () => Buffer.from((await archive.getBytes(0, 16_384)).data).equals(thing.bytes.subarray(0, 16_384));
    const { etag } = await archive.getBytes(0, 10);
    thing.replace();
    await source.invalidate();
    await expect(archive.getBytes(0, 10, undefined, etag)).rejects.toBeInstanceOf(EtagMismatch);
    const before = thing.requests;
    expect([await isCurrent(), thing.requests - before]).toEqual([true, 0]);
    thing.replace();
    await source.invalidate();
    expect(await isCurrent()).toBe(true);
  });

  it.each([1, 2, 3])('is not wedged by a failure of read %d of a first tile', async (read) => {
    const { thing, source } = open(pmtilesFile);
    const tiles = new PMTiles(pmtilesSource(source, OPTIONS));
    thing.before = () => {
      if (thing.requests === read) thing.failures = 1;
    };
    await expect(tile(tiles, 0, 0)).rejects.toThrow('the network is gone');
    expect(await allTiles(tiles)).toEqual(texts(1));
  });

  it('rejects with CollisionError where it was not given the class', async () => {
    const { thing, source } = open(pmtilesFile);
    const tiles = new PMTiles(pmtilesSource(source, { key: 'thing' }));
    thing.after = () => {
      if (thing.requests === 2) thing.replace();
    };
    await expect(tile(tiles, 0, 0)).rejects.toBeInstanceOf(CollisionError);
    expect(await tile(tiles, 0, 0)).toBe(tileText(2, 0, 0));
  });

  it('is called as it was told until the first change, and by another name after each', async () => {
    const { thing, source } = open(pmtilesFile);
    const archive = pmtilesSource(source, OPTIONS);
    const keys = [archive.getKey()];
    await archive.getBytes(0, 10);
    keys.push(archive.getKey());
    expect(keys).toEqual(['thing', 'thing']);
    await source.invalidate();
    keys.push(archive.getKey());
    thing.failures = 1;
    await failure(archive.getBytes(0, 10));
    keys.push(archive.getKey());
    expect(new Set(keys).size).toBe(3);
    const view = await source.consistent((reader) => pmtilesSource(reader, OPTIONS).getKey());
    expect(view).toBe('thing');
  });

  it('gives up a read with its signal, and keeps its name', async () => {
    const { thing, source } = open(pmtilesFile);
    const archive = pmtilesSource(source, OPTIONS);
    const controller = new AbortController();
    thing.before = () => controller.abort(new Error('enough'));
    await expect(archive.getBytes(0, 10, controller.signal)).rejects.toThrow('enough');
    expect(archive.getKey()).toBe('thing');
    expectNothingLeft(source.tracker, { signals: [controller.signal], subscribed: 1 });
  });

  it('refuses what has no name, and what is no class', () => {
    const { source } = open(pmtilesFile);
    const refused: unknown[] = [undefined, {}, { key: 1 }, { key: 'a', EtagMismatch: 'EtagMismatch' }];
    for (const options of refused) expect(() => pmtilesSource(source, options as never)).toThrow(InvalidArgumentError);
  });

  it('needs no class inside of perVersion, which runs the query again', async () => {
    const { thing, source } = open(pmtilesFile);
    let made = 0;
    const make = (reader: ByteReader) => {
      made++;
      return new PMTiles(pmtilesSource(reader, { key: 'thing' }));
    };
    const query = perVersion(source, make);
    thing.after = () => {
      if (thing.requests === 2) thing.replace();
    };
    expect(await query(allTiles)).toEqual(texts(2));
    expect(await query(allTiles)).toEqual(texts(2));
    expect(made).toBe(2);
  });

  it('gives whole tiles of one version to a hundred at once while it changes', async () => {
    const { thing, source } = open(pmtilesFile);
    const tiles = new PMTiles(pmtilesSource(source, OPTIONS));
    let left = 2;
    thing.after = () => {
      if (left-- > 0) thing.replace();
    };
    const found = await Promise.all(Array.from({ length: 100 }, (_, i) => tile(tiles, i % 4, Math.floor(i / 4) % 4)));
    found.forEach((text, i) => {
      const versions = [1, 2, 3].map((version) => tileText(version, i % 4, Math.floor(i / 4) % 4));
      expect(versions).toContain(text);
    });
    expect(await allTiles(tiles)).toEqual(texts(3));
  });
});
