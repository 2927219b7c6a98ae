/** The version of a view, and its streams: for whoever serves what a source reads. */
import { afterEach, describe, expect, it } from 'vitest';
import { ByteSource, type ByteStream, type ByteView, SourceError } from '../../lib/bytes/index.js';
import { CollisionError, InvalidArgumentError, InvalidRangeError, TimeoutError } from '../../lib/index.js';
import { BLOCK, blocks, versionsOf } from '../support/bytes/content.js';
import { Desk } from '../support/bytes/memory.js';
import { expectNothingLeft } from '../support/leftovers.js';
import { Outcome, soon, turns } from '../support/turns.js';

/** Pages of two blocks. */
const PAGE = 2 * BLOCK;
const desks: Desk[] = [];
afterEach(async () => {
  for (const desk of desks.splice(0)) {
    await desk.source.close();
    expect(desk.clock.pending).toBe(0);
    expectNothingLeft(desk.tracker);
  }
});

function opened(options?: ConstructorParameters<typeof Desk>[0], content?: Uint8Array): Desk {
  const desk = new Desk(options, content);
  desks.push(desk);
  return desk;
}

const taken = (desk: Desk, make: (view: ByteView) => ByteStream) => desk.source.consistent(async (view) => make(view));

async function all(stream: ByteStream): Promise<{ bytes: Uint8Array; lengths: number[] }> {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, lengths: parts.map(({ length }) => length) };
}

