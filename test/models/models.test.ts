/**
 * What `npm run test:models` checks, and how it reads what SPIN says. SPIN itself does not run here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CHECKS } from './checks.js';
import { outcomeOf } from './outcome.js';

const HERE = new URL('.', import.meta.url);
const models = readdirSync(HERE).filter((name) => name.endsWith('.pml'));

test.each(models)('every wrong order that %s has is checked, and the right one', (file) => {
  const model = file.replace('.pml', '');
  const text = readFileSync(new URL(file, HERE), 'utf8');
  const known = new Set([...text.matchAll(/FAULT [=!]= (\d+)/g)].map(([, number]) => Number(number)));
  known.delete(0);
  const seeded = CHECKS.filter((check) => check.model === model && check.fault !== undefined).map(({ fault }) => fault!.number);
  expect(seeded.sort((a, b) => a - b)).toEqual([...known].sort((a, b) => a - b));
  expect(CHECKS.some((check) => check.model === model && check.fault === undefined && check.isLong !== true)).toBe(true);
});

test('a wrong order that the protocol page names is one that is checked', () => {
  const page = readFileSync(new URL('../../docs/threads-protocol.md', HERE), 'utf8');
  const named = page
    .split(/\n\n|\n\|/)
    .flatMap((paragraph) => paragraph.split('Wrong').slice(1))
    .flatMap((rest) => [...rest.matchAll(/`([^`]+)`/g)].map(([, name]) => name!.replace(/\s+/g, ' ')))
    .filter((name) => name.includes(' '));
  const checked = new Set(CHECKS.map(({ fault }) => fault?.what));
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !checked.has(name))).toEqual([]);
});

test('a report without an error is complete only if nothing was left out', () => {
  const report = 'State-vector 68 byte, depth reached 252, errors: 0\n   857360 states, stored\n  1.2e+06 states, matched\n';
  expect(outcomeOf(report, 2)).toEqual({ states: 857_360, seconds: 2, error: undefined, incomplete: undefined });
  expect(outcomeOf(`error: max search depth too small\n${report}`, 2)).toMatchObject({
    incomplete: 'error: max search depth too small',
  });
  expect(outcomeOf(`pan: reached -DMEMLIM bound\n\tmemory used\n(Search was not completed)\n${report}`, 2)).toMatchObject({
    incomplete: '(Search was not completed)',
  });
});

test('an error is told in the words of the verifier, and no report is a failure', () => {
  const report =
    'pan:1: invalid end state (at depth 62)\npan: wrote m.pml.trail\nState-vector 60 byte, errors: 1\n 1.8570e+06 states, stored\n';
  expect(outcomeOf(report, 1)).toMatchObject({ error: 'invalid end state (at depth 62)', states: 1_857_000 });
  expect(outcomeOf('Segmentation fault', 1)).toEqual({ failure: 'Segmentation fault' });
});
