/**
 * Random schedules of three processes over a server in memory: sections, lookups, lost answers and messages, processes that are stopped
 * and cut off, a server that forgets. Nothing is committed inside a section of another process that keeps its lease, and in the end
 * everything is over.
 */
import { expect, test } from 'vitest';
import { range } from '../support/reading.js';
import { goOn, LEASE_MS, type Process, SharedSpace, settled, stop, WAIT_MS } from '../support/redis/space.js';

const STEPS = 120;

function randomOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}

/** Each of these has found a fault that the first ones do not find. */
const FOUND = [103, 307, 839, 878];

test.each([...Array.from({ length: 60 }, (_, i) => i + 1), ...FOUND])(
  'nothing is committed inside a section of others (seed %i)',
  async (seed) => {
    const random = randomOf(seed);
    const space = new SharedSpace();
    const processes: Process[] = await space.start(3);
    const begun = new Set<{ process: Process; page: number; signal: AbortSignal; end: () => void }>();
    const stopped = new Set<Process>();
    const running = new Set<Promise<unknown>>();
    const wrong: string[] = [];
    let commits = 0;
    const track = (promise: Promise<unknown>) => {
      running.add(promise);
      promise.catch(() => {}).finally(() => running.delete(promise));
    };
    const page = (index: number) => range(8 * index, 8 * index + 8);
    const act = async (step: number): Promise<void> => {
      const process = processes[random(3)]!;
      const at = random(3);
      const kind = random(15);
      if (stopped.has(process)) {
        if (kind < 4) {
          stopped.delete(process);
          goOn(process);
        }
        return;
      }
      if (kind < 4) {
        const commit = () => {
          commits++;
          for (const { process: other, page: where, signal } of begun) {
            if (!signal.aborted && other !== process && where === at && !stopped.has(other))
              wrong.push(`step ${step}: page ${at}`);
          }
        };
        track(process.tracker.lookup(page(at), async () => await undefined, { commit }));
      } else if (kind < 7) {
        track(
          process.tracker.begin(page(at)).then((section) => {
            const entry = { process, page: at, signal: section.signal, end: () => section.end() };
            begun.add(entry);
          }),
        );
      } else if (kind < 9) {
        for (const entry of begun) {
          if (entry.process !== process) continue;
          begun.delete(entry);
          entry.end();
          break;
        }
      } else if (kind === 9) {
        stopped.add(process);
        stop(process);
      } else if (kind === 10) process.port.loseAnswers.set('', 1 + random(2));
      else if (kind === 11) process.port.isDeaf = !process.port.isDeaf;
      else if (kind === 12) process.port.isRefused = !process.port.isRefused;
      else if (kind === 13 && at === 0) space.server.restart();
      else if (kind === 13 && at === 1) space.server.log = [];
      else if (kind === 14) {
        if (process.port.held.size > 0) process.port.release();
        else process.port.held.add(at === 0 ? 'XRANGE' : 'announce');
      }
    };
    for (let step = 0; step < STEPS; step++) {
      await act(step);
      await space.pass(random(3) === 0 ? random(LEASE_MS / 2) : random(20), 50);
    }
    for (const process of stopped) goOn(process);
    for (const { port } of processes) {
      port.isDeaf = port.isRefused = false;
      port.release();
      port.loseAnswers.clear();
      port.reconnect();
    }
    for (let i = 0; i < 8; i++) {
      for (const entry of begun) {
        begun.delete(entry);
        entry.end();
      }
      await space.pass(WAIT_MS, 50);
    }
    expect([wrong, running.size, processes.map(({ link }) => link.state)]).toEqual([[], 0, ['live', 'live', 'live']]);
    expect([space.server.act.size, space.server.pend.size]).toEqual([0, 0]);
    expect(processes.map(({ tracker }) => tracker.activeCount)).toEqual([0, 0, 0]);
    expect(commits).toBeGreaterThan(5);
    for (const { link } of processes) await Promise.all([link.close(), settled()]);
    expect(space.clock.pending).toBe(0);
  },
);
