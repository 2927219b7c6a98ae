/**
 * Options of `npm run bench`.
 */
import { parseArgs } from 'node:util';
import { UsageError } from '../demo/options.js';

/** See {@link helpOf}. */
export interface BenchOptions {
  readonly suites: readonly string[];
  readonly quick: boolean;
  readonly report: boolean;
  readonly page: boolean;
  readonly out: string | undefined;
  readonly from: string | undefined;
  readonly compare: string | undefined;
  /** A share. */
  readonly tolerance: number;
}

/** In per cent: less than that is not worth a look, whatever the statistics say. */
const TOLERANCE = 10;

/** Printed by `--help`, and below a refusal. */
export function helpOf(suites: readonly string[]): string {
  return `usage: npm run bench -- [options] [suite ...]

  --quick          a look, within 2 minutes instead of 15
  --out FILE       write the results there
  --no-report      leave the committed results, page and charts alone
  --compare FILE   compare with the results in that file
  --tolerance N    per cent by which a measure may be worse (default ${TOLERANCE})
  --from FILE      take results from that file instead of running
  --page           write docs/benchmarks.md and its charts anew from the committed results, or those of --from
  --list           list the suites
  --help           print this

suites: ${suites.join(' ')} (default: all). A full run of all writes bench/results/latest.json and the page, unless --out or
--no-report is given; any other run writes only to --out.
exit codes: 0 fine; 1 --compare found something worse; 2 bad options, or a file of results that cannot be used`;
}

const OPTIONS = {
  quick: { type: 'boolean' },
  out: { type: 'string' },
  'no-report': { type: 'boolean' },
  compare: { type: 'string' },
  tolerance: { type: 'string' },
  from: { type: 'string' },
  page: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** The options, or what was asked for instead. Throws {@link UsageError}. */
export function parseBench(args: readonly string[], names: readonly string[]): BenchOptions | 'help' | 'list' {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  if (values.list) return 'list';
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`suite '${unknown}'; expected one of ${names.join(', ')}`);
  const { quick = false, page = false, out, from, compare } = values;
  if (page && (quick || positionals.length > 0 || out !== undefined || compare !== undefined)) {
    throw new UsageError('--page runs nothing; expected no other option than --from');
  }
  if (from !== undefined && (quick || positionals.length > 0 || out !== undefined)) {
    throw new UsageError('--from runs nothing; expected no --quick, no --out and no suite');
  }
  const suites = positionals.length === 0 ? names : names.filter((name) => positionals.includes(name));
  const report = values['no-report'] !== true;
  return { suites, quick, report, page, out, from, compare, tolerance: toleranceOf(values.tolerance, compare !== undefined) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function toleranceOf(text: string | undefined, comparing: boolean): number {
  if (text === undefined) return TOLERANCE / 100;
  if (!comparing) throw new UsageError('--tolerance compares nothing; expected --compare FILE, too');
  // Number('') is 0, which nobody meant.
  const percent = /^[0-9.]+$/.test(text) ? Number(text) : Number.NaN;
  if (!(percent >= 0 && percent <= 1000)) throw new UsageError(`--tolerance is '${text}'; expected per cent, from 0 to 1000`);
  return percent / 100;
}
