/**
 * The protocol between threads under every order of its steps, on the code itself (support/threads/stepped.ts); and the wrong orders
 * that this must find.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { type Fault, steppedProgram } from '../support/threads/stepped.js';
import { codeIn, type Member, SPANS, SteppedSpace } from '../support/threads/stepped-space.js';
import { exploreSteps, type World } from '../support/threads/steps.js';

type Codes = ReturnType<typeof codeIn>;
type Scene = (codes: Codes) => (world: World) => void;

const RANGE = { start: SPANS[0]!, end: SPANS[1]! };

function* writes(writer: Member, sections: number, givesUp = 0) {
  for (let i = 0; i < sections; i++) {
    const { section, isOver } = yield* writer.begin();
    if (i >= givesUp) {
      if (!isOver()) yield { until: isOver };
      yield* writer.change();
    }
    yield* writer.end(section);
  }
}

function* reads(reader: Member, commits: number) {
  for (let i = 0; i < commits; ) if (yield* reader.read()) i++;
}

/** A writer with so many sections, and a reader that reads until it has committed, so many times. */
const readAndWrite =
  (sections: number, commits: number, events?: number): Scene =>
  (codes) =>
  (world) => {
    const shared = new SteppedSpace(codes(world), world, 2, events);
    const writer = shared.member(0, 'writer');
    const reader = shared.member(1, 'reader');
    writer.runs(writes(writer, sections));
    reader.runs(reads(reader, commits));
  };

/** A writer that does not wait, and a reader. */
const readAndTry: Scene = (codes) => (world) => {
  const shared = new SteppedSpace(codes(world), world, 2);
  const writer = shared.member(0, 'writer');
  const reader = shared.member(1, 'reader');
  writer.runs(
    (function* () {
      const section = yield* writer.tryBegin();
      if (section === undefined) return;
      yield* writer.change();
      yield* writer.end(section);
    })(),
  );
  reader.runs(reads(reader, 1));
};

/** What a subscriber does: it stays; or it has looked around before it comes; or it never answers, and goes. */
type Manner = 'stays' | 'comes late' | 'goes';

/** A writer, of whose sections the first are given up at once; and a subscriber that fills a mirror. */
const subscribe =
  (sections: number, givesUp: number, manner: Manner): Scene =>
  (codes) =>
  (world) => {
    const shared = new SteppedSpace(codes(world), world, 2);
    world.tells = true;
    let mirror = false;
    const writer = shared.member(0, 'writer');
    const reader = shared.member(1, 'subscriber');
    shared.enters = () => {
      if (mirror) throw new Error('a mirror inside of a section');
    };
    writer.runs(writes(writer, sections, givesUp));
    const subscriber = {
      invalidate() {
        if (manner === 'goes') return new Promise<void>(() => {});
        mirror = false;
        return undefined;
      },
    };
    reader.runs(
      (function* () {
        if (manner === 'comes late') {
          yield* reader.link.sync();
          yield { until: () => true };
        }
        const subscription = new shared.code.OpenSubscription(reader.space, RANGE, subscriber, undefined);
        yield* reader.link.asks(SPANS, 1, false);
        if (manner !== 'goes') {
          while (
            !(yield* reader.read(() => {
              mirror = true;
            }))
          );
          return;
        }
        yield { until: () => true };
        mirror = false;
        subscription.shut();
        yield* reader.link.asks(SPANS, -1, false);
      })(),
    );
  };

/** One of a writer and a reader stops for good after so many steps; the hub makes its place free. */
const die =
  (victim: 'writer' | 'reader', lives: number): Scene =>
  (codes) =>
  (world) => {
    const shared = new SteppedSpace(codes(world), world, 2);
    const writer = shared.member(0, 'writer');
    const reader = shared.member(1, 'reader');
    writer.runs(writes(writer, 1));
    reader.runs(reads(reader, 1));
    const { thread, place } = victim === 'writer' ? writer : reader;
    const hub = world.thread('hub');
    const recovery = shared.recovery();
    thread.lives = lives;
    thread.dies = () => {
      if (victim === 'writer') shared.inside = 0;
      else shared.committing = 0;
    };
    hub.program = (function* () {
      yield { until: () => thread.isDead || (writer.thread.program === undefined && reader.thread.program === undefined) };
      if (!thread.isDead) return;
      shared.halves[1] = shared.halves[0]!; // repairs
      yield* recovery.recover(place);
    })();
  };

let codes: Codes;
beforeAll(async () => {
  codes = codeIn(await steppedProgram());
}, 60_000);

