/**
 * What subscribers of a keyed fence are told, for those who tell others: prefixes, nested sections, ends.
 */
import { describe, expect, it } from 'vitest';
import { fence, KeyedFence } from '../../lib/keyed/index.js';
import { sectionOf } from '../../lib/tracker/internal.js';
import type { Section } from '../../lib/tracker/parties.js';
import { Outcome, turns } from '../support/turns.js';

describe('a prefix', () => {
  it('is every key that begins with it, known or not, and no key that is no text', async () => {
    const keyed = new KeyedFence<unknown>();
    const section = await keyed.begin(keyed.prefix('user:'));
    const reads = ['user:1', 'user:', 'use', 'a user:1', 7].map((key) => new Outcome(keyed.lookup(key, () => key)));
    await turns();
    expect(reads.map(({ state }) => state)).toEqual(['pending', 'pending', 'resolved', 'resolved', 'resolved']);
    section.end();
    await turns();
    expect(reads.every(({ state }) => state === 'resolved')).toBe(true);
    expect(keyed.size).toBe(0);
  });

  it('is told as it is; a condition, a list and all keys have none', async () => {
    const keyed = new KeyedFence<string>();
    const told: unknown[] = [];
    keyed.subscribe({ invalidate: ({ prefix, keys, isAll }) => void told.push([prefix, keys, isAll]) });
    for (const scope of [keyed.prefix('a'), keyed.where(() => true), keyed.keys(['a']), keyed.all]) await keyed.invalidate(scope);
    expect(told).toEqual([
      ['a', undefined, false],
      [undefined, undefined, false],
      [undefined, ['a'], false],
      [undefined, undefined, true],
    ]);
  });

  it('prints as what it is, and has to be a text', async () => {
    const keyed = new KeyedFence<string>();
    const section = await keyed.begin(keyed.prefix('user:'));
    expect(String(section)).toContain('keys: "user:*"');
    section.end();
    expect(() => keyed.prefix(7 as never)).toThrow('prefix is 7; expected a string');
  });

  it('drops what a fenced cache has of it', async () => {
    const cache = fence<string, number>(new Map());
    for (const key of ['a:1', 'a:2', 'b:1']) await cache.getOrLoad(key, () => 1);
    await cache.invalidate(cache.keyed.prefix('a:'));
    expect(['a:1', 'a:2', 'b:1'].map((key) => cache.peek(key))).toEqual([undefined, undefined, 1]);
  });
});

describe('a subscriber', () => {
  it('hears the end of each section of which it has heard the begin, with the same beginSeq', async () => {
    const keyed = new KeyedFence<string>();
    const told: string[] = [];
    const name = ({ keys, beginSeq, active }: { keys: readonly string[] | undefined; beginSeq: number; active: boolean }) =>
      `${keys ?? 'all'} ${beginSeq} ${active}`;
    keyed.subscribe({
      invalidate: (change) => void told.push(`begin ${name(change)}`),
      end: (change) => void told.push(`end ${name(change)}`),
    });
    await keyed.mutate('a', () => {});
    keyed.tryBegin(keyed.all)!.end();
    await keyed.invalidate(keyed.keys([]));
    (await keyed.begin(keyed.keys(['b', 'c']))).end();
    await keyed.mutate('d', () => Promise.reject(new Error('fails'))).catch(() => {});
    expect(told).toEqual([
      ...['begin a 1 true', 'end a 1 false', 'begin all 3 true', 'end all 3 false'],
      ...['begin b,c 7 true', 'end b,c 7 false', 'begin d 9 true', 'end d 9 false'],
    ]);
  });

  it('hears the end of a begin that failed, if it has heard of it', async () => {
    const keyed = new KeyedFence<string>();
    const told: string[] = [];
    keyed.subscribe({ invalidate: () => void told.push('begin'), end: ({ keys }) => void told.push(`end ${keys}`) });
    keyed.subscribe({
      invalidate: () => {
        throw new Error('cannot');
      },
    });
    await expect(keyed.begin('a')).rejects.toThrow('cannot');
    expect(told).toEqual(['begin', 'end a']);
  });

  it('is told in which section another is nested', async () => {
    const keyed = new KeyedFence<string>();
    const told: (string | undefined)[] = [];
    keyed.subscribe({
      invalidate: ({ keys, within }) => void told.push(`${keys} in ${within?.keys} in ${within?.within?.keys}`),
    });
    const outer = await keyed.begin('a');
    const inner = await keyed.begin('b', { within: outer });
    const innermost = await keyed.begin('c', { within: inner });
    expect(told).toEqual(['a in undefined in undefined', 'b in a in undefined', 'c in b in a']);
    expect([outer.within, inner.within?.keys, inner.within?.beginSeq]).toEqual([undefined, ['a'], outer.beginSeq]);
    for (const section of [innermost, inner, outer]) section.end();
    expect(keyed.size).toBe(0);
  });

  it('says with a function what it does at the end', () => {
    const keyed = new KeyedFence<string>();
    expect(() => keyed.subscribe({ invalidate: () => {}, end: 1 as never })).toThrow('end of the subscriber is 1');
  });
});

it('a section of keys has the signal of its section', async () => {
  const keyed = new KeyedFence<string>();
  const section = await keyed.begin('a');
  const { signal } = section;
  (sectionOf((section as unknown as { section: never }).section) as Section).lose('gone');
  expect([signal.aborted, signal.reason]).toEqual([true, 'gone']);
  section.end();
});
