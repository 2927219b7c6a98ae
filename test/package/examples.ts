/**
 * Runs the programs of `examples/` as their readers do: with plain Node, where the tarball is installed.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { examples, expectedOutput, needsRedis } from '../examples/examples.js';
import { root, saidBy } from './install.js';

/** No program takes a second alone; the machine may have other work. */
const LIMIT_MS = 60_000;
/** What programs say that they need besides; the consumer gets it from here, without a network. */
const BESIDES = ['lru-cache', '@tanstack/query-core'];

/** One line for each program that fails or prints something else. `consumer` is the project in which the tarball is installed. */
export async function problemsOfExamples(consumer: string): Promise<string[]> {
  const problems: string[] = [];
  const links = BESIDES.map((name) => join(consumer, 'node_modules', name));
  for (const [i, link] of links.entries()) {
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', BESIDES[i]!), link, 'junction');
  }
  for (const example of examples().filter((one) => !needsRedis(one))) {
    const { name, code } = example;
    writeFileSync(join(consumer, name), code);
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [name], { cwd: consumer, timeout: LIMIT_MS });
      const expected = expectedOutput(example);
      if (stdout !== expected) problems.push(`examples/${name} prints\n${stdout}expected\n${expected}`);
      else console.log(`ok    node examples/${name}`);
    } catch (error) {
      problems.push(`FAIL  node examples/${name}\n${saidBy(error)}`);
    }
  }
  for (const link of links) rmSync(link);
  return problems;
}
