import { describe, expect, test } from 'vitest';
import { type Command, runGates } from './gates.js';

async function gatesOf(waves: string[][], scripts: Record<string, string>) {
  const lines: string[] = [];
  const passed = await runGates(waves, {
    command: (gate): Command => [scripts[gate] === undefined ? 'no-such-command' : process.execPath, '-e', scripts[gate] ?? ''],
    print: (text) => lines.push(text),
  });
  return { passed, text: lines.join('\n'), last: lines.at(-1) };
}

describe('the gate runner', () => {
  test('passes when every gate exits with 0', async () => {
    const run = await gatesOf([['a', 'b'], ['c']], { a: '', b: '', c: '' });
    expect(run).toMatchObject({ passed: true, last: 'gates: 3 passed, 0 failed' });
  });

  test('fails when one gate exits with another code, shows its output, and still runs the later ones', async () => {
    const run = await gatesOf([['a', 'b'], ['c']], {
      a: '',
      b: 'console.log("out"); console.error("err"); process.exit(3)',
      c: '',
    });
    expect(run).toMatchObject({ passed: false, last: 'gates: 2 passed, 1 failed' });
    expect(run.text).toMatch(/FAIL {2}b.*out.*err/s);
    expect(run.text).toMatch(/ok {4}c/);
  });

  test('fails when a gate is killed by a signal', async () => {
    const run = await gatesOf([['a']], { a: 'process.kill(process.pid, "SIGKILL")' });
    expect(run).toMatchObject({ passed: false, last: 'gates: 0 passed, 1 failed' });
  });

  test('fails when a gate cannot be started', async () => {
    const run = await gatesOf([['missing']], {});
    expect(run).toMatchObject({ passed: false, last: 'gates: 0 passed, 1 failed' });
  });

  test('keeps the output of a passing gate to itself', async () => {
    expect((await gatesOf([['a']], { a: 'console.log("chatter")' })).text).not.toContain('chatter');
  });

  test('starts a wave only when the one before it is over', async () => {
    const order: string[] = [];
    const command = (gate: string): Command => {
      order.push(`start ${gate}`);
      return [process.execPath, '-e', gate === 'slow' ? 'setTimeout(() => {}, 200)' : ''];
    };
    const print = (text: string) => order.push(text.replace(/^ok +(\S+).*/s, 'end $1'));
    await runGates([['slow', 'quick'], ['last']], { command, print });
    expect(order.indexOf('start last')).toBeGreaterThan(order.indexOf('end slow'));
  });
});
