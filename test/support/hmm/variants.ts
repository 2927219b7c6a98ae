/**
 * Variants: runs a case on a kind of device, and says what came of it. The table of what each kind cannot pass is itself
 * asserted: a case that is expected to fail must fail, for the reason that is given.
 */
import { setImmediate } from 'node:timers/promises';
import { isRangefenceError } from '../../../lib/index.js';
import { Outcome } from '../turns.js';
import { ANONYMOUS, type Case } from './cases-anonymous.js';
import { DEVICES } from './cases-devices.js';
import { Ground } from './ground.js';
import type { Variant } from './tables.js';

/** All cases, under the names that the kernel's suite gives them. */
export const CASES = { ...ANONYMOUS, ...DEVICES } as const satisfies Record<string, Case>;

/** The name of a case. */
export type CaseName = keyof typeof CASES;

/**
 * What came of a case.
 *
 * - `passes`;
 * - `banned`: an invalidation that did the content no harm has killed the object for good;
 * - `nested`: an invalidation inside another one waits for the lock that the outer one has;
 * - `own fault`: a device that has the lock for reading faults, and the fault invalidates, which waits for the device.
 */
export type Result = 'passes' | 'banned' | 'nested' | 'own fault';

/** Turns of the event loop after which nothing moves any more: without pauses, a case takes one. */
const ENOUGH_TURNS = 20;

/** Runs one case. Any failure but the three that have a name is thrown. */
export async function run(name: CaseName, variant: Variant): Promise<Result> {
  const ground = new Ground(variant);
  const outcome = new Outcome(CASES[name](ground));
  for (let turn = 0; turn < ENOUGH_TURNS && outcome.state === 'pending'; turn++) await setImmediate();
  if (outcome.state === 'resolved') return 'passes';
  const deadlock = ground.devices.map(({ table }) => table.deadlock).find((reason) => reason !== undefined);
  if (outcome.state === 'pending') {
    if (deadlock === undefined) throw new Error(`${name} hangs, and not at a lock`);
    return deadlock as Result;
  }
  if (isRangefenceError(outcome.error) && outcome.error.name === 'BannedError') return 'banned';
  throw outcome.error;
}

/** What each kind of device cannot pass, and why not. What is not listed passes. */
export const FAILURES: Readonly<Record<Variant, Partial<Record<CaseName, Result>>>> = {
  retry: {},
  ban: {
    anon_read_prot: 'banned',
    anon_write_prot: 'banned',
    anon_write_child: 'banned',
    anon_write_huge: 'banned',
    anon_read_multiple: 'banned',
    anon_teardown: 'banned',
    compound: 'banned',
    double_map: 'banned',
    migrate: 'banned',
    migrate_fault: 'banned',
    migrate_release: 'banned',
    migrate_multiple: 'banned',
    migrate_mixed: 'banned',
    snapshot: 'banned',
    exclusive: 'banned',
    exclusive_mprotect: 'banned',
    exclusive_cow: 'banned',
    migrate_partial_unmap_fault: 'banned',
    migrate_remap_fault: 'banned',
    migrate_anon_huge_err: 'banned',
  },
  lock: {
    anon_write_prot: 'own fault',
    anon_write_child: 'own fault',
    compound: 'nested',
    double_map: 'own fault',
    migrate_mixed: 'own fault',
    migrate_partial_unmap_fault: 'nested',
    migrate_remap_fault: 'nested',
    migrate_anon_huge_err: 'nested',
  },
};

const WORDS: Readonly<Record<Result, string>> = {
  passes: 'passes',
  banned: 'banned',
  nested: 'deadlock: nested',
  'own fault': 'deadlock: own fault',
};

/** The table for people: one line for each case. */
export function tableOfVariants(): string {
  const names = Object.keys(CASES) as CaseName[];
  const cell = (variant: Variant, name: CaseName) => WORDS[FAILURES[variant][name] ?? 'passes'];
  const rows = names.map((name) => `| ${name} | ${cell('retry', name)} | ${cell('ban', name)} | ${cell('lock', name)} |`);
  const passed = (variant: Variant) =>
    `${names.filter((name) => FAILURES[variant][name] === undefined).length} of ${names.length}`;
  const last = `| **passed** | **${passed('retry')}** | **${passed('ban')}** | **${passed('lock')}** |`;
  return ['| case | retry | ban | lock |', '|---|---|---|---|', ...rows, last].join('\n');
}
