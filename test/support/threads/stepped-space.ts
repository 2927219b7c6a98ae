/**
 * A shared space of stepped threads: what the core does around the calls of its link, as programs.
 */

import type { Recovery } from '../../../lib/threads/recover.js';
import type { Words } from '../../../lib/threads/words.js';
import type { Linked, Section, Space } from '../../../lib/tracker/internal.js';
import { type Access, GHOST, type Program, type SteppedThread, step, type World } from './steps.js';

/** What the program of stepped.ts exports, with steps where the real one has none. */
interface Code {
  readonly Link: new (handle: object, linked: Linked<Space>) => SteppedLink;
  readonly Recovery: new (words: Words, bell: object) => Stepped<Recovery>;
  readonly Bell: new (...args: unknown[]) => object;
  readonly Words: typeof Words;
  readonly bytesOf: (shape: object) => number;
  readonly MEMBERS: number;
  readonly ALIVE: number;
  readonly Space: new (options: object) => Space;
  readonly Section: typeof Section;
  readonly OpenSubscription: new (space: Space, ranges: object, subscriber: object, options: undefined) => { shut(): void };
  readonly WaitingRead: new (space: Space, spans: readonly number[], ignore: undefined) => WaitingRead;
}

type Steps<T> = Generator<Access, T>;
type Stepped<T> = { [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Steps<R> : T[K] };

interface SteppedLink {
  join(): Steps<void>;
  sync(): Steps<void>;
  open(spans: readonly number[], more: undefined): Steps<void>;
  shut(): Steps<void>;
  linger(start: number, end: number): Steps<void>;
  admit(section: Section): void;
  refuses(section: Section): Steps<boolean>;
  enter(section: Section): Steps<{ readonly answer: Promise<void> } | undefined>;
  tryEnter(section: Section): Steps<boolean>;
  leave(section: Section): Steps<void>;
  asks(spans: readonly number[], by: 1 | -1, hearsEnds: boolean): Steps<void>;
  waits(section: Section): Steps<void>;
}

interface WaitingRead {
  readonly blockedBy: Section | undefined;
  start(options: undefined): Promise<number>;
}

export const SPANS: readonly number[] = [0, 1];

/** Loads the code once; what it calls is of the world that was made last. */
export function codeIn(text: string): (world: World) => Code {
  let now: World | undefined;
  const load = new Function('module', 'exports', 'require', '__step', '__sleep', '__spawn', '__micro', 'Atomics', text);
  const module = { exports: {} };
  const atomics = {
    load: Atomics.load,
    store: Atomics.store,
    add: Atomics.add,
    notify: (array: Int32Array, at: number) => now!.notify(array, at),
    waitAsync: (array: Int32Array, at: number, value: number) => now!.waitAsync(array, at, value),
  };
  const sleep = (array: Int32Array, at: number, value: number) => now!.sleep(array, at, value);
  const spawn = (steps: unknown) => now!.spawn(steps);
  load(module, module.exports, undefined, step, sleep, spawn, (job: () => unknown) => now!.micro(job), atomics);
  return (world) => {
    now = world;
    return module.exports as Code;
  };
}

/** Threads that take part, and what they change. */
export class SteppedSpace {
  readonly code: Code;
  readonly world: World;
  readonly shape: object;
  readonly buffer: SharedArrayBuffer;
  readonly words: Words;
  /** Two halves that change together, one after the other. */
  readonly halves = [0, 0];
  inside = 0;
  /** Called when a section has begun. */
  enters: () => void = () => {};
  committing = 0;

  constructor(code: Code, world: World, threads: number, events = 16) {
    this.code = code;
    this.world = world;
    this.shape = { threads, sections: 2, events, texts: 4, grain: 1 };
    this.buffer = new SharedArrayBuffer(code.bytesOf(this.shape));
    this.words = new code.Words(this.buffer, this.shape as never);
  }

  /** One that is there from the beginning. */
  member(place: number, name: string): Member {
    return new Member(this, place, this.world.thread(name));
  }

  recovery(): Stepped<Recovery> {
    return new this.code.Recovery(
      this.words,
      new this.code.Bell(
        this.words,
        -1,
        () => {},
        () => {},
      ),
    );
  }
}

/** Runs to the end without others. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { value, done } = steps.next();
    if (done) return value;
  }
}

/** One thread that takes part. */
export class Member {
  readonly shared: SteppedSpace;
  readonly thread: SteppedThread;
  readonly place: number;
  readonly space: Space;
  readonly link: SteppedLink;

  constructor(shared: SteppedSpace, place: number, thread: SteppedThread, joins = true) {
    const { code, world } = shared;
    this.shared = shared;
    this.place = place;
    this.thread = thread;
    const { MEMBERS, ALIVE } = code;
    const clock = world.clock;
    this.space = new code.Space({ label: undefined, historyCapacity: 8, note: undefined, givesHandles: false, clock, seq: 0 });
    const port = { postMessage() {}, addEventListener() {}, start() {}, close() {} };
    // A buffer of its own over the same memory, as in another thread: by the buffer, trackers of one thread know each other.
    const handle = { thread: place, buffer: structuredClone(shared.buffer), shape: shared.shape, port };
    this.link = world.as(thread, () => new code.Link(handle, { space: this.space, label: undefined, close() {} }));
    if (!joins) return;
    shared.words.i32[MEMBERS]! |= 1 << place;
    shared.words.i32[shared.words.of(place) + ALIVE] = 1;
    world.as(thread, () => atOnce(this.link.join()));
  }

  runs(program: Program): this {
    this.thread.program = program;
    return this;
  }

  // --- as space.ts has it

  /** What `begin` does up to its wait. */
  *begin(): Generator<Access, { readonly section: Section; readonly isOver: () => boolean }> {
    const section = new this.shared.code.Section(this.space, SPANS, true, undefined);
    this.link.admit(section);
    this.space.replay(section);
    const away = yield* this.link.enter(section);
    let isOver = away === undefined;
    away?.answer.then(() => {
      isOver = true;
    });
    return { section, isOver: () => isOver };
  }

  *tryBegin(): Generator<Access, Section | undefined> {
    const section = new this.shared.code.Section(this.space, SPANS, false, undefined);
    this.link.admit(section);
    if (yield* this.link.refuses(section)) return undefined;
    this.space.replay(section);
    if (yield* this.link.tryEnter(section)) return section;
    yield* this.end(section);
    return undefined;
  }

  *end(section: Section): Generator<Access, void> {
    this.space.replayEnd(section);
    yield* this.link.leave(section);
  }

  /** The change of a section that has begun. */
  *change(): Generator<Access, void> {
    const { shared } = this;
    yield GHOST;
    if (shared.committing > 0) throw new Error('a commit inside of a section');
    shared.enters();
    shared.inside++;
    shared.halves[0]!++;
    yield GHOST;
    shared.halves[1]!++;
    shared.inside--;
  }

  /** Waits for what is active, as `readBegin` does; then the token. */
  *token(): Generator<Access | { until: () => boolean }, number> {
    for (;;) {
      yield* this.link.sync();
      const wait = new this.shared.code.WaitingRead(this.space, SPANS, undefined);
      let token: number | undefined;
      wait.start(undefined).then((seq) => {
        token = seq;
      });
      if (wait.blockedBy === undefined) return this.space.seq;
      yield* this.link.waits(wait.blockedBy);
      yield { until: () => token !== undefined };
      if (token !== undefined) return token;
    }
  }

  /** Reads both halves, checks, and commits if nothing has come between; the check is that of lookup.ts. */
  *read(install: () => void = () => {}): Generator<Access | { until: () => boolean }, boolean> {
    const { shared } = this;
    const token = yield* this.token();
    yield GHOST;
    const first = shared.halves[0]!;
    yield GHOST;
    const second = shared.halves[1]!;
    yield* this.link.open(SPANS, undefined);
    const isFine = this.space.check(SPANS, token, undefined) === 0;
    if (isFine) {
      yield GHOST;
      if (shared.inside > 0) throw new Error('a commit inside of a section');
      if (first !== second || first !== shared.halves[0]) throw new Error(`committed ${first}, ${second} of ${shared.halves}`);
      shared.committing++;
      install();
      yield GHOST;
      if (shared.inside > 0) throw new Error('a section inside of a commit');
      shared.committing--;
    }
    yield* this.link.shut();
    return isFine;
  }
}
