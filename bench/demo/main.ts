/**
 * `npm run demo`: a real file, several subscribers that mirror it, writers that tear it, three guards. See docs/demo.md.
 */
import { writeFile } from 'node:fs/promises';
import type { Trace } from '../../lib/trace/index.js';
import { Ledger } from './ledger.js';
import { checkFile, checkTrace, type DemoOptions, HELP, parseOptions, UsageError } from './options.js';
import { PageFile } from './page-file.js';
import { showProgress } from './progress.js';
import { renderTrace } from './recording.js';
import { EXIT_FAILED, EXIT_FINE, EXIT_USAGE, tablesOf, verdictOf } from './report.js';
import { type DemoReport, roundsOf, runRounds } from './rounds.js';
import { Interrupted, Workspace } from './workspace.js';

async function run(options: DemoOptions): Promise<DemoReport> {
  await checkFile(options);
  await checkTrace(options);
  // With --json, standard output is for the object alone; bars are for the screen in any case.
  const stream = options.json || process.stderr.isTTY ? process.stderr : process.stdout;
  const workspace = new Workspace();
  try {
    const { signal } = workspace;
    const writeTrace = async (trace: Trace, path: string): Promise<void> => {
      await writeFile(path, renderTrace(trace, path));
      stream.write(`${trace.events.length} events of one more slice under rangefence in ${path}\n`);
    };
    stream.write(`copying ${options.file} to ${workspace.path}\n`);
    const file = await PageFile.copy(options.file, workspace.path, signal);
    try {
      const progress = showProgress(stream, roundsOf(options));
      try {
        const events = { ...progress, recorded: (trace: Trace) => writeTrace(trace, options.trace!) };
        return await runRounds({ file, ledger: new Ledger(file.pages), options, signal }, events);
      } finally {
        progress.stop();
      }
    } finally {
      await file.close();
    }
  } finally {
    workspace.close();
  }
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(HELP);
    return EXIT_FINE;
  }
  const report = await run(options);
  const { exitCode, lines } = verdictOf(report);
  if (options.json) console.log(JSON.stringify({ options, ...report, exitCode, verdict: lines }, undefined, 2));
  else console.log(`\n${tablesOf(report)}\n\n${lines.join('\n')}`);
  // Loudly: also where the table went into a file.
  if (exitCode !== EXIT_FINE) console.error(`\n${'!'.repeat(80)}\n${lines.join('\n')}\n${'!'.repeat(80)}`);
  return exitCode;
}

function explain(error: unknown): number {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n--help says what there is`);
    return EXIT_USAGE;
  }
  console.error(error instanceof Error ? error.message : error);
  return error instanceof Interrupted ? error.exitCode : EXIT_FAILED;
}

process.exitCode = await main().catch(explain);
