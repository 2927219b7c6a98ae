/**
 * Contract, phases: holds and begins take turns, in every order in which they can come and go.
 */
import type { Invalidation, Range } from '../../index.js';
import type { ContractTracker, MakeTracker, Suite } from './suite.js';
import { ManualClock } from './support/clock.js';
import { expect } from './support/expect.js';
import { expectNothingLeft } from './support/leftovers.js';
import { type Call, deferredFetch, range } from './support/reading.js';
import { turns } from './support/turns.js';

/** One lookup that will hold, or one begin. `twin` is the index of an equal party that must come first. */
interface Part {
  readonly kind: 'hold' | 'begin';
  readonly range: Range;
  readonly twin?: number;
}

/** Not there yet; waiting for its turn; having it; done. */
type State = 'absent' | 'waiting' | 'in' | 'done';

interface Party extends Part {
  state: State;
  /** The position in the order of arrival. */
  arrival: number;
  section: Invalidation | undefined;
  readonly calls: Call<string>[];
}

const ALL = range(0, 8);
const LEFT = range(0, 4);
const RIGHT = range(4, 8);
const MIDDLE = range(2, 6);

/** S24: two holds and three begins. Of two that are equal, or mirror images, only one order need be tried. */
const shapes: [string, Part[]][] = [
  [
    'all over the same range',
    [
      { kind: 'hold', range: ALL },
      { kind: 'hold', range: ALL, twin: 0 },
      { kind: 'begin', range: ALL },
      { kind: 'begin', range: ALL, twin: 2 },
      { kind: 'begin', range: ALL, twin: 3 },
    ],
  ],
  [
    'holds apart, begins over one, the other, and both',
    [
      { kind: 'hold', range: LEFT },
      { kind: 'hold', range: RIGHT, twin: 0 },
      { kind: 'begin', range: LEFT },
      { kind: 'begin', range: RIGHT },
      { kind: 'begin', range: ALL },
    ],
  ],
  [
    'a chain in which each overlaps its neighbours only',
    [
      { kind: 'begin', range: range(0, 3) },
      { kind: 'hold', range: range(2, 5) },
      { kind: 'begin', range: range(4, 7) },
      { kind: 'hold', range: range(6, 9), twin: 1 },
      { kind: 'begin', range: range(8, 11) },
    ],
  ],
  [
    'a wide hold and a narrow one',
    [
      { kind: 'hold', range: ALL },
      { kind: 'hold', range: MIDDLE },
      { kind: 'begin', range: LEFT },
      { kind: 'begin', range: RIGHT },
      { kind: 'begin', range: MIDDLE },
    ],
  ],
];

/** Turns for everybody to react between two steps: all there are, or too few, so that steps meet what is under way. */
const paces: [string, number][] = [
  ['with everybody settled between two steps', 14],
  ['with one turn between two steps', 1],
];

/** Thousands of runs each: a second or two, on a busy machine many times that. */
const LIMIT_MS = 60_000;

/** One run of one order. Whoever runs it makes the choices; the run says which there are and checks what follows. */
class Run {
  readonly tracker: ContractTracker;
  readonly clock = new ManualClock();
  readonly parties: Party[];
  readonly trace: string[] = [];
  #arrivals = 0;

  constructor(make: MakeTracker, parts: readonly Part[]) {
    this.tracker = make({ clock: this.clock });
    this.parties = parts.map((part) => ({ ...part, state: 'absent', arrival: 0, section: undefined, calls: [] }));
  }

  /** Every lookup reads once and is hit, so that its arrival as a holder can be called whenever it is due. */
  prepare(): void {
    for (const party of this.parties) {
      if (party.kind === 'begin') continue;
      const result = this.tracker.lookup(party.range, deferredFetch(party.calls), { maxAttempts: 1 });
      result.then(
        () => {
          party.state = 'done';
        },
        (error) => this.trace.push(`failed: ${error}`),
      );
    }
    this.tracker.tryBegin(range(-100, 100))!.end();
  }

  /** Who can arrive or finish now. */
  choices(): Party[] {
    return this.parties.filter(({ state, twin }) => {
      return state === 'in' || (state === 'absent' && (twin === undefined || this.parties[twin]!.state !== 'absent'));
    });
  }

  /** Arrives, or finishes. */
  step(party: Party): void {
    const name = `${party.kind} ${this.parties.indexOf(party)}`;
    if (party.state === 'absent') {
      this.trace.push(`${name} arrives`);
      party.state = 'waiting';
      party.arrival = ++this.#arrivals;
      if (party.kind === 'hold') party.calls[0]!.resolve('stale');
      else {
        this.tracker.begin(party.range).then((section) => {
          party.section = section;
        });
      }
      return;
    }
    this.trace.push(`${name} finishes`);
    party.state = 'done';
    if (party.kind === 'hold') party.calls[1]!.resolve('fresh');
    else party.section!.end();
  }

