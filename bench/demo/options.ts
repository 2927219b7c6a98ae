/**
 * Options of the demo's command line.
 */
import { stat, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { PAGE_BYTES } from './page.js';

/** Thrown for anything wrong with the command line; its message is all a user needs to see. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** See {@link HELP}. */
export interface DemoOptions {
  readonly seconds: number;
  readonly subscribers: number;
  readonly readers: number;
  readonly writers: number;
  readonly runPages: number;
  readonly writePages: number;
  readonly writePauseMs: number;
  readonly thinkMs: number;
  readonly file: string;
  /** Where the picture of a run goes; undefined for none. */
  readonly trace: string | undefined;
  readonly json: boolean;
  readonly seed: number;
}

interface NumberOption {
  readonly name: string;
  readonly fallback: number;
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
  readonly help: string;
}

/** Upper limits keep a slip of the keyboard from taking all memory or all day. */
const NUMBERS = {
  seconds: { name: 'seconds', fallback: 3, least: 0.3, most: 3600, whole: false, help: 'measured under each guard' },
  subscribers: {
    name: 'subscribers',
    fallback: 3,
    least: 1,
    most: 12,
    whole: true,
    help: 'page cache, checksum index, preview, in turn',
  },
  readers: { name: 'readers', fallback: 8, least: 1, most: 1024, whole: true, help: 'of each subscriber' },
  writers: { name: 'writers', fallback: 4, least: 1, most: 256, whole: true, help: 'all busy all the time' },
  runPages: { name: 'run-pages', fallback: 8, least: 1, most: 256, whole: true, help: 'pages that a read asks for' },
  writePages: {
    name: 'write-pages',
    fallback: 64,
    least: 1,
    most: 1024,
    whole: true,
    help: 'longest extent that a write replaces',
  },
  writePauseMs: {
    name: 'write-pause-ms',
    fallback: 1,
    least: 0,
    most: 1000,
    whole: false,
    help: 'between the two halves of a write',
  },
  thinkMs: { name: 'think-ms', fallback: 0, least: 0, most: 60_000, whole: false, help: 'pause of a reader between two reads' },
  seed: { name: 'seed', fallback: 1, least: 0, most: 2 ** 31 - 1, whole: true, help: 'of all random choices' },
} as const satisfies Record<string, NumberOption>;

/** Printed by `--help`. */
export const HELP = `usage: npm run demo -- [options]

Mirrors a real file under three guards (none, one coarse lock, rangefence) and counts torn and stale reads.

${Object.values(NUMBERS)
  .map(({ name, fallback, help }: NumberOption) => `  --${`${name} N`.padEnd(18)} ${help} (default ${fallback})`)
  .join('\n')}
  --${'file PATH'.padEnd(18)} the file to copy; never written (default: the running node binary)
  --${'trace FILE'.padEnd(18)} record one more slice under rangefence: FILE.html shows it, FILE.json is for ui.perfetto.dev, FILE.svg
  --${'json'.padEnd(18)} print one JSON object instead of tables
  --${'help'.padEnd(18)} print this

exit codes: 0 fine; 1 rangefence served something torn or stale; 2 bad options; 3 the run proves nothing: no torn read
without a guard, or some under the lock; 4 failed; 130, 143, 129 interrupted, terminated, hung up`;

/** The options, or `'help'`. Throws {@link UsageError}. */
export function parseOptions(args: readonly string[]): DemoOptions | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  const read = (option: NumberOption) => numberOf(option, values[option.name]);
  return {
    seconds: read(NUMBERS.seconds),
    subscribers: read(NUMBERS.subscribers),
    readers: read(NUMBERS.readers),
    writers: read(NUMBERS.writers),
    runPages: read(NUMBERS.runPages),
    writePages: read(NUMBERS.writePages),
    writePauseMs: read(NUMBERS.writePauseMs),
    thinkMs: read(NUMBERS.thinkMs),
    seed: read(NUMBERS.seed),
    file: pathOf('file', values.file) ?? process.execPath,
    trace: pathOf('trace', values.trace),
    json: values.json === true,
  };
}

/** A gibibyte: it is copied, and every page cache has room for all of it. */
const MOST_PAGES = 2 ** 18;

/** Refuses a file that is not one, is too short for the load, or too long to be copied and cached. */
export async function checkFile({ file, runPages, writers, writePages }: DemoOptions): Promise<void> {
  const refuse = (got: string, expected: string): never => {
    throw new UsageError(`--file ${file} ${got}; expected ${expected}`);
  };
  const found = await stat(file).catch((error: Error) => refuse(`cannot be opened (${error.message})`, 'a file that can'));
  if (!found.isFile()) refuse('is not a regular file', 'one');
  const pages = Math.ceil(found.size / PAGE_BYTES);
  const least = Math.max(runPages, writers * writePages);
  if (pages > MOST_PAGES) refuse(`has ${pages} pages of 4 KiB`, `at most ${MOST_PAGES}`);
  if (pages < least) {
    const why = `for runs of ${runPages}, and ${writers} writers with extents up to ${writePages} each`;
    refuse(`has ${pages} pages of 4 KiB`, `at least ${least}, ${why}`);
  }
}

/** Refuses a place where no file can be written, before anything else takes its time. */
export async function checkTrace({ trace }: DemoOptions): Promise<void> {
  if (trace === undefined) return;
  await writeFile(trace, '', { flag: 'a' }).catch((error: Error) => {
    throw new UsageError(`--trace ${trace} cannot be written (${error.message}); expected a file that can`);
  });
}

type Values = Record<string, string | boolean | undefined>;

function parse(args: readonly string[]): Values {
  const numbers = Object.values(NUMBERS).map(({ name }) => [name, { type: 'string' }] as const);
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(numbers),
        ...{ file: { type: 'string' }, trace: { type: 'string' } },
        ...{ json: { type: 'boolean' }, help: { type: 'boolean' } },
      },
      strict: true,
    });
    return values as Values;
  } catch (error) {
    const known = [...numbers.map(([name]) => name), 'file', 'trace', 'json', 'help'].map((name) => `--${name}`);
    throw new UsageError(`${(error as Error).message}; expected only ${known.join(' ')}`);
  }
}

function numberOf({ name, fallback, least, most, whole }: NumberOption, text: string | boolean | undefined): number {
  if (text === undefined) return fallback;
  // Number('') is 0, and Number(' 3 ') is 3: neither was meant.
  const value = typeof text === 'string' && /^[0-9.eE+-]+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new UsageError(`--${name} is '${text}'; expected a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
}

function pathOf(name: string, path: string | boolean | undefined): string | undefined {
  if (path === '') throw new UsageError(`--${name} is ''; expected a path`);
  return typeof path === 'string' ? path : undefined;
}