describe('every order of the steps of', { timeout: 300_000 }, () => {
  test.each<[string, Scene]>([
    ['a section and a commit', readAndWrite(1, 1)],
    ['a section that does not wait and a commit', readAndTry],
    ['a section and a commit of one who is too far behind', readAndWrite(1, 1, 2)],
  ])('%s', async (_name, scene) => {
    expect(await exploreSteps(scene(codes), { most: 20_000 })).toMatchObject({ isComplete: true });
  });

  test.each<[string, Scene]>([
    ['two sections and two commits', readAndWrite(2, 2)],
    ['three sections and a commit of one who is too far behind', readAndWrite(3, 1, 4)],
    ['a section and a subscriber', subscribe(1, 0, 'stays')],
    ['a section and a subscriber that comes late', subscribe(1, 0, 'comes late')],
    ['a section and a subscriber that never answers and closes', subscribe(1, 0, 'goes')],
    ['a section that is given up, one that is not, and a subscriber', subscribe(2, 1, 'stays')],
    ['a section that is given up, one that is not, and a subscriber that never answers and closes', subscribe(2, 1, 'goes')],
  ])('%s, with two changes of threads at any moments', async (_name, scene) => {
    expect(await exploreSteps(scene(codes), { most: 50_000, preemptions: 2 })).toMatchObject({ isComplete: true });
  });

  test.each(['writer', 'reader'] as const)('a section and a commit, where the %s dies after any of its steps', async (victim) => {
    for (let lives = 1; lives <= 40; lives++) {
      const seen = await exploreSteps(die(victim, lives)(codes), { most: 20_000, preemptions: 1 });
      expect(seen.isComplete).toBe(true);
    }
  });
});

