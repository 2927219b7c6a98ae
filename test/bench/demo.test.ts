import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FINE, Ledger, STALE_READ, TORN_READ } from '../../bench/demo/ledger.js';
import { runSlice } from '../../bench/demo/load.js';
import { type DemoOptions, parseOptions, UsageError } from '../../bench/demo/options.js';
import { originOf, PAGE_BYTES, PAGE_WORDS, rewrite, stamp, TORN } from '../../bench/demo/page.js';
import { PageFile, pageBuffer } from '../../bench/demo/page-file.js';
import { EXIT_FINE, EXIT_NO_PROOF, EXIT_USAGE, EXIT_WRONG, verdictOf } from '../../bench/demo/report.js';
import type { DemoReport, GuardReport } from '../../bench/demo/rounds.js';
import { makeSubscribers } from '../../bench/demo/subscriber.js';
import type { Guard } from '../../bench/guards/guard.js';
import { NoGuard } from '../../bench/guards/none.js';
import { RangefenceGuard } from '../../bench/guards/rangefence.js';
import { RwlockGuard } from '../../bench/guards/rwlock.js';
import { RangeTracker } from '../../lib/index.js';

const MAIN = fileURLToPath(new URL('../../bench/demo/main.ts', import.meta.url));
const PAGES = 256;

let folder = '';
let source = '';
let content: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rangefence-test-'));
  source = join(folder, 'source');
  // Not a whole number of pages: the copy pads the last one.
  content = Buffer.alloc(PAGES * PAGE_BYTES - 100, 'some bytes of a real file, ');
  await writeFile(source, content);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a page', () => {
  const page = 7;
  const stamped = () => {
    const { words, bytes } = pageBuffer(1);
    bytes.fill('content');
    stamp(words, 0, { page, generation: 3 });
    return words;
  };

  test('tells its generation while it is whole', () => {
    expect(originOf(stamped(), 0, page)).toBe(3);
  });

  test('is torn when any one word of it is different', () => {
    for (let word = 0; word < PAGE_WORDS; word++) {
      const words = stamped();
      words[word]! ^= 1;
      expect(originOf(words, 0, page), `word ${word}`).toBe(TORN);
    }
  });

  test('is torn wherever a rewrite of it has got to', () => {
    const after = pageBuffer(1).words;
    rewrite(after, 0, { page, generation: 4 });
    expect(originOf(after, 0, page)).toBe(4);
    for (let cut = 1; cut < PAGE_WORDS; cut++) {
      const words = stamped();
      words.set(after.subarray(0, cut));
      expect(originOf(words, 0, page), `first ${cut} words`).toBe(TORN);
    }
  });

  test('is torn in the place of another', () => {
    expect(originOf(stamped(), 0, page + 1)).toBe(TORN);
  });
});

describe('the ledger', () => {
  const run = { start: 10, end: 14 };
  const judge = (ledger: Ledger, origins: readonly number[], marks: readonly number[] = [0, 0, 0, 0]) =>
    ledger.judge(run, Int32Array.from(origins), Uint32Array.from(marks));

  test('finds nothing wrong with the last finished content', () => {
    const ledger = new Ledger(20);
    expect(judge(ledger, [0, 0, 0, 0])).toBe(FINE);
    ledger.begin({ start: 8, end: 12 }, 1);
    ledger.finish({ start: 8, end: 12 }, 1);
    const marks = new Uint32Array(4);
    ledger.mark(run, marks);
    expect([...marks]).toEqual([1, 1, 0, 0]);
    expect(judge(ledger, [1, 1, 0, 0], [...marks])).toBe(FINE);
  });

  test('lets a read that began before the end of a write have the content before it', () => {
    const ledger = new Ledger(20);
    ledger.begin(run, 1);
    ledger.finish(run, 1);
    expect(judge(ledger, [0, 0, 0, 0])).toBe(FINE);
  });

  test('finds a page that is not whole', () => {
    expect(judge(new Ledger(20), [0, TORN, 0, 0])).toBe(TORN_READ);
  });

  test('finds some pages of one write beside others that it has not reached', () => {
    const ledger = new Ledger(20);
    ledger.begin({ start: 11, end: 13 }, 1);
    expect(judge(ledger, [0, 1, 0, 0])).toBe(TORN_READ);
    expect(judge(ledger, [0, 0, 1, 0])).toBe(TORN_READ);
    expect(judge(ledger, [0, 1, 1, 0])).toBe(FINE);
  });

  test('does not take two neighbouring writes for one that is half done', () => {
    const ledger = new Ledger(20);
    ledger.begin({ start: 10, end: 12 }, 1);
    ledger.begin({ start: 12, end: 14 }, 2);
    expect(judge(ledger, [1, 1, 0, 0])).toBe(FINE);
  });

  test('finds a page older than what was finished when the read began', () => {
    const ledger = new Ledger(20);
    ledger.begin(run, 5);
    ledger.finish(run, 5);
    expect(judge(ledger, [4, 4, 4, 4], [5, 5, 5, 5])).toBe(STALE_READ);
    expect(judge(ledger, [5, 5, 4, 5], [5, 5, 5, 5])).toBe(STALE_READ | TORN_READ);
  });
});

