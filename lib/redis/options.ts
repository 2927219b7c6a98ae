/**
 * Options: how a space is shared. Everything is checked before anything changes.
 */
import { CANCEL_NAMES, type CancelOptions, checkCancel } from '../base/cancel.js';
import { check, describe, InvalidArgumentError } from '../base/errors.js';
import type { Range } from '../base/vocabulary.js';
import { ioredisPort, isIoredis } from './ioredis.js';
import { isNodeRedis, nodeRedisPort } from './node-redis.js';
import { isPort, type RedisPort } from './port.js';

/** A section whose process is out, for {@link ShareOptions.recover}. */
export interface DeadSection {
  /** Its number: whatever it still writes with this fence has to be refused. */
  readonly fence: number;
  /** What it was changing: ranges, keys, what keys begin with; all three `undefined` for everything. */
  readonly ranges: readonly Range[] | undefined;
  /** See `ranges`. */
  readonly keys: readonly string[] | undefined;
  /** See `ranges`. */
  readonly prefix: string | undefined;
  /** As it was given to the begin. */
  readonly kind: string | undefined;
  /** As it was given to the begin. */
  readonly label: string | undefined;
}

/** What has happened to a link, for logs. */
export interface LinkEvent {
  /**
   * - `live`: it takes part; `reset`: it has dropped everything, and joins again (`reason`);
   * - `evicted`: another member was silent for too long, and is out (`member`);
   * - `refused`: another member was asked for an answer for `ackTimeoutMs`, and is out when its lease is (`member`);
   * - `detached`: it goes on alone (`whenDetached: 'local'`); `error`: a command has failed, and is tried again (`error`).
   */
  readonly type: 'live' | 'reset' | 'evicted' | 'refused' | 'detached' | 'error';
  /** Of `reset`. */
  readonly reason?: ResetReason;
  /** Of `evicted` and `refused`: as the `member` of its link. */
  readonly member?: string;
  /** Of `error`. */
  readonly error?: unknown;
}

/**
 * Why a link starts anew: `start`, its lease has `lapsed`, others have declared it `gone`, the server has another memory (`epoch`), or
 * records were trimmed away before they were read (`history-lost`).
 */
export type ResetReason = 'start' | 'lapsed' | 'gone' | 'epoch' | 'history-lost';

/** How a space is shared with other processes. */
export interface ShareOptions extends CancelOptions {
  /** A client of ioredis or of node-redis (connected), of one server or of a cluster; or a {@link RedisPort}. It stays yours. */
  redis: object;
  /** The name of the space, the same in all processes. A text without braces; it is part of the keys' names. */
  space: string;
  /**
   * For how long, in milliseconds, this process may go on without contact; others wait a little longer for one that has died. Renewed
   * three times in it. An event loop that is blocked for longer drops what it keeps. The same in all processes. Default 5000.
   */
  leaseMs?: number | undefined;
  /** How much faster than another one's a clock may run. Default 0.1, which is ten per cent. The same in all processes. */
  drift?: number | undefined;
  /** A member that has not answered a begin for so long is out when its lease is over. Default: it is waited for, as locally. */
  ackTimeoutMs?: number | undefined;
  /** Records that the server keeps for those that have missed some. Default 4096. */
  logLength?: number | undefined;
  /** Replicas that must have a begin and a renewal before they count (WAIT). Not in a cluster. Default 0. */
  replicas?: number | undefined;
  /** False for tests only: after a loss of the server's memory, goes on before the leases of before are over. */
  grace?: boolean | undefined;
  /**
   * Without contact, lookups wait (`'wait'`, the default), or, a lease later, go on with what only this process knows (`'local'`): with
   * nothing kept at first, and with no promise about others.
   */
  whenDetached?: 'wait' | 'local' | undefined;
  /** Called by one of those who are left, before a section of a dead process is declared over. What it throws is an event. */
  recover?: ((section: DeadSection) => void | PromiseLike<void>) | undefined;
  /** Told what happens. What it throws is the host's to report. */
  onEvent?: ((event: LinkEvent) => void) | undefined;
  /** The wall clock, in milliseconds; default the host's. The other clock is the tracker's. */
  wallClock?: (() => number) | undefined;
}

/** The names of {@link ShareOptions}. */
export const SHARE_NAMES: string = `redis space leaseMs drift ackTimeoutMs logLength replicas grace whenDetached recover onEvent wallClock ${CANCEL_NAMES}`;

/** Throws `InvalidArgumentError`. */
export function checkShare(options: ShareOptions): void {
  check(typeof options === 'object' && options !== null, 'options', options, 'an object with redis and space');
  const { leaseMs = 5000, drift = 0.1, ackTimeoutMs, logLength = 4096, replicas = 0, whenDetached } = options;
  checkSpace(options.space);
  const isTime = (value: unknown) => typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY;
  check(isTime(leaseMs), 'leaseMs', leaseMs, 'a positive number of milliseconds');
  check(typeof drift === 'number' && drift >= 0 && drift < 1, 'drift', drift, 'a number of at least 0 and below 1');
  const mayTimeOut = ackTimeoutMs === undefined || isTime(ackTimeoutMs);
  check(mayTimeOut, 'ackTimeoutMs', ackTimeoutMs, 'a positive number of milliseconds');
  check(Number.isSafeInteger(logLength) && logLength >= 1, 'logLength', logLength, 'a whole number of at least 1');
  check(Number.isSafeInteger(replicas) && replicas >= 0, 'replicas', replicas, 'a whole number of at least 0');
  const isKnown = whenDetached === undefined || whenDetached === 'wait' || whenDetached === 'local';
  check(isKnown, 'whenDetached', whenDetached, "'wait' or 'local'");
  for (const name of ['recover', 'onEvent', 'wallClock'] as const) {
    check(options[name] === undefined || typeof options[name] === 'function', name, options[name], 'a function');
  }
  checkCancel(options);
}

/** Throws `InvalidArgumentError`. */
export function checkSpace(space: string): void {
  const isName = typeof space === 'string' && space !== '' && !/[{}]/.test(space);
  check(isName, 'space', space, 'a text of at least one character, without braces');
}

/** The port of a client. Throws `InvalidArgumentError`. */
export function portOf(redis: object): RedisPort {
  if (isPort(redis)) return redis;
  if (isIoredis(redis)) return ioredisPort(redis);
  if (isNodeRedis(redis)) return nodeRedisPort(redis);
  throw new InvalidArgumentError(`redis is ${describe(redis)}; expected a client of ioredis or node-redis, or a port`);
}