/** Wrong orders, and what finds them. */
const FAULTS: readonly [what: string, file: string, find: string, replace: string, scene: Scene][] = [
  [
    'a commit replays before it has said that it commits',
    'link.ts',
    `    this.#slot.open(more === undefined ? stripes : stripes | stripesOfSpans(more, this.#grain));
    this.sync();`,
    `    this.sync();
    this.#slot.open(more === undefined ? stripes : stripes | stripesOfSpans(more, this.#grain));`,
    readAndWrite(1, 1),
  ],
  [
    'a begin looks at commits before it is published',
    'link.ts',
    `    own.published = this.#log.begin(own.section.spans, own.coded);
    this.#sections++;
    return this.#waits.concerned(own.stripes);`,
    `    const commits = this.#waits.concerned(own.stripes);
    own.published = this.#log.begin(own.section.spans, own.coded);
    this.#sections++;
    return commits;`,
    readAndWrite(1, 1),
  ],
  [
    'a begin does not wait for commits',
    'link.ts',
    'return this.#waits.isOver(wait) ? undefined : this.#wait(own, wait);',
    'return undefined;',
    readAndWrite(1, 1),
  ],
  [
    'VERSION is moved before COUNT',
    'log.ts',
    `    this.#words.store(this.#words.of(this.#thread) + COUNT, count);
    this.#words.add(VERSION, 1);`,
    `    this.#words.add(VERSION, 1);
    this.#words.store(this.#words.of(this.#thread) + COUNT, count);`,
    readAndWrite(1, 1),
  ],
  [
    'a replay takes the VERSION of after it',
    'follow.ts',
    `      this.#read();
    } finally {`,
    `      this.#read();
      this.#version = this.#words.load(VERSION);
    } finally {`,
    readAndWrite(1, 1),
  ],
  [
    'a commit in progress is over as soon as it has changed its stripes',
    'waits.ts',
    'if (now >>> 24 === slot >>> 24 && (now & stripes) !== 0) return false;',
    'commits.length = 0;',
    readAndWrite(1, 1),
  ],
  [
    'who waits for an end does not look again after it has said so',
    'link.ts',
    `    this.#interests.waitFor(this.#interests.awaited | stripesOfSpans(section.spans, this.#grain));
    this.#soon();`,
    `    this.#interests.waitFor(this.#interests.awaited | stripesOfSpans(section.spans, this.#grain));
    this.#bell.sleep(this.#bell.ticks());`,
    readAndWrite(1, 1),
  ],
  [
    'an end does not ring those who wait for it',
    'link.ts',
    '      this.#waits.ringWaiting(own.stripes);\n',
    '',
    readAndWrite(1, 1),
  ],
  [
    'the bell is read after the look',
    'link.ts',
    `    const ticks = this.#bell.ticks();
    this.sync();
    this.#look();
    this.#recount();`,
    `    this.sync();
    this.#look();
    this.#recount();
    const ticks = this.#bell.ticks();`,
    readAndWrite(1, 1),
  ],
  [
    'the end is published before the entry is free',
    'log.ts',
    `    for (const entry of entries) words.store(words.entry(this.#thread, entry) + TYPE, FREE);
    const at = words.event(this.#thread, this.#count);
    words.i32[at + TYPE] = END | (entries[0]! << 8);
    words.i32[at + GENERATION] = generation;
    this.#publish((this.#count + 1) | 0);`,
    `    const at = words.event(this.#thread, this.#count);
    words.i32[at + TYPE] = END | (entries[0]! << 8);
    words.i32[at + GENERATION] = generation;
    this.#publish((this.#count + 1) | 0);
    for (const entry of entries) words.store(words.entry(this.#thread, entry) + TYPE, FREE);`,
    readAndWrite(1, 1, 2),
  ],
  [
    'the table is read before COUNT',
    'follow.ts',
    `    this.#seen[thread] = this.#words.load(this.#words.of(thread) + COUNT);
    this.#to.missed(thread, this.#table.read(thread));`,
    `    const open = this.#table.read(thread);
    this.#seen[thread] = this.#words.load(this.#words.of(thread) + COUNT);
    this.#to.missed(thread, open);`,
    readAndWrite(2, 1, 2),
  ],
  ['who has missed events keeps the history', 'replicas.ts', '    this.#space.missed();\n', '', readAndWrite(2, 1, 2)],
  [
    'a begin does not ask those who subscribe',
    'waits.ts',
    'if (((slot | asks) & stripes) !== 0) found ??= [];',
    'if ((slot & stripes) !== 0) found ??= [];',
    subscribe(1, 0, 'stays'),
  ],
  [
    'a begin waits for one who has closed his subscription',
    'waits.ts',
    `        words.load(of + ALIVE) !== use ||
        (words.load(of + ASKS) & wait.stripes) === 0;`,
    '        words.load(of + ALIVE) !== use;',
    subscribe(1, 0, 'goes'),
  ],
  [
    'who closes his subscription does not ring',
    'link.ts',
    'this.#waits.ringAll(); // whoever waits for an answer has it',
    'void 0;',
    subscribe(1, 0, 'goes'),
  ],
  [
    'a begin is confirmed before subscribers are told',
    'replicas.ts',
    'if (ended === undefined) this.#ask(replica);',
    'if (ended === undefined) { this.#host.confirm(replica); queueMicrotask(() => this.#ask(replica)); }',
    subscribe(1, 0, 'stays'),
  ],
  [
    'a late answer is taken for that of the next begin',
    'waits.ts',
    'words.load(words.ack(thread, this.#own, entries[0]!)) === generation ||',
    'words.load(words.ack(thread, this.#own, entries[0]!)) !== 0 ||',
    subscribe(2, 1, 'stays'),
  ],
  [
    'begins that were confirmed before anybody subscribed are not confirmed again',
    'link.ts',
    'for (const replica of this.#replicas.open()) if (replica.isConfirmed) this.confirm(replica);',
    '',
    subscribe(1, 0, 'comes late'),
  ],
  [
    'a begin that is given up is not published as ended',
    'link.ts',
    '    if (own.published !== undefined && !this.#hasLeft) {',
    '    if (own.published !== undefined && own.wait === undefined) {',
    subscribe(2, 1, 'stays'),
  ],
];

const DEADLY: readonly [what: string, find: string, replace: string, victim: 'writer' | 'reader'][] = [
  ['does not end what the dead one had begun', '    new Log(words, thread).reset();\n', '', 'writer'],
  ['does not ring', '    this.ringAll();\n', '', 'writer'],
  [
    'leaves the commit slot as it is',
    '    words.store(of + COMMIT, ((words.load(of + COMMIT) >>> 24) + 1) << 24);\n',
    '',
    'reader',
  ],
];

describe('is found:', { timeout: 120_000 }, () => {
  test.each(FAULTS)('%s', async (_what, file, find, replace, scene) => {
    const wrong = codeIn(await steppedProgram([{ file, find, replace } satisfies Fault]));
    const found = exploreSteps(scene(wrong), { most: 20_000, preemptions: 2 });
    await expect(found).rejects.toThrow(/after writer|after reader|after subscriber/);
  });

  test.each(DEADLY)('a hub that %s', async (_what, find, replace, victim) => {
    const wrong = codeIn(await steppedProgram([{ file: 'recover.ts', find, replace }]));
    const found = (async () => {
      for (let lives = 1; lives <= 40; lives++) await exploreSteps(die(victim, lives)(wrong), { most: 20_000, preemptions: 1 });
    })();
    await expect(found).rejects.toThrow('waits for ever');
  });
});