  /** Sees who has got in since it was last asked. */
  look(): Party[] {
    const entered = this.parties.filter(({ kind, state, section, calls }) => {
      return state === 'waiting' && (kind === 'begin' ? section !== undefined : calls.length > 1);
    });
    for (const party of entered) party.state = 'in';
    return entered;
  }

  /** Not a matcher: there are a hundred thousand runs, and a matcher costs more than a run. */
  report(problems: readonly string[]): void {
    if (problems.length > 0) throw new Error(`${problems.join('; ')}. The order was: ${this.trace.join(', ')}`);
  }

  /** What must hold whenever everybody has had time to react. `waiting` are those who waited before the last step. */
  check(entered: readonly Party[], waitedBefore: readonly Party[]): void {
    const problems: string[] = [];
    const at = (kind: Part['kind'], state: State) => this.parties.filter((one) => one.kind === kind && one.state === state);
    for (const one of at('hold', 'in')) {
      if (one.calls.length !== 2) problems.push(`a holder needed ${one.calls.length} attempts`);
      for (const other of at('begin', 'in')) {
        if (overlap(one, other)) problems.push('a holder and an overlapping section have their turn at once');
      }
    }
    for (const one of at('hold', 'waiting')) {
      const blocked = [...at('begin', 'in'), ...at('begin', 'waiting').filter(({ arrival }) => arrival < one.arrival)];
      if (!blocked.some((other) => overlap(one, other))) problems.push(`a holder waits for nobody: arrival ${one.arrival}`);
    }
    for (const one of at('begin', 'waiting')) {
      const older = at('hold', 'waiting').filter(({ arrival }) => arrival < one.arrival);
      const blocked = [...at('hold', 'in'), ...older];
      if (!blocked.some((other) => overlap(one, other))) problems.push(`a begin waits for nobody: arrival ${one.arrival}`);
    }
    problems.push(...overtaking(entered, waitedBefore));
    this.report(problems);
  }
}

/** A party may pass one that came before it only as the rules of the two rooms say. */
function overtaking(entered: readonly Party[], waitedBefore: readonly Party[]): string[] {
  const problems: string[] = [];
  for (const one of entered) {
    const passed = waitedBefore.filter((other) => {
      return other.kind !== one.kind && other.state === 'waiting' && other.arrival < one.arrival && overlap(one, other);
    });
    for (const other of passed) {
      // A holder that waits for a begin older than itself is passed by the begins that go together with that one.
      const waitsForOlder = waitedBefore.some(
        (third) => third.kind === 'begin' && third.arrival < other.arrival && overlap(third, other),
      );
      if (one.kind === 'hold' || !waitsForOlder) problems.push(`arrival ${one.arrival} passed arrival ${other.arrival}`);
    }
  }
  return problems;
}

function overlap(a: Part, b: Part): boolean {
  return a.range.start < b.range.end && b.range.start < a.range.end;
}

/** Runs every order there is, depth first: after each run the last choice that has another branch takes it. */
async function everyOrder(parts: readonly Part[], pace: number, make: MakeTracker): Promise<number> {
  let path: number[] = [];
  let runs = 0;
  do {
    const run = new Run(make, parts);
    run.prepare();
    const widths: number[] = [];
    while (run.parties.some(({ state }) => state !== 'done')) {
      const choices = run.choices();
      if (choices.length === 0) {
        // Too few turns to see who is in; with all of them, this would be a deadlock.
        const waitedBefore = run.parties.filter(({ state }) => state === 'waiting');
        await turns();
        const entered = run.look();
        if (entered.length === 0) run.report(['everybody waits: a deadlock, or a lost wake-up']);
        run.check(entered, waitedBefore);
        continue;
      }
      const choice = path[widths.length] ?? 0;
      path[widths.length] = choice;
      widths.push(choices.length);
      const waitedBefore = run.parties.filter(({ state }) => state === 'waiting');
      run.step(choices[choice]!);
      await turns(pace);
      const entered = run.look();
      if (pace > 1) run.check(entered, waitedBefore);
    }
    await turns();
    const { attempts, commits, holdsExpired } = run.tracker.stats;
    if (attempts !== 4 || commits !== 2 || holdsExpired !== 0) {
      run.report([`${attempts} attempts, ${commits} commits, ${holdsExpired} holds expired; expected 4, 2, 0`]);
    }
    expectNothingLeft(run.tracker, { clock: run.clock });
    runs++;
    while (path.length > 0 && path.at(-1)! + 1 >= widths[path.length - 1]!) path.pop();
    if (path.length > 0) path = [...path.slice(0, -1), path.at(-1)! + 1];
  } while (path.length > 0);
  return runs;
}

export function describePhases({ describe, it, make }: Suite): void {
  for (const [shape, parts] of shapes) {
    describe(`two holds and three begins, ${shape}`, () => {
      for (const [name, pace] of paces) {
        it(
          `come through in every order, ${name}`,
          async () => {
            expect(await everyOrder(parts, pace, make)).toBeGreaterThan(500);
          },
          LIMIT_MS,
        );
      }
    });
  }
}
