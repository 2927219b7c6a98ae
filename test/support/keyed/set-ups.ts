/**
 * Set-ups: the ordinary ways to get something stale out of a cache, for any cache, fenced or not. Each plays one schedule with
 * loads that wait until they are answered, and says what was kept and what the callers got.
 */
import { type Deferred, deferred, Outcome } from '../turns.js';

/** A cache as a user of it sees it, with a load that was fixed when it was made. */
export interface Subject {
  read(key: string, signal?: AbortSignal): Promise<unknown>;
  /** As its users drop an entry. */
  drop(key: string): unknown;
  /** Announces a change, makes it, and says so in whatever way the cache offers; absent: drops the entry before the change. */
  change?(key: string, change: () => Promise<void>): Promise<void>;
  /** Waits for the set of the store under it, if that is asynchronous and can be stopped. */
  readonly slowSet?: SlowSet | undefined;
  /** True if `read` takes a signal. */
  readonly abortable?: boolean | undefined;
  /** What is left in flight; must be nothing in the end. */
  left?(): unknown;
  close?(): unknown;
}

/** Makes a subject whose reads load with this. */
export type MakeSubject = (load: (signal?: AbortSignal) => Promise<string>) => Subject | Promise<Subject>;

/** Stops the next set of a store until it is let through. */
export class SlowSet {
  #gate: Deferred<void> | undefined = undefined;
  #armed = false;

  arm(): void {
    this.#armed = true;
  }

