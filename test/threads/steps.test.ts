/**
 * The protocol between threads under every order of its steps, on the code itself (support/threads/stepped.ts); and the wrong orders
 * that it must find.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { codeIn, Member, SPANS, SteppedSpace } from '../support/threads/stepped-space.js';
import { type Fault, steppedProgram } from '../support/threads/stepped.js';
import { exploreSteps, GHOST, type World } from '../support/threads/steps.js';

type Codes = ReturnType<typeof codeIn>;
type Scene = (codes: Codes) => (world: World) => void;

/** A writer with so many sections, and a reader that reads until it has committed, so many times. */
const readAndWrite =
  (sections: number, commits: number, events?: number): Scene =>
  (codes) =>
  (world) => {
    const shared = new SteppedSpace(codes(world), world, 2, events);
    const writer = shared.member(0, 'writer');
    const reader = shared.member(1, 'reader');
    writer.runs(
      (function* () {
        for (let i = 0; i < sections; i++) {
          const { section, isOver } = yield* writer.begin();
          if (!isOver()) yield { until: isOver };
          yield* writer.change();
          yield* writer.end(section);
        }
      })(),
    );
    reader.runs(
      (function* () {
        for (let i = 0; i < commits; ) if (yield* reader.read()) i++;
      })(),
    );
  };

let codes: Codes;
beforeAll(async () => {
  codes = codeIn(await steppedProgram());
}, 60_000);

describe('every order of', () => {
  test('a section and a commit', { timeout: 120_000 }, async () => {
    const seen = await exploreSteps(readAndWrite(1, 1)(codes), 20_000);
    console.log(seen);
    expect(seen.isComplete).toBe(true);
  });
});