describe('the version of a view', () => {
  it('is the same for the same version, another one for another, and can stand in an ETag', async () => {
    const { source, backend } = opened();
    const version = () => source.consistent(async (view) => [await view.size(), view.version] as const, { revalidate: true });
    const [, first] = await version();
    expect(first).toMatch(/^[!#-~]+$/);
    expect((await version())[1]).toBe(first);
    backend.put(blocks(2, 20));
    expect((await version())[1]).not.toBe(first);
  });

  it.each(['"a" 10', 'W/"é,ü" - 10', 'a~b', '', 'a"b\\c\r\nd', '\ud800', '日本', '2054:17 9 1 2'])(
    'is one to one with the key, whatever is in that: %j',
    async (key) => {
      const content = blocks(1, 2);
      const make = (each: string) => ({
        name: 'keyed',
        identify: async () => ({ key: each, size: content.length }),
        read: async () => ({ version: { key: each, size: content.length }, bytes: content }),
      });
      const versionOf = async (each: string) => {
        const source = new ByteSource({ backend: make(each) });
        const version = await source.consistent((view) => view.version);
        await source.close();
        return version;
      };
      const version = await versionOf(key);
      expect(version).toMatch(/^[!#-+\--~]*$/);
      for (const other of [
        `${key}a`,
        encodeURIComponent(key === '\ud800' ? 'x' : `${key} `),
        `~${key}`,
        version === key ? `${key}-` : version,
      ])
        expect(await versionOf(other)).not.toBe(version);
    },
  );

  it('may be asked for first: then it costs a question, and the query begins again', async () => {
    const { source, backend } = opened();
    let runs = 0;
    const found = await source.consistent(async (view) => {
      runs++;
      return [view.version, (await view.read(0, 1)).length];
    });
    expect([found, runs, backend.asked]).toEqual([['1', 1], 2, ['?', '0-32']]);
    expect(await source.consistent((view) => view.version)).toBe('1');
    expect(backend.asked).toHaveLength(2);
  });

  it('of a thing that is not there is the error of the question', async () => {
    const { source, backend } = opened();
    backend.identify = () => Promise.reject(new SourceError('memory', 'is not there', { missing: true }));
    await expect(source.consistent((view) => view.version)).rejects.toMatchObject({ missing: true });
  });

  it('makes the query begin again when any byte changes, announced or not', async () => {
    const { source, backend } = opened();
    await source.read(0, 1);
    const seen: string[] = [];
    const result = await source.consistent(async (view) => {
      seen.push(view.version);
      if (seen.length === 1) await source.mutate({ start: 600, end: 601 }, () => backend.put(backend.content));
      if (seen.length === 2) {
        backend.put(blocks(2, 20));
        await source.size({ revalidate: true });
      }
      return view.version;
    });
    expect([seen, result]).toEqual([['1', '2', '3'], '3']);
  });
});

describe('a stream', () => {
  it('gives the bytes of the range, chunk by chunk, cut off at the end', async () => {
    const desk = opened();
    const content = blocks(1, 20);
    for (const [offset, length, chunkSize] of [
      [undefined, undefined, undefined],
      [0, 640, 64],
      [10, 100, 64],
      [100, 10_000, 100],
      [639, 1, 1],
      [640, 10, 64],
      [700, 10, 64],
      [5, 0, 64],
      [31, 33, 32],
    ] as const) {
      const stream = await taken(desk, (view) => view.stream(offset, length, { chunkSize }));
      const { bytes, lengths } = await all(stream);
      expect(bytes).toEqual(content.slice(offset ?? 0, (offset ?? 0) + (length ?? content.length)));
      if (chunkSize !== undefined) for (const each of lengths) expect(each).toBeLessThanOrEqual(chunkSize);
      expect(lengths).not.toContain(0);
    }
  });

  it('reads nothing before it is asked for, and no more than a chunk then', async () => {
    const { source, backend } = opened({ maxRunPages: 1 });
    const stream = await source.consistent(async (view) => view.stream(0, 640, { chunkSize: PAGE }));
    await turns(40);
    expect(backend.asked).toEqual([]);
    const reader = stream.getReader();
    expect((await reader.read()).value).toHaveLength(PAGE);
    await turns(40);
    expect(backend.asked).toEqual(['0-32']);
    await reader.read();
    expect(backend.asked).toEqual(['0-32', '32-64']);
    await reader.cancel();
  });

  it('can be read while the query runs, which begins again with a stream of its own if it was hit', async () => {
    const { source, backend } = opened();
    let runs = 0;
    const bytes = await source.consistent(async (view) => {
      const stream = view.stream(0, 640, { chunkSize: 64 });
      if (++runs === 1) {
        const reader = stream.getReader();
        await reader.read();
        backend.put(blocks(2, 20));
        await source.size({ revalidate: true });
        await reader.read();
        throw new Error('a chunk of another version came');
      }
      return (await all(stream)).bytes;
    });
    expect([versionsOf(bytes), runs]).toEqual([[2], 2]);
  });

  it('observes its range: a change before the query is over makes that begin again, although nothing was read', async () => {
    const { source, backend } = opened();
    let runs = 0;
    await source.read(0, 640);
    const stream = await source.consistent(async (view) => {
      if (++runs === 1) {
        const lost = view.stream(0, 64);
        await source.mutate({ start: 40, end: 41 }, () => backend.put(blocks(2, 20)));
        return lost;
      }
      return view.stream(0, 64);
    });
    expect(runs).toBe(2);
    expect([...versionsOf((await all(stream)).bytes)]).toHaveLength(2); // a mutate vouches for the other page
  });

  it.each(['noticed', 'announced', 'said'])('breaks off where its version ends: a change that is %s', async (how) => {
    const desk = opened();
    const { source, backend } = desk;
    const stream = await taken(desk, (view) => view.stream(0, 640, { chunkSize: 64 }));
    const reader = stream.getReader();
    expect(versionsOf((await reader.read()).value!)).toEqual([1]);
    const put = () => backend.put(blocks(2, 20));
    if (how === 'announced') await source.mutate({ start: 600, end: 640 }, put);
    else {
      put();
      if (how === 'said') await source.invalidate();
      else await source.size({ revalidate: true });
    }
    await expect(reader.read()).rejects.toBeInstanceOf(CollisionError);
    await expect(reader.read()).rejects.toBeInstanceOf(CollisionError);
  });

  it('breaks off at once when a change begins under a read, and does not wait for its end', async () => {
    const desk = opened();
    const { source, backend } = desk;
    const stream = await taken(desk, (view) => view.stream(0, 640, { chunkSize: 64 }));
    backend.held = true;
    const read = new Outcome(stream.getReader().read());
    await turns(20);
    let end!: () => void;
    const change = source.tracker.mutate(
      { start: 5, end: 6 },
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    await turns(40);
    expect(read.error).toBeInstanceOf(CollisionError);
    expect(backend.calls[0]!.signal.aborted).toBe(true);
    end();
    await change;
  });

  it('goes on when other bytes change, however many times: it never has to look further back than its last chunk', async () => {
    const desk = opened();
    const stream = await taken(desk, (view) => view.stream(0, 128, { chunkSize: 32 }));
    const reader = stream.getReader();
    let length = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      length += part.value.length;
      for (let i = 0; i < 3_000; i++) await desk.tracker.mutate({ start: 300, end: 301 }, () => {});
    }
    expect(length).toBe(128);
  });

  it('ends with the signal of the caller, with its time limit, and with the source', async () => {
    const desk = opened();
    const { source, backend, clock } = desk;
    backend.held = true;
    const controller = new AbortController();
    const reads = [
      (await taken(desk, (view) => view.stream(0, 640, { signal: controller.signal }))).getReader().read(),
      (await taken(desk, (view) => view.stream(0, 640, { timeoutMs: 100 }))).getReader().read(),
      (await taken(desk, (view) => view.stream(0, 640))).getReader().read(),
    ].map((read) => new Outcome(read));
    await turns(20);
    controller.abort('enough');
    clock.advance(100);
    await turns(20);
    expect(reads[0]!.error).toBe('enough');
    expect(reads[1]!.error).toBeInstanceOf(TimeoutError);
    expect(reads[2]!.state).toBe('pending');
    await source.close();
    await turns(20);
    expect(reads[2]!.state).toBe('rejected');
    const late = await taken(opened(), (view) => view.stream(0, 1, { signal: AbortSignal.abort('before') }));
    await expect(late.getReader().read()).rejects.toBe('before');
  });

  it('that is cancelled gives up what is being read', async () => {
    const desk = opened();
    desk.backend.held = true;
    const reader = (await taken(desk, (view) => view.stream(0, 640))).getReader();
    const read = reader.read();
    await turns(20);
    await reader.cancel('enough');
    expect(await soon(read)).toEqual({ done: true, value: undefined });
    await turns(20);
    expect(desk.backend.calls[0]!.signal.aborted).toBe(true);
  });

  it('leaves nothing while nobody reads it, and when it is dropped', async () => {
    const desk = opened();
    const controller = new AbortController();
    for (let i = 0; i < 10; i++)
      await (await taken(desk, (view) => view.stream(0, 64, { signal: controller.signal }))).getReader().read();
    // What is left is looked at when the test is over: a subscription of each would be among it.
  });

  it('checks its arguments', async () => {
    const { source } = opened();
    await source.consistent(async (view) => {
      for (const chunkSize of [0, -1, 1.5, Number.POSITIVE_INFINITY, '64' as never])
        expect(() => view.stream(0, 1, { chunkSize })).toThrow(InvalidArgumentError);
      expect(() => view.stream(0, 1, { signal: 'x' as never })).toThrow(InvalidArgumentError);
      expect(() => view.stream(0, 1, { timeoutMs: -1 })).toThrow(InvalidArgumentError);
      expect(() => view.stream(-1, 1)).toThrow(InvalidRangeError);
      expect(() => view.stream(0, -1)).toThrow(InvalidRangeError);
    });
  });
});