describe('the load', () => {
  /** Takes the lock, but nobody is told that what was derived is no longer true. */
  class ForgetfulGuard extends RwlockGuard {
    override subscribe(): void {}
  }

  const options: DemoOptions = {
    ...{ seconds: 1, subscribers: 3, readers: 4, writers: 2, runPages: 4, writePages: 16 },
    ...{ writePauseMs: 1, thinkMs: 0, file: '', trace: undefined, json: false, seed: 1 },
  };

  async function load(guard: Guard, signal = new AbortController().signal) {
    const target = join(folder, `load-${guard.constructor.name}`);
    const file = await PageFile.copy(source, target, signal);
    try {
      const subscribers = makeSubscribers(options.subscribers, file.pages);
      const slice = { guard, subscribers, file, ledger: new Ledger(file.pages), options, round: 0, generations: { last: 0 } };
      return await runSlice({ ...slice, warmMs: 50, ms: 350, signal });
    } finally {
      await file.close();
      await rm(target);
    }
  }

  test('shows torn reads without a guard', async () => {
    const { reads, torn } = await load(new NoGuard());
    expect(reads).toBeGreaterThan(0);
    expect(torn).toBeGreaterThan(0);
  });

  test('shows stale reads under a lock that forgets to drop', async () => {
    const { stale } = await load(new ForgetfulGuard());
    expect(stale).toBeGreaterThan(0);
  });

  test.each([
    ['the coarse lock', () => new RwlockGuard()],
    ['rangefence', () => new RangefenceGuard(new RangeTracker())],
  ])('shows neither under %s', async (_, make) => {
    const result = await load(make());
    expect(result).toMatchObject({ torn: 0, stale: 0 });
    expect(result.readsPerSecond).toBeGreaterThan(0);
    expect(result.writesPerSecond).toBeGreaterThan(0);
    expect(result.readLatency.count).toBeGreaterThan(0);
  });

  test('ends at a signal with its reason, and with the error of a write that fails', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 20);
    await expect(load(new RwlockGuard(), controller.signal)).rejects.toBe(reason);
    class BrokenGuard extends NoGuard {
      override mutate(): Promise<void> {
        return Promise.reject(reason);
      }
    }
    await expect(load(new BrokenGuard())).rejects.toBe(reason);
  });
});

describe('the verdict', () => {
  const clean: GuardReport = {
    ...{ readsPerSecond: 1, writesPerSecond: 1, reads: 1, writes: 1, torn: 0, stale: 0, retries: 0, waits: 0, subscribers: {} },
    ...{ readLatencyMs: { p50: 1, p99: 1 }, writeLatencyMs: { p50: 1, p99: 1 } },
  };
  const exitCode = (guards: Partial<DemoReport['guards']>) =>
    verdictOf({
      ...{ pages: 1, rounds: 1, ratio: { reads: 1, writes: 1, readsByRound: [1] } },
      guards: { none: { ...clean, torn: 5 }, rwlock: clean, rangefence: clean, ...guards },
    }).exitCode;

  test('is fine if only the unguarded run was torn', () => {
    expect(exitCode({})).toBe(EXIT_FINE);
  });

  test('is wrong if rangefence served anything torn or stale', () => {
    expect(exitCode({ rangefence: { ...clean, torn: 1 } })).toBe(EXIT_WRONG);
    expect(exitCode({ rangefence: { ...clean, stale: 1 } })).toBe(EXIT_WRONG);
    expect(exitCode({ rangefence: { ...clean, stale: 1 }, none: clean })).toBe(EXIT_WRONG);
  });

  test('is no proof if the unguarded run was not torn, or the lock was', () => {
    expect(exitCode({ none: clean })).toBe(EXIT_NO_PROOF);
    expect(exitCode({ rwlock: { ...clean, stale: 1 } })).toBe(EXIT_NO_PROOF);
  });
});

