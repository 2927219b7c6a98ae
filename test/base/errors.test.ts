import { describe, expect, it } from 'vitest';
import { describeCollision } from '../../lib/base/errors.js';
import {
  ClosedError,
  CollisionError,
  CommitError,
  FeedbackError,
  InvalidArgumentError,
  InvalidRangeError,
  isRangefenceError,
  RangefenceError,
  RangeTracker,
  RetryLimitError,
  SubscriberError,
  TimeoutError,
} from '../../lib/index.js';
import { range } from '../support/reading.js';

const active = { reason: 'active', kind: 'clear', range: range(0, 8) } as const;

const all: [string, RangefenceError, string, string][] = [
  ['InvalidRangeError', new InvalidRangeError('bad'), 'RANGEFENCE_INVALID_RANGE', 'bad'],
  ['InvalidArgumentError', new InvalidArgumentError('bad'), 'RANGEFENCE_INVALID_ARGUMENT', 'bad'],
  ['ClosedError', new ClosedError('the tracker'), 'RANGEFENCE_CLOSED', 'the tracker is closed'],
  ['TimeoutError', new TimeoutError('lookup "a"', 50), 'RANGEFENCE_TIMEOUT', 'lookup "a" was not done within 50 ms'],
  ['RetryLimitError', new RetryLimitError('lost', 3, active), 'RANGEFENCE_RETRY_LIMIT', 'lost'],
  ['FeedbackError', new FeedbackError('itself'), 'RANGEFENCE_FEEDBACK', 'itself'],
  ['SubscriberError', new SubscriberError('no', [new Error('a')], []), 'RANGEFENCE_SUBSCRIBER', 'no'],
  [
    'CommitError',
    new CommitError(),
    'RANGEFENCE_COMMIT',
    'commit returned a promise; expected it to install the value synchronously, in the turn of the check',
  ],
  ['CollisionError', new CollisionError(active), 'RANGEFENCE_COLLISION', 'the attempt was hit: active "clear" over [0, 8)'],
];

describe.each(all)('%s', (name, error, code, message) => {
  it('carries its name, its stable code, and its message', () => {
    expect({ name: error.name, code: error.code, message: error.message }).toEqual({ name, code, message });
    expect(String(error)).toBe(`${name}: ${message}`);
  });

  it('is an Error, a RangefenceError, and recognized as one', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(RangefenceError);
    expect(isRangefenceError(error)).toBe(true);
    expect(error.stack).toContain(message);
  });
});

describe('errors', () => {
  it('have one code each', () => {
    expect(new Set(all.map(([, error]) => error.code)).size).toBe(all.length);
  });

  it('carry what belongs to them', () => {
    const first = new Error('a');
    const subscriber = new SubscriberError('no', [first, 'b'], []);
    expect([subscriber.errors, subscriber.cause]).toEqual([[first, 'b'], first]);
    expect(new TimeoutError('x', 50).timeoutMs).toBe(50);
    expect(new CollisionError(active).collision).toBe(active);
    const limit = new RetryLimitError('lost', 3, active);
    expect([limit.attempts, limit.collision]).toEqual([3, active]);
  });

  it('of another copy of the package are recognized by their code', () => {
    const foreign = Object.assign(new Error('x'), { code: 'RANGEFENCE_CLOSED' });
    expect(isRangefenceError(foreign)).toBe(true);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'RANGEFENCE_CLOSED'],
    ['a plain object with the code', { code: 'RANGEFENCE_CLOSED' }],
    ['an ordinary error', new Error('x')],
    ['a system error', Object.assign(new Error('x'), { code: 'ENOENT' })],
    ['an error with a number as its code', Object.assign(new Error('x'), { code: 20 })],
    ['an error with a strange code', Object.assign(new Error('x'), { code: Symbol('RANGEFENCE_') })],
    ['an abort', AbortSignal.abort().reason],
  ])('do not include %s', (_name, value) => {
    expect(isRangefenceError(value)).toBe(false);
  });

  it('of programming are shown whatever the value is', () => {
    const messages = [
      undefined,
      null,
      Symbol('s'),
      3n,
      -0,
      Number.NaN,
      [],
      {},
      () => 1,
      Object.create(null),
      new Proxy({}, {}),
    ].map((label) => {
      try {
        new RangeTracker({ label: label as string });
        return 'taken';
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(messages).toEqual([
      'taken',
      'label is null; expected a string',
      'label is Symbol(s); expected a string',
      'label is 3; expected a string',
      'label is 0; expected a string',
      'label is NaN; expected a string',
      'label is an array; expected a string',
      'label is an object; expected a string',
      'label is a function; expected a string',
      'label is an object; expected a string',
      'label is an object; expected a string',
    ]);
  });
});

describe('a collision in a message', () => {
  it.each([
    [{ reason: 'history-lost' }, 'history-lost'],
    [{ reason: 'closed' }, 'closed'],
    [{ reason: 'ended', kind: 'unmap', range: range(0, 8) }, 'ended "unmap" over [0, 8)'],
    [{ reason: 'ended', kind: 'unmap', label: 'flush "x"', range: range(0, 8) }, 'ended "flush \\"x\\"" over [0, 8)'],
    [{ reason: 'active', kind: 'clear' }, 'active "clear"'],
  ] as const)('%j reads %s', (collision, text) => {
    expect(describeCollision(collision)).toBe(text);
  });
});
