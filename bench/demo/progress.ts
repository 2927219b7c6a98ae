/**
 * Progress: a bar for each guard on a terminal, plain lines elsewhere.
 */
import { MultiBar, type SingleBar } from 'cli-progress';
import { number } from '../support/text.js';
import { GUARDS, type GuardName, type RoundEvents } from './rounds.js';

/** Shows what happens until it is stopped. */
export interface Progress extends RoundEvents {
  /** Leaves the last state on the screen. */
  stop(): void;
}

/** Bars if the stream is a terminal. */
export function showProgress(stream: NodeJS.WriteStream, rounds: number): Progress {
  return stream.isTTY ? bars(stream) : lines(stream, rounds);
}

function bars(stream: NodeJS.WriteStream): Progress {
  const all = new MultiBar({
    stream,
    format: '{guard} {bar} {percentage}%  {reads} reads, {torn} torn, {stale} stale',
    hideCursor: true,
    barsize: 30,
    clearOnComplete: false,
    // Ctrl-C is the demo's own business: it has a file to remove.
    gracefulExit: false,
  });
  const width = Math.max(...GUARDS.map((name) => name.length));
  const none = { reads: '0', torn: '0', stale: '0' };
  const byGuard = new Map<GuardName, SingleBar>();
  for (const guard of GUARDS) byGuard.set(guard, all.create(100, 0, { guard: guard.padEnd(width), ...none }));
  return {
    progress(guard, done, { reads, torn, stale }) {
      byGuard.get(guard)?.update(Math.floor(done * 100), { reads: number(reads), torn: number(torn), stale: number(stale) });
    },
    slice() {},
    stop() {
      all.stop();
    },
  };
}

function lines(stream: NodeJS.WriteStream, rounds: number): Progress {
  return {
    progress() {},
    slice(guard, round, { readsPerSecond, writesPerSecond, torn, stale }) {
      const rates = `${number(Math.round(readsPerSecond))} reads/s, ${number(Math.round(writesPerSecond))} writes/s`;
      stream.write(`round ${round + 1}/${rounds}  ${guard.padEnd(10)}  ${rates}, ${number(torn)} torn, ${number(stale)} stale\n`);
    },
    stop() {},
  };
}