describe('the options', () => {
  test('have defaults', () => {
    expect(parseOptions([])).toMatchObject({
      seconds: 3,
      subscribers: 3,
      writePages: 64,
      writePauseMs: 1,
      file: process.execPath,
    });
    expect(parseOptions(['--help'])).toBe('help');
    expect(parseOptions(['--seconds', '0.5', '--run-pages=2', '--json'])).toMatchObject({
      seconds: 0.5,
      runPages: 2,
      json: true,
    });
  });

  test.each([
    [['--readers', '0'], "--readers is '0'; expected a whole number from 1 to 1024"],
    [['--readers', '1.5'], "--readers is '1.5'; expected a whole number from 1 to 1024"],
    [['--seconds', 'many'], "--seconds is 'many'; expected a number from 0.3 to 3600"],
    [['--seconds', ''], "--seconds is ''; expected a number from 0.3 to 3600"],
    [['--think-ms=-1'], "--think-ms is '-1'; expected a number from 0 to 60000"],
    [['--file', ''], "--file is ''; expected a path"],
    [['--trace', ''], "--trace is ''; expected a path"],
    [['--reader', '3'], "Unknown option '--reader'"],
    [['--seed'], "Option '--seed <value>' argument missing"],
    [['--json=yes'], "Option '--json' does not take an argument"],
    [['extra'], "Unexpected argument 'extra'"],
  ])('refuse %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});

describe.concurrent('the program', () => {
  interface Run {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
    /** The temporary file it said it would make, and whether that, or its folder, is still there. */
    readonly copy: string | undefined;
    readonly left: boolean;
  }

  const LOAD = ['--write-pages', '16', '--run-pages', '4', '--readers', '4'];

  async function run(args: string[], onChild?: (child: ChildProcessWithoutNullStreams) => void): Promise<Run> {
    const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args]);
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        text[name] += chunk;
      });
    }
    onChild?.(child);
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    const copy = /^copying .* to (.*)$/m.exec(text.stderr)?.[1];
    return { code, ...text, copy, left: copy !== undefined && existsSync(dirname(copy)) };
  }

  test('prints one JSON object, exits with 0, and leaves nothing', { timeout: 20_000 }, async () => {
    const { code, stdout, stderr, copy, left } = await run(['--seconds', '0.6', '--json', '--file', source, ...LOAD]);
    const report = JSON.parse(stdout);
    const rate = expect.any(Number);
    const latency = { p50: rate, p99: rate };
    const subscriber = { lookups: rate, hits: rate, dropped: rate, retried: rate };
    const guard = {
      ...{ readsPerSecond: rate, writesPerSecond: rate, readLatencyMs: latency, writeLatencyMs: latency },
      ...{ reads: rate, writes: rate, torn: rate, stale: rate, retries: rate, waits: rate },
      subscribers: { 'page cache': subscriber, 'checksum index': subscriber, preview: subscriber },
    };
    expect(report).toEqual({
      ...{ options: expect.objectContaining({ seconds: 0.6, seed: 1, file: source }), pages: PAGES, rounds: 3 },
      guards: { none: guard, rwlock: guard, rangefence: { ...guard, torn: 0, stale: 0 } },
      ratio: { reads: rate, writes: rate, readsByRound: [rate, rate, rate] },
      exitCode: EXIT_FINE,
      verdict: [expect.any(String), expect.any(String)],
    });
    expect(report.guards.none.torn).toBeGreaterThan(0);
    expect(report.guards.rangefence.subscribers.preview.hits).toBeGreaterThan(0);
    expect(stderr).toContain('round 3/3');
    expect(code).toBe(EXIT_FINE);
    expect(copy).toBeDefined();
    expect(left).toBe(false);
    expect(content.equals(await readFile(source))).toBe(true); // toEqual looks at bytes one by one, for seconds
  });

  test('writes a page of one more slice, with what happened in it', { timeout: 20_000 }, async () => {
    const path = join(folder, 'trace.html');
    const { code, stderr } = await run(['--seconds', '0.3', '--json', '--file', source, '--trace', path, ...LOAD]);
    expect([EXIT_FINE, EXIT_NO_PROOF]).toContain(code); // so short a run may be lucky without a guard
    const events = Number(/^(\d+) events of one more slice/m.exec(stderr)?.[1]);
    expect(events).toBeGreaterThan(100);
    const { length, counts } = JSON.parse(/id="data">(.*)<\/script>/.exec(await readFile(path, 'utf8'))![1]!);
    expect(length).toBe(events);
    expect(counts.sections).toBeGreaterThan(0);
    expect(counts.lookups).toBeGreaterThan(counts.sections);
    expect(counts.incomplete).toBe(0);
  });

  test('refuses a place where no trace can be written, before it copies', { timeout: 20_000 }, async () => {
    const { code, stderr, copy } = await run(['--file', source, '--trace', join(folder, 'no/such/folder.html'), ...LOAD]);
    expect(stderr).toContain('cannot be written');
    expect(code).toBe(EXIT_USAGE);
    expect(copy).toBeUndefined();
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at %s with exit code %i, and leaves nothing', { timeout: 20_000 }, async (signal, expected) => {
    const { code, stderr, copy, left } = await run(['--seconds', '60', '--json', '--file', source, ...LOAD], (child) => {
      // 'copying' is written after the folder was made, so there is something to leave.
      child.stderr.once('data', () => setTimeout(() => child.kill(signal), 300));
    });
    expect(stderr).toContain(`interrupted by ${signal}`);
    expect(code).toBe(expected);
    expect(copy).toBeDefined();
    expect(left).toBe(false);
  });

  test('refuses a file that is too short, and makes nothing', { timeout: 20_000 }, async () => {
    const { code, stderr, copy } = await run(['--file', source, '--write-pages', '1024']);
    expect(stderr).toContain(`has ${PAGES} pages of 4 KiB; expected at least 4096`);
    expect(code).toBe(EXIT_USAGE);
    expect(copy).toBeUndefined();
  });
});
