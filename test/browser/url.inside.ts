/**
 * `openUrl` in a page, over a real server of another origin: what the browser adds to a request, and what it hides of a
 * response.
 */
import { describe, expect, inject, it } from 'vitest';
import { type ByteSource, openUrl, SourceError } from '../../lib/bytes/index.js';
import type { Arrival, Behaviour } from './server.js';

const PAGE = 1024;
const SIZE = 16 * PAGE;

let things = 0;

/** A thing of this test's own, and a source over it. */
class Remote {
  readonly url = `${inject('things')}${Math.random()}-${things++}`;
  readonly source: ByteSource;

  constructor(maxRunPages: number | undefined) {
    this.source = openUrl(this.url, { pageSize: PAGE, maxRunPages });
  }

  static async make(behaviour: Partial<Behaviour> = {}, maxRunPages?: number): Promise<Remote> {
    const remote = new Remote(maxRunPages);
    await remote.behave({ size: SIZE, ...behaviour });
    return remote;
  }

  async behave(behaviour: Partial<Behaviour>): Promise<void> {
    const { ok } = await fetch(this.url, { method: 'PUT', body: JSON.stringify(behaviour) });
    expect(ok).toBe(true);
  }

  /** What has arrived; waits for it, if there has to be something. */
  async log(wait = ''): Promise<Arrival[]> {
    const response = await fetch(`${this.url}?log&${wait}`);
    return (await response.json()) as Arrival[];
  }
}

/** The versions of these bytes; one, if all is well. */
const versions = (bytes: Uint8Array): number[] => [...new Set(bytes)];

describe('a URL source in a page', () => {
  it('reads ranges, joined and kept, and the size', async () => {
    const { source, log } = bound(await Remote.make());
    const [one, other] = await Promise.all([source.read(100, 3 * PAGE), source.read(100, 3 * PAGE)]);
    expect([one.length, versions(one), other.length, versions(other)]).toEqual([3 * PAGE, [1], 3 * PAGE, [1]]);
    expect(await source.size()).toBe(SIZE);
    await source.read(PAGE, PAGE);
    const ranges = (await log()).map(({ range }) => range).filter((range) => range !== 'bytes=0-1');
    expect(ranges).toEqual([`bytes=0-${4 * PAGE - 1}`]);
    expect((await source.read(SIZE - 10, 100)).length).toBe(10);
    await source.close();
  });

  it('asks for the version that it knows, and after another one has nothing of the old one', async () => {
    const { source, log, behave } = bound(await Remote.make());
    expect(versions(await source.read(0, PAGE))).toEqual([1]);
    await behave({ version: 2 });
    expect(versions(await source.read(0, SIZE))).toEqual([2]);
    expect(source.stats.changes).toBeGreaterThan(0);
    expect(await log()).toContainEqual(expect.objectContaining({ ifMatch: '"1"', status: 412 }));
    await source.close();
  });

  it('gives no result of two versions, however often it changes meanwhile', async () => {
    const { source, behave } = bound(await Remote.make({}, 1)); // as many requests as pages
    const seen = new Set<number>();
    for (let version = 2; version <= 20; version++) {
      const reads = [0, 3, 9].map((page) => source.read(page * PAGE, 5 * PAGE));
      const whole = source.consistent(async (view) => {
        const parts = [await view.read(0, PAGE), await view.read(7 * PAGE, PAGE), await view.read(SIZE - PAGE, PAGE)];
        return Uint8Array.from(parts.flatMap((part) => [...part]));
      });
      const [, ...results] = await Promise.all([behave({ version }), whole, ...reads]);
      for (const bytes of results) {
        expect(versions(bytes)).toHaveLength(1);
        seen.add(bytes[0]!);
      }
      await source.invalidate(); // everything has to be got again
    }
    expect(seen.size).toBeGreaterThan(5);
    await source.close();
  });

  it('would be mixed if pages were read by hand and kept', async () => {
    const { url, behave } = bound(await Remote.make());
    const page = async (n: number) => {
      const response = await fetch(url, { headers: { range: `bytes=${n * PAGE}-${(n + 1) * PAGE - 1}` } });
      return [...new Uint8Array(await response.arrayBuffer())];
    };
    const first = await page(0);
    await behave({ version: 2 });
    expect(versions(Uint8Array.from([...first, ...(await page(1))]))).toEqual([1, 2]);
  });

  it('takes the request back when nobody wants it any more: the server sees it go', async () => {
    const { source, log, behave } = bound(await Remote.make());
    await source.size();
    const before = (await log()).length;
    await behave({ stalls: true });
    const controller = new AbortController();
    const reading = source.read(0, 8 * PAGE, { signal: controller.signal });
    await log(`arrived=${before + 1}`);
    controller.abort('enough');
    // Mostly at once; a browser has been seen to take five seconds, so there is time for more.
    await expect(reading).rejects.toBe('enough');
    expect((await log('gone=1')).at(-1)).toMatchObject({ gone: true });
    await behave({ stalls: false });
    expect(versions(await source.read(0, 8 * PAGE))).toEqual([1]);
    await source.close();
  });

  it('refuses a server without ranges, and says so', async () => {
    const { source, log, behave } = bound(await Remote.make({ ranges: false }));
    const error = await source.read(0, PAGE).catch((error) => error);
    expect(error).toBeInstanceOf(SourceError);
    expect(error.message).toMatch(/got 200.*no range support; expected 206/);
    expect((await log()).every(({ range }) => range?.startsWith('bytes='))).toBe(true);
    await behave({ ranges: true });
    expect(versions(await source.read(0, PAGE))).toEqual([1]);
    await source.close();
  });

  it.each([
    ['nothing', '', 'Content-Range'],
    ['no range', 'etag', 'Content-Range'],
    ['no version', 'content-range', 'version'],
  ])('says what is missing where the server exposes %s', async (_what, exposed, missing) => {
    const { source, url } = bound(await Remote.make({ exposed }));
    const error = await source.read(0, PAGE).catch((error) => error);
    expect(error).toBeInstanceOf(SourceError);
    expect(error).toMatchObject({ code: 'RANGEFENCE_SOURCE', source: url });
    expect(error.message).toContain(missing);
    expect(error.message).toMatch(/exposed? to this origin/);
    await source.close();
  });

  it('says which URL could not be asked', async () => {
    const source = openUrl('http://127.0.0.1:1/nobody');
    const error = await source.read(0, 1).catch((error) => error);
    expect(error).toMatchObject({ name: 'SourceError', source: 'http://127.0.0.1:1/nobody' });
    expect(error.cause).toBeInstanceOf(TypeError);
    await source.close();
  });
});

/** Its parts, to be used by name. */
function bound(remote: Remote): Pick<Remote, 'url' | 'source' | 'log' | 'behave'> {
  const { url, source } = remote;
  return { url, source, log: (wait) => remote.log(wait), behave: (behaviour) => remote.behave(behaviour) };
}
