import { EtagMismatch, FetchSource, PMTiles, type Source } from 'pmtiles';
import { describe, expect, it } from 'vitest';
import { openUrl, pmtilesSource } from '../../lib/bytes/index.js';
import { pmtilesFile, tileText, ZOOM } from './archives.js';
import { serve, unheard } from './host.js';
import { Thing } from './thing.js';

async function tile(tiles: PMTiles, i: number): Promise<string | undefined> {
  const response = await tiles.getZxy(ZOOM, i % 4, Math.floor(i / 4) % 4);
  return response && new TextDecoder().decode(response.data);
}

function allTiles(tiles: PMTiles): Promise<(string | undefined)[]> {
  return Promise.all(Array.from({ length: 16 }, (_, i) => tile(tiles, i)));
}

function texts(version: number): string[] {
  return Array.from({ length: 16 }, (_, i) => tileText(version, i % 4, Math.floor(i / 4)));
}

/** A `Source` for pmtiles, and what it stands on. */
interface Way {
  readonly archive: Source;
  /** Tells those who listen that the archive has changed. */
  announce(): Promise<void>;
  close(): Promise<void>;
}

/** An archive on a server, by the package's own way or by the adapter. */
async function served(
  wayOf: (url: string) => Way,
  work: (thing: Thing, tiles: PMTiles, way: Way) => Promise<void>,
): Promise<void> {
  const thing = new Thing(pmtilesFile);
  const host = await serve(thing);
  const way = wayOf(host.url);
  try {
    await work(thing, new PMTiles(way.archive), way);
  } finally {
    await way.close();
    await host.close();
  }
}

const theirs = (url: string): Way => ({
  archive: new FetchSource(url),
  announce: async () => {},
  close: async () => {},
});

const ours = (url: string): Way => {
  const source = openUrl(url, { pageSize: 4096 });
  return {
    archive: pmtilesSource(source, { key: url, EtagMismatch }),
    announce: () => source.invalidate(),
    close: () => source.close(),
  };
};

/** Uses the archive, replaces it, and fails the request by which its header is read again. */
async function failRefresh(thing: Thing, tiles: PMTiles): Promise<unknown[]> {
  expect(await tile(tiles, 0)).toBe(tileText(1, 0, 0));
  thing.replace();
  let requests = 0;
  thing.before = () => {
    // The first is the one for the tile, which finds another version; the header is the next.
    if (++requests === 2) thing.failures = 1;
  };
  return unheard(() => expect(tile(tiles, 15)).rejects.toThrow('500'));
}

describe('an archive on a server, replaced, whose header cannot be read again once', () => {
  it('leaves pmtiles wedged by its own FetchSource, and a rejection that nobody handles', async () => {
    await served(theirs, async (thing, tiles) => {
      expect(await failRefresh(thing, tiles)).toHaveLength(1);
      const before = thing.requests;
      let failed = 0;
      for (let i = 0; i < 20; i++) await tile(tiles, i).catch(() => failed++);
      console.log(`FetchSource: after one failed refresh ${failed} of 20 tiles fail, with ${thing.requests - before} requests`);
      expect([failed, thing.requests - before]).toEqual([20, 0]);
    });
  });

  it('is there again with the next tile through openUrl and pmtilesSource', async () => {
    await served(ours, async (thing, tiles) => {
      expect(await failRefresh(thing, tiles)).toEqual([]);
      let failed = 0;
      for (let i = 0; i < 20; i++) await tile(tiles, i).catch(() => failed++);
      console.log(`pmtilesSource: after one failed refresh ${failed} of 20 tiles fail`);
      expect(failed).toBe(0);
      expect(await allTiles(tiles)).toEqual(texts(2));
    });
  });
});

it('gives the same tiles as FetchSource from a quiet server', async () => {
  for (const source of [theirs, ours]) {
    await served(source, async (thing, tiles) => {
      expect(await allTiles(tiles)).toEqual(texts(1));
      expect(await tiles.getMetadata()).toEqual({ name: 'v1' });
      console.log(`${source === ours ? 'pmtilesSource' : 'FetchSource'}: 16 tiles and metadata by ${thing.requests} requests`);
    });
  }
});

it('gives whole tiles of one version, none older than what was announced, under ten replacements', async () => {
  await served(ours, async (thing, tiles, way) => {
    for (let round = 0; round < 10; round++) {
      const floor = thing.version;
      const asked = Array.from({ length: 64 }, async (_, i) => {
        if (i === 32) thing.replace();
        const text = await tile(tiles, i);
        expect([floor, floor + 1].map((version) => texts(version)[i % 16])).toContain(text);
      });
      await Promise.all(asked);
      await way.announce();
      expect(await allTiles(tiles)).toEqual(texts(thing.version));
    }
  });
});
