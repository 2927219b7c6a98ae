/**
 * Report: the tables, the verdict and the exit code.
 */
import { spread } from '../support/statistics.js';
import { number, table } from '../support/text.js';
import { type DemoReport, GUARDS, type GuardReport } from './rounds.js';

/** `rangefence` served nothing torn and nothing stale, and the load was one under which that means something. */
export const EXIT_FINE = 0;
/** `rangefence` served something torn or stale. */
export const EXIT_WRONG = 1;
/** The command line was refused. */
export const EXIT_USAGE = 2;
/** The run proves nothing: no torn read without a guard, or the lock, which cannot fail, seems to. */
export const EXIT_NO_PROOF = 3;
/** Something else went wrong: no such file, disk full. */
export const EXIT_FAILED = 4;

/** What the run comes to, and the sentences that say so. */
export interface Verdict {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

/** The gravest finding decides. */
export function verdictOf({ guards: { none, rwlock, rangefence }, ratio }: DemoReport): Verdict {
  if (rangefence.torn + rangefence.stale > 0) {
    const what = `${number(rangefence.torn)} torn and ${number(rangefence.stale)} stale reads`;
    return { exitCode: EXIT_WRONG, lines: [`WRONG: rangefence served ${what}. It promises none at all.`] };
  }
  if (rwlock.torn + rwlock.stale > 0) {
    const what = `${number(rwlock.torn)} torn and ${number(rwlock.stale)} stale reads under the coarse lock`;
    return { exitCode: EXIT_NO_PROOF, lines: [`NO PROOF: ${what}, which excludes everybody. The demo itself is at fault.`] };
  }
  if (none.torn === 0) {
    const advice = 'Ask for more: --seconds, --writers, --readers, a longer --write-pause-ms.';
    return { exitCode: EXIT_NO_PROOF, lines: [`NO PROOF: no torn read was seen without a guard. ${advice}`] };
  }
  return {
    exitCode: EXIT_FINE,
    lines: [
      `Without a guard ${number(none.torn)} torn and ${number(none.stale)} stale reads were served; with rangefence none.`,
      `rangefence to the coarse lock: ${number(ratio.reads)} x the reads (rounds: ${spread(ratio.readsByRound)}), ` +
        `${number(ratio.writes)} x the writes.`,
    ],
  };
}

const ROWS: readonly (readonly [string, (guard: GuardReport) => string])[] = [
  ['reads/s', (guard) => number(Math.round(guard.readsPerSecond))],
  ['writes/s', (guard) => number(Math.round(guard.writesPerSecond))],
  ['read latency p50', (guard) => milliseconds(guard.readLatencyMs.p50)],
  ['read latency p99', (guard) => milliseconds(guard.readLatencyMs.p99)],
  ['write latency p50', (guard) => milliseconds(guard.writeLatencyMs.p50)],
  ['write latency p99', (guard) => milliseconds(guard.writeLatencyMs.p99)],
  ['torn reads served', (guard) => number(guard.torn)],
  ['stale reads served', (guard) => number(guard.stale)],
  ['retries', (guard) => number(guard.retries)],
  ['waits', (guard) => number(guard.waits)],
];

/** Both tables, for people. */
export function tablesOf({ guards }: DemoReport): string {
  const main = table(
    ['', 'none', 'rwlock', 'rangefence'],
    ROWS.map(([name, show]) => [name, ...GUARDS.map((guard) => show(guards[guard]))]),
  );
  const subscribers = table(
    ['under rangefence', 'lookups', 'hits', 'pages dropped', 'retried'],
    Object.entries(guards.rangefence.subscribers).map(([name, { lookups, hits, dropped, retried }]) => [
      name,
      ...[lookups, hits, dropped, retried].map(number),
    ]),
  );
  return `${main}\n\n${subscribers}`;
}

function milliseconds(value: number): string {
  return `${value.toFixed(3)} ms`;
}