  /** To be awaited by the store before a set takes effect. */
  async wait(): Promise<void> {
    if (!this.#armed) return;
    this.#armed = false;
    this.#gate = deferred();
    await this.#gate.promise;
  }

  /** A set is being stopped. */
  get stopped(): boolean {
    return this.#gate !== undefined;
  }

  pass(): void {
    this.#gate?.resolve();
  }
}

/** What one set-up has shown. */
export type Verdict = 'clean' | 'kept old' | 'new reader got old' | 'first reader got old' | 'not possible' | `error: ${string}`;

/** A source, its loads, and time for everybody to go on. */
interface Stage {
  content: string;
  /** Loads that are waiting. Those that begin when `hold` is false answer in the next turn. */
  readonly calls: {
    readonly answer: () => void;
    readonly fail: (error: unknown) => void;
    readonly signal: AbortSignal | undefined;
  }[];
  hold: boolean;
  readonly subject: Subject;
  readonly settle: () => Promise<void>;
}

type Play = (stage: Stage) => Promise<Verdict>;

const KEY = 'key';

/** What a later reader gets, when all is quiet. */
async function later({ subject, settle }: Stage): Promise<Verdict> {
  await settle();
  const value = await subject.read(KEY);
  return value === 'new' ? 'clean' : value === 'old' ? 'kept old' : `error: got ${String(value)}`;
}

/** What a later reader gets, then one that came after the change, then one that had come before. */
async function judge(stage: Stage, first: Outcome<unknown>, second?: Outcome<unknown>): Promise<Verdict> {
  const verdict = await later(stage);
  if (verdict !== 'clean') return verdict;
  for (const reader of second === undefined ? [first] : [second, first]) {
    if (reader.state === 'pending') return 'error: a reader waits for ever';
    if (reader.state === 'rejected') return `error: ${(reader.error as Error)?.name ?? String(reader.error)}`;
    if (reader.value === 'old') return reader === first ? 'first reader got old' : 'new reader got old';
  }
  return 'clean';
}

async function drop(stage: Stage): Promise<void> {
  stage.content = 'new';
  await stage.subject.drop(KEY);
  await stage.settle();
}

/** All of them, by name. */
export const SET_UPS: Readonly<Record<string, Play>> = {
  'invalidated during the load': async (stage) => {
    const first = new Outcome(stage.subject.read(KEY));
    await stage.settle();
    stage.hold = false;
    await drop(stage);
    stage.calls[0]?.answer();
    return judge(stage, first);
  },
  'a new reader after it': async (stage) => {
    const first = new Outcome(stage.subject.read(KEY));
    await stage.settle();
    stage.hold = false;
    await drop(stage);
    const second = new Outcome(stage.subject.read(KEY));
    await stage.settle();
    stage.calls[0]?.answer();
    return judge(stage, first, second);
  },
  'slow first load, fast second': async (stage) => {
    const first = new Outcome(stage.subject.read(KEY));
    await stage.settle();
    await drop(stage);
    const second = new Outcome(stage.subject.read(KEY));
    await stage.settle();
    stage.hold = false;
    for (const call of stage.calls.slice(1)) call.answer();
    await stage.settle();
    stage.calls[0]?.answer();
    return judge(stage, first, second);
  },
  'announced slow write, a reader inside': async (stage) => {
    stage.hold = false;
    const write = deferred();
    const change = async () => {
      await write.promise;
      stage.content = 'new';
    };
    const { subject } = stage;
    const writing =
      subject.change?.(KEY, change) ??
      (async () => {
        await subject.drop(KEY);
        await change();
      })();
    await stage.settle();
    new Outcome(subject.read(KEY)); // may get the old value: the change is not made yet
    await stage.settle();
    write.resolve();
    await writing;
    return later(stage);
  },
  'invalidated during an asynchronous set': async (stage) => {
    const { slowSet } = stage.subject;
    if (slowSet === undefined) return 'not possible';
    stage.hold = false;
    slowSet.arm();
    new Outcome(stage.subject.read(KEY));
    await stage.settle();
    if (!slowSet.stopped) return 'error: nothing was set';
    stage.content = 'new';
    const dropping = Promise.resolve(stage.subject.drop(KEY));
    await stage.settle();
    slowSet.pass();
    await dropping;
    return later(stage);
  },
  'a load that fails': async (stage) => {
    const error = new Error('load failed');
    const first = new Outcome(stage.subject.read(KEY));
    await stage.settle();
    stage.hold = false;
    stage.calls[0]?.fail(error);
    await stage.settle();
    stage.content = 'new';
    const verdict = await later(stage);
    if (verdict !== 'clean') return verdict;
    return first.error === error ? 'clean' : `error: the caller got ${String(first.error ?? first.value)}`;
  },
  'abort of one of two readers': async (stage) => {
    if (stage.subject.abortable !== true) return 'not possible';
    const controller = new AbortController();
    const first = new Outcome(stage.subject.read(KEY, controller.signal));
    const second = new Outcome(stage.subject.read(KEY));
    await stage.settle();
    stage.content = 'new';
    stage.hold = false;
    controller.abort(new Error('gone'));
    await stage.settle();
    if (first.state !== 'rejected') return 'error: the abort was not heard';
    await stage.subject.drop(KEY);
    stage.calls[0]?.answer();
    return judge(stage, second);
  },
};

/** Plays one set-up. `settle` gives everybody time to go on. */
export async function play(name: string, make: MakeSubject, settle: () => Promise<void>): Promise<Verdict> {
  const calls: Stage['calls'] = [];
  const state = { content: 'old', hold: true };
  const subject = await make(async (signal) => {
    const value = state.content;
    if (!state.hold) return value;
    const answer = deferred<string>();
    calls.push({ answer: () => answer.resolve(value), fail: answer.reject, signal });
    return answer.promise;
  });
  const stage: Stage = Object.assign(state, { calls, subject, settle });
  try {
    const verdict = await SET_UPS[name]!(stage);
    await settle();
    const left = subject.left?.();
    return left === undefined || left === 0 ? verdict : `error: ${String(left)} left behind`;
  } catch (error) {
    return `error: ${(error as Error)?.message ?? String(error)}`;
  } finally {
    for (const call of calls) call.answer();
    await subject.close?.();
  }
}
