import { describe, expect, test } from 'vitest';
import { type Command, GATES, type Gate, runGates, sizes, tested } from './gates.js';

async function gatesOf(gates: Gate[], scripts: Record<string, string>) {
  const lines: string[] = [];
  const passed = await runGates(gates, {
    command: (gate): Command => [scripts[gate] === undefined ? 'no-such-command' : process.execPath, '-e', scripts[gate] ?? ''],
    print: (text) => lines.push(text),
  });
  return { passed, text: lines.join('\n'), last: lines.at(-1) };
}

describe('the gate runner', () => {
  test('passes when every gate exits with 0', async () => {
    const run = await gatesOf([{ name: 'a' }, { name: 'b' }, { name: 'c', after: 'b' }], { a: '', b: '', c: '' });
    expect(run).toMatchObject({ passed: true, last: 'gates: 3 passed, 0 failed' });
  });

  test('fails when one gate exits with another code, shows its output, and still runs the later ones', async () => {
    const run = await gatesOf([{ name: 'a' }, { name: 'b' }, { name: 'c', after: 'b' }], {
      a: '',
      b: 'console.log("out"); console.error("err"); process.exit(3)',
      c: '',
    });
    expect(run).toMatchObject({ passed: false, last: 'gates: 2 passed, 1 failed' });
    expect(run.text).toMatch(/FAIL {2}b.*out.*err/s);
    expect(run.text).toMatch(/ok {4}c/);
  });

  test('fails when a gate is killed by a signal', async () => {
    const run = await gatesOf([{ name: 'a' }], { a: 'process.kill(process.pid, "SIGKILL")' });
    expect(run).toMatchObject({ passed: false, last: 'gates: 0 passed, 1 failed' });
  });

  test('fails when a gate cannot be started', async () => {
    const run = await gatesOf([{ name: 'missing' }], {});
    expect(run).toMatchObject({ passed: false, last: 'gates: 0 passed, 1 failed' });
  });

  test('says in one line what a gate that passes has found, and keeps the rest of its output to itself', async () => {
    const gate: Gate = { name: 'a', figure: (output) => /\d+ found/.exec(output)![0] };
    const { text } = await gatesOf([gate], { a: 'console.log("chatter\\n\\x1b[32m3\\x1b[39m found")' });
    expect(text).toMatch(/^ok {4}a .* s {3}3 found$/m);
    expect(text).not.toContain('chatter');
  });

  async function orderOf(gates: Gate[], slow: string): Promise<string[]> {
    const order: string[] = [];
    const command = (gate: string): Command => {
      order.push(`start ${gate}`);
      return [process.execPath, '-e', gate === slow ? 'setTimeout(() => {}, 200)' : ''];
    };
    const print = (text: string) => order.push(text.replace(/^ok +(\S+).*/s, 'end $1'));
    await runGates(gates, { command, print });
    return order;
  }

  test('starts a gate only when what it needs is there, and others in the meantime', async () => {
    const order = await orderOf([{ name: 'slow' }, { name: 'after', after: 'slow' }, { name: 'other' }], 'slow');
    expect(order.indexOf('start after')).toBeGreaterThan(order.indexOf('end slow'));
    expect(order.indexOf('start other')).toBeLessThan(order.indexOf('end slow'));
  });

  test('starts a gate for two cores only when both are free, and none that comes later before it', async () => {
    const order = await orderOf([{ name: 'slow' }, { name: 'wide', cores: 2 }, { name: 'last' }], 'slow');
    expect(order.slice(0, -2)).toEqual(['start slow', 'end slow', 'start wide', 'end wide', 'start last', 'end last']);
  });

  test('has in its list what a gate needs before that gate', () => {
    for (const [index, { after }] of GATES.entries()) {
      if (after !== undefined) expect(GATES.slice(0, index).map(({ name }) => name)).toContain(after);
    }
  });
});

describe('the figure of a gate', () => {
  test('is the number of tests, and of covered lines where they are counted', () => {
    const report = ' Test Files  63 passed (63)\n      Tests  1891 passed (1891)\n';
    expect(tested(report)).toBe('tests: 1891 passed');
    expect(tested(`${report}All files          |   99.14 |    96.78 |    99.1 |   99.83 | `)).toBe(
      'tests: 1891 passed; lines: 99.83 % covered',
    );
    expect(tested('      Tests  2 failed | 5 passed | 1 skipped (8)')).toBe('tests: 2 failed | 5 passed | 1 skipped');
  });

  test('is each size beside its limit', () => {
    const report =
      '  core\n  Size limit: 12.5 kB\n  Size:       11.93 kB brotlied\n  tree\n  Size limit: 3 kB\n  Size:  980 B brotlied';
    expect(sizes(report)).toBe('11.93 of 12.5, 0.98 of 3 kB');
  });
});
