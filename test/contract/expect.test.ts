/**
 * The contract suite's own assertions: a suite is worth no more than what it fails with.
 */
import { expect as demand, describe, it } from 'vitest';
import { expect } from '../../lib/testing/contract/support/expect.js';

const identical = { a: 1 };
const section = new (class Section {
  readonly active = true;
})();
const torn = new SyntaxError('torn');

/** What is claimed, and the message with which it fails; none if it holds. */
type Case = [name: string, claim: () => void, message?: string];

const throws = (error: unknown) => () => {
  throw error;
};

const cases: Case[] = [
  ['toBe: the same number', () => expect(1).toBe(1)],
  ['toBe: NaN is itself', () => expect(Number.NaN).toBe(Number.NaN)],
  ['toBe: zeros differ', () => expect(-0).toBe(0), 'got -0; expected 0'],
  ['toBe: content does not matter', () => expect({ a: 1 }).toBe(identical), 'got { a: 1 }; expected { a: 1 }'],
  ['toBeUndefined: it is', () => expect(undefined).toBeUndefined()],
  ['toBeUndefined: null', () => expect(null).toBeUndefined(), 'got null; expected undefined'],
  ['toBeInstanceOf: of a subclass', () => expect(torn).toBeInstanceOf(Error)],
  ['toBeInstanceOf: of none', () => expect(3n).toBeInstanceOf(RangeError), 'got 3n; expected an instance of RangeError'],
  ['toBeGreaterThan: more', () => expect(2).toBeGreaterThan(1)],
  ['toBeGreaterThan: as many', () => expect(1).toBeGreaterThan(1), 'got 1; expected more than 1'],
  ['toBeGreaterThan: nothing', () => expect(undefined).toBeGreaterThan(-1), 'got undefined; expected more than -1'],
  ['toBeLessThan: less', () => expect(1).toBeLessThan(2)],
  ['toBeLessThan: as many', () => expect(2).toBeLessThan(2), 'got 2; expected less than 2'],
  ['toHaveLength: an array', () => expect([1, 2]).toHaveLength(2)],
  ['toHaveLength: a shorter one', () => expect([1]).toHaveLength(2), 'got [1]; expected a length of 2'],
  ['toHaveLength: nothing', () => expect(undefined).toHaveLength(0), 'got undefined; expected a length of 0'],
  ['toContain: a part', () => expect('a bad page').toContain('bad')],
  ['toContain: no part', () => expect('a page').toContain('bad'), 'got "a page"; expected a text with "bad" in it'],
  ['toContain: no text', () => expect(undefined).toContain(''), 'got undefined; expected a text with "" in it'],

  ['toThrow: the class', () => expect(throws(torn)).toThrow(SyntaxError)],
  ['toThrow: the text', () => expect(throws(torn)).toThrow('tor')],
  [
    'toThrow: another class',
    () => expect(throws(torn)).toThrow(TypeError),
    'got SyntaxError: torn; expected an instance of TypeError',
  ],
  [
    'toThrow: another text',
    () => expect(throws(torn)).toThrow('x'),
    'got SyntaxError: torn; expected an error with "x" in its message',
  ],
  ['toThrow: no error', () => expect(throws('x')).toThrow('x'), 'got "x"; expected an error with "x" in its message'],
  [
    'toThrow: a class, and nothing is thrown',
    () => expect(() => 7).toThrow(TypeError),
    'nothing was thrown, 7 was returned; expected an error of TypeError',
  ],
  [
    'toThrow: a text, and nothing is thrown',
    () => expect(() => {}).toThrow('x'),
    'nothing was thrown, undefined was returned; expected an error with "x" in its message',
  ],

  ['toEqual: deeply', () => expect({ a: [1, { b: 2 }], c: null }).toEqual({ c: null, a: [1, { b: 2 }] })],
  ['toEqual: undefined and absent', () => expect({ a: 1, b: undefined }).toEqual({ a: 1, c: undefined })],
  ['toEqual: the same object of a class', () => expect([section]).toEqual([section])],
  ['toEqual: an object without prototype', () => expect(Object.assign(Object.create(null), { a: 1 })).toEqual({ a: 1 })],
  ['toEqual: an object of a class, by what a literal says', () => expect(section).toEqual({ active: true })],
  ['toEqual: zeros differ', () => expect([-0]).toEqual([0]), 'at .0: got -0; expected 0. The whole was [-0]'],
  ['toEqual: more properties', () => expect({ a: 1 }).toEqual({}), 'at .a: got 1; expected undefined. The whole was { a: 1 }'],
  ['toEqual: fewer', () => expect({}).toEqual({ a: 1 }), 'at .a: got undefined; expected 1. The whole was {  }'],
  ['toEqual: longer', () => expect([1, 2]).toEqual([1]), 'at .length: got 2; expected 1. The whole was [1, 2]'],
  ['toEqual: shorter', () => expect([[1]]).toEqual([[1, 2]]), 'at .0.length: got 1; expected 2. The whole was [[1]]'],
  ['toEqual: an array for an object', () => expect([]).toEqual({}), 'got []; expected {  }. The whole was []'],
  [
    'toEqual: a value for an object',
    () => expect({ a: 1 }).toEqual({ a: {} }),
    'at .a: got 1; expected {  }. The whole was { a: 1 }',
  ],
  [
    'toEqual: an equal object of a class',
    () => expect({ active: true }).toEqual(section),
    'got { active: true }; expected { active: true }. The whole was { active: true }',
  ],
  [
    'toEqual: equal errors',
    () => expect(new Error('x')).toEqual(new Error('x')),
    'got Error: x; expected Error: x. The whole was Error: x',
  ],

  ['toMatchObject: less', () => expect({ a: 1, b: { c: 2, d: 3 } }).toMatchObject({ b: { c: 2 } })],
  ['toMatchObject: the properties of an error', () => expect(torn).toMatchObject({ name: 'SyntaxError', message: 'torn' })],
  ['toMatchObject: each of a list', () => expect([{ a: 1, b: 2 }]).toMatchObject([{ b: 2 }])],
  [
    'toMatchObject: no object',
    () => expect(undefined).toMatchObject({}),
    'got undefined; expected {  }. The whole was undefined',
  ],
  [
    'toMatchObject: another value inside',
    () => expect({ a: 1, b: { c: 2 } }).toMatchObject({ b: { c: 3 } }),
    'at .b.c: got 2; expected 3. The whole was { a: 1, b: { c: 2 } }',
  ],
  [
    'toMatchObject: a longer list',
    () => expect([{ a: 1 }, { a: 2 }]).toMatchObject([{ a: 1 }]),
    'at .length: got 2; expected 1. The whole was [{ a: 1 }, { a: 2 }]',
  ],
];

/** The message of the error with which a claim fails; undefined if it holds. */
function failureOf(claim: () => void): string | undefined {
  try {
    claim();
  } catch (error) {
    return error instanceof Error ? error.message : `no error: ${error}`;
  }
  return undefined;
}

describe('the assertions of the contract suite', () => {
  it.each(cases)('hold or fail as they should: %s', (_name, claim, message) => {
    demand(failureOf(claim)).toBe(message);
  });

  it('show what they got, but not for pages on end', () => {
    const deep = { a: { b: { c: { d: { e: 1 } } } } };
    const message = (value: unknown) => failureOf(() => expect(value).toBe(0))?.replace('; expected 0', '');
    demand(message(deep)).toBe('got { a: { b: { c: { d: { … } } } } }');
    demand(message(Array(31).fill(0))).toBe(`got [${'0, '.repeat(30)}…]`);
    demand(message(Array(30).fill(0))).toBe(`got [${'0, '.repeat(29)}0]`);
    demand(message([() => {}, Symbol.iterator, message])).toBe(
      'got [the function without a name, Symbol(Symbol.iterator), the function message]',
    );
  });
});
