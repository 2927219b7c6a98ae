/**
 * Variants: runs a case on a kind of device, and says what came of it. The table of what each kind cannot pass is itself
 * asserted: a case that is expected to fail must fail, for the reason that is given.
 */
import { setImmediate } from 'node:timers/promises';
import { isRangefenceError } from '../../../lib/index.js';
import { Outcome } from '../turns.js';
import { ANONYMOUS, type Case } from './cases-anonymous.js';
import { DEVICES } from './cases-devices.js';
import type { Memory } from './device.js';
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
export async function run(name: CaseName, variant: Variant, memory: Memory = 'private'): Promise<Result> {
  const ground = new Ground(variant, memory);
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
    anon_read_multiple: 'banned',
    anon_teardown: 'banned',
    compound: 'banned',
    double_map: 'banned',
    migrate: 'banned',
    migrate_file_private: 'banned',
    migrate_fault: 'banned',
    migrate_release: 'banned',
    migrate_shared: 'banned',
    migrate_multiple: 'banned',
    migrate_mixed: 'banned',
    snapshot: 'banned',
    exclusive: 'banned',
    exclusive_mprotect: 'banned',
    exclusive_cow: 'banned',
    hmm_cow_in_device: 'banned',
    migrate_anon_huge_empty: 'banned',
    migrate_anon_huge_zero: 'banned',
    migrate_anon_huge_fault: 'banned',
    migrate_anon_huge_err: 'banned',
    migrate_anon_huge_zero_err: 'banned',
    migrate_partial_unmap_fault: 'banned',
    migrate_remap_fault: 'banned',
  },
  lock: {
    anon_write_prot: 'own fault',
    anon_write_child: 'own fault',
    compound: 'nested',
    double_map: 'own fault',
    migrate_mixed: 'own fault',
    migrate_anon_huge_err: 'nested',
    migrate_anon_huge_zero_err: 'nested',
    migrate_partial_unmap_fault: 'nested',
    migrate_remap_fault: 'nested',
  },
};

/** What passes after all with devices whose memory everybody can use: nothing has to be fetched from them. */
const PASSES_IF_COHERENT: ReadonlySet<CaseName> = new Set(['double_map', 'migrate_mixed']);

/** What the case is expected to come to. */
export function expected(name: CaseName, variant: Variant, memory: Memory): Result {
  if (memory === 'coherent' && variant === 'lock' && PASSES_IF_COHERENT.has(name)) return 'passes';
  return FAILURES[variant][name] ?? 'passes';
}

const WORDS: Readonly<Record<Result, string>> = {
  passes: 'passes',
  banned: 'banned',
  nested: 'deadlock: nested',
  'own fault': 'deadlock: own fault',
};

/** The kernel's cases, in its order; for those that are not played here, why not. */
export const KERNEL: Readonly<Record<string, CaseName | { readonly not: string }>> = {
  open_close: 'open_close',
  anon_read: 'anon_read',
  anon_read_prot: 'anon_read_prot',
  anon_write: 'anon_write',
  anon_write_prot: 'anon_write_prot',
  anon_write_child: 'anon_write_child',
  anon_write_child_shared: 'anon_write_child_shared',
  anon_write_huge: 'anon_write_huge',
  anon_write_hugetlbfs: { not: 'pages from a reserved pool; from outside they are those of anon_write_huge' },
  file_read: 'file_read',
  file_write: 'file_write',
  migrate: 'migrate',
  migrate_file_private: 'migrate_file_private',
  migrate_fault: 'migrate_fault',
  migrate_release: 'migrate_release',
  migrate_shared: 'migrate_shared',
  migrate_mixed: 'migrate_mixed',
  migrate_multiple: 'migrate_multiple',
  anon_read_multiple: 'anon_read_multiple',
  anon_teardown: 'anon_teardown',
  mixedmap: { not: "a mapping of the driver's own device file" },
  snapshot: 'snapshot',
  compound: 'compound',
  double_map: 'double_map',
  exclusive: 'exclusive',
  exclusive_mprotect: 'exclusive_mprotect',
  exclusive_cow: 'exclusive_cow',
  hmm_gup_test: { not: 'pages that another module of the kernel pins' },
  hmm_cow_in_device: 'hmm_cow_in_device',
  migrate_anon_huge_empty: 'migrate_anon_huge_empty',
  migrate_anon_huge_zero: 'migrate_anon_huge_zero',
  migrate_anon_huge_free: { not: 'pages that are given up lazily (MADV_FREE)' },
  migrate_anon_huge_fault: 'migrate_anon_huge_fault',
  migrate_partial_unmap_fault: 'migrate_partial_unmap_fault',
  migrate_remap_fault: 'migrate_remap_fault',
  migrate_anon_huge_err: 'migrate_anon_huge_err',
  migrate_anon_huge_zero_err: 'migrate_anon_huge_zero_err',
  userfaultfd_read: 'userfaultfd_read',
  benchmark_thp_migration: { not: 'a measurement' },
};

/** The table for people: one line for each case of the kernel. */
export function tableOfVariants(): string {
  const rows = Object.entries(KERNEL).map(([name, here]) =>
    typeof here === 'string'
      ? `| ${name} | ${VARIANTS.map((variant) => cell(here, variant)).join(' | ')} |`
      : `| ${name} | not here: ${here.not} | | |`,
  );
  const names = Object.keys(CASES) as CaseName[];
  const passed = (memory: Memory) => (variant: Variant) =>
    `**${names.filter((name) => expected(name, variant, memory) === 'passes').length} of ${names.length}**`;
  const last = (memory: Memory) => `| **passed, ${memory} memory** | ${VARIANTS.map(passed(memory)).join(' | ')} |`;
  return ['| case | retry | ban | lock |', '|---|---|---|---|', ...rows, last('private'), last('coherent')].join('\n');
}

const VARIANTS = ['retry', 'ban', 'lock'] as const;

function cell(name: CaseName, variant: Variant): string {
  const [ordinary, coherent] = [expected(name, variant, 'private'), expected(name, variant, 'coherent')];
  return ordinary === coherent ? WORDS[ordinary] : `${WORDS[ordinary]}; coherent: ${WORDS[coherent]}`;
}
