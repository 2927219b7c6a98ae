/**
 * lockOrder: an observer that reports who waits for what can never come, and who is on the way to it.
 *
 * It follows the rules of graph.ts and order.ts; docs/debugging.md says what is found, and what is not. One checker may
 * observe any number of trackers, and finds what goes around between them.
 *
 * A program that goes on is never held up; a report comes from a microtask, so that one that throws is seen as an uncaught
 * exception.
 */
import type { Clock } from '../base/clock.js';
import { check } from '../base/errors.js';
import type { ReaderInfo } from '../base/vocabulary.js';
import type { Invalidation, TrackerEvent, TrackerEvents, TrackerObserver } from '../tracker/index.js';
import { sectionOf } from '../tracker/internal.js';

import { Contexts } from './context.js';
import { type LockOrderDetails, LockOrderError } from './errors.js';
import { Fresh } from './fresh.js';
import { summaryOf } from './graph.js';
import { Judge } from './judge.js';
import { forgetCollected, type LeaksOptions, type OpenSection, openSections, watchCollected } from './ledger.js';
import { Loads } from './loads.js';
import { isDetached, type LockOrderOptions, type RunOptions, settingsOf } from './options.js';
import { Orders } from './order.js';
import { CallRecord, Context, type Ledger, type LockContext, type Nesting, type Party, SectionRecord } from './parties.js';
import { Records } from './records.js';
import { Trace } from './stack.js';

/** The observer, and what can be told and asked. Its methods need no `this`; those of the observer are meant for trackers. */
export interface LockOrder extends Required<Pick<TrackerObserver, Observed>> {
  /** The current context; `undefined` outside any. Keep it to enter it again where the runtime does not carry it along. */
  readonly current: LockContext | undefined;
  /** True if contexts follow their code across every `await`. */
  readonly automatic: boolean;
  /**
   * Runs `fn` as one sequential activity: what it starts it waits for, what it begins it ends. A string opens a new context
   * of this name, which is over when `fn` is done (its promise settled); a context from {@link LockOrder.current} is entered again.
   * Resolves or returns what `fn` did. Throws `InvalidArgumentError`.
   */
  run<T>(context: string | LockContext, fn: () => PromiseLike<T>, options?: RunOptions): Promise<T>;
  /** The same for a function that returns at once. */
  run<T>(context: string | LockContext, fn: () => T, options?: RunOptions): T;
  /**
   * Returns a function that does what `fn` does, in the context in which `bind` was called: for a job that somebody else runs, and
   * that the caller waits for. Bound outside any context, it belongs to nobody. Throws `InvalidArgumentError`.
   */
  bind<Args extends unknown[], T>(fn: (...args: Args) => T): (...args: Args) => T;
  /** Says that `to` must end the section from now on; without it, somebody outside any context. Unknown sections are left alone. */
  handOver(section: Invalidation, to?: LockContext): void;
  /** The sections that are open, of all trackers that this checker observes. Costs as many as there are. */
  leaks(options?: LeaksOptions): readonly OpenSection[];
}

type Observed =
  | 'begin'
  | 'notifying'
  | 'notified'
  | 'begun'
  | 'changing'
  | 'changed'
  | 'ended'
  | 'wait'
  | 'wake'
  | 'gaveUp'
  | 'attempt'
  | 'held'
  | 'committed'
  | 'failed'
  | 'released'
  | 'read'
  | 'given'
  | 'closing'
  | 'loading'
  | 'loaded'
  | 'joined'
  | 'left'
  | 'landed';

/** Makes a checker, for the `observer` of one or several trackers. Throws `InvalidArgumentError`. */
export function lockOrder(options: LockOrderOptions = {}): LockOrder {
  const { report = defaultReport, graceMs, automatic, clock } = settingsOf(options);
  return new LockOrderChecker(report, { graceMs, contexts: new Contexts(automatic), clock }).handle();
}

interface Settings {
  readonly graceMs: number;
  readonly contexts: Contexts;
  readonly clock: Clock;
}

class LockOrderChecker {
  readonly #report: (error: LockOrderError) => void;
  readonly #contexts: Contexts;
  readonly #clock: Clock;
  readonly #orders: Orders = new Orders();
  readonly #records: Records;
  readonly #judge: Judge;
  readonly #fresh: Fresh;
  readonly #loads: Loads;
  /** Ledgers with open sections. */
  readonly #open: Set<Ledger> = new Set();
  constructor(report: (error: LockOrderError) => void, { graceMs, contexts, clock }: Settings) {
    this.#report = report;
    this.#contexts = contexts;
    this.#clock = clock;
    this.#records = new Records(this.#orders, clock);
    this.#judge = new Judge(clock, graceMs, (cycle) => this.#tell(summaryOf(cycle), cycle));
    this.#fresh = new Fresh(clock);
    const ledger = (event: TrackerEvent) => this.#ledger(event);
    this.#loads = new Loads({ contexts, clock, judge: this.#judge, fresh: this.#fresh, ledger });
  }

  /** What users get: plain functions, so that an observer of their own can call them. */
  handle(): LockOrder {
    const contexts = this.#contexts;
    const isOver = (event: TrackerEvents['committed']) => this.#forgetReader(event.reader);
    return {
      get current() {
        return contexts.current;
      },
      automatic: contexts.automatic,
      run: <T>(context: string | LockContext, fn: () => T, options?: RunOptions): never =>
        this.#run(context, fn, options) as never,
      bind: (fn) => {
        check(typeof fn === 'function', 'fn', fn, 'a function');
        const { current } = contexts;
        return (...args) => contexts.run(current, () => fn(...args));
      },
      handOver: (section, to) => this.#handOver(section, to),
      leaks: (options = {}) => openSections(this.#open, this.#clock.now(), options),
      begin: (event) => this.#begin(event),
      notifying: (event) => this.#notifying(event),
      notified: (event) => this.#notified(event),
      begun: (event) => this.#begun(event),
      changing: (event) => this.#changing(event),
      changed: () => void contexts.leave(),
      given: (event) => this.#given(event),
      closing: (event) => this.#closing(event),
      loading: (event) => this.#loads.loading(event),
      loaded: () => void contexts.leave(),
      joined: (event) => this.#loads.joined(event),
      left: (event) => this.#loads.left(event),
      landed: (event) => this.#loads.landed(event),
      read: (event) => this.#read(event),
      ended: (event) => this.#ended(event),
      wait: (event) => this.#wait(event),
      wake: (event) => this.#wake(event),
      gaveUp: (event) => this.#gaveUp(event),
      attempt: (event) => this.#attempt(event),
      held: (event) => void this.#reader(event, event.reader, false),
      committed: isOver,
      failed: isOver,
      released: ({ reader }) => this.#records.reader(reader)?.unpark(),
    };
  }

  // --- contexts

  #run<T>(context: string | LockContext, fn: () => T, options: RunOptions = {}): unknown {
    const detached = isDetached(options);
    check(typeof fn === 'function', 'fn', fn, 'a function');
    if (context instanceof Context) return this.#contexts.run(context, fn);
    check(typeof context === 'string', 'context', context, 'a name, or a context of this package');
    const opened = new Context(context as string, detached ? undefined : this.#contexts.current, { declared: true });
    let returned: unknown;
    try {
      returned = this.#contexts.run(opened, fn);
    } catch (error) {
      opened.finish();
      throw error;
    }
    if (typeof (returned as { then?: unknown } | null | undefined)?.then === 'function') return finishAfter(returned, opened);
    opened.finish();
    return returned;
  }

  #handOver(section: Invalidation, to: LockContext | undefined): void {
    check(to === undefined || to instanceof Context, 'to', to, 'a context of this package');
    const record = this.#records.section(sectionOf(section));
    if (record === undefined) return;
    record.oblige(to as Context | undefined);
    this.#judge.suspectAll(record);
  }

  // --- sections

  #begin(event: TrackerEvents['begin']): void {
    const record = this.#section(event, event.invalidation, false);
    const { ledger, context } = record;
    record.state = 'beginning';
    ledger.open.add(record);
    this.#open.add(ledger);
    this.#nest('begin', record, context);
    record.oblige(context?.obliged);
    this.#fresh.add(record);
  }

  #notifying({ invalidation, subscription }: TrackerEvents['notifying']): void {
    const { label } = subscription;
    const name = label === undefined ? 'the callback of a subscriber' : `the callback of the subscriber ${JSON.stringify(label)}`;
    this.#contexts.enter(new Context(name, this.#contexts.current, { serves: this.#records.section(invalidation) }));
  }

  #notified({ invalidation, answer }: TrackerEvents['notified']): void {
    const callback = this.#contexts.leave()!;
    const record = this.#records.section(invalidation);
    // A begin that does not wait is refused by a promise, and waits for nobody.
    if (answer === 'pending' && invalidation.blockable && record?.state === 'beginning') record.await(callback);
    else callback.finish();
  }

  #begun({ invalidation }: TrackerEvents['begun']): void {
    const record = this.#records.section(invalidation);
    if (record === undefined) return;
    record.settle();
    record.state = 'begun';
    this.#judge.suspectAll(record);
  }

  #changing({ invalidation }: TrackerEvents['changing']): void {
    const record = this.#records.section(invalidation);
    const change = new Context(() => `the change of the ${record?.name ?? 'section'}`, this.#contexts.current);
    this.#contexts.enter(change);
    if (record === undefined) return;
    record.change = change;
    record.oblige(change);
  }

  #given({ invalidation, handle }: TrackerEvents['given']): void {
    const record = this.#records.section(invalidation);
    if (record !== undefined) watchCollected(handle, this.#whenDropped(record), record);
  }

  #ended({ invalidation }: TrackerEvents['ended']): void {
    const record = this.#forgetSection(invalidation);
    if (record === undefined) return;
    forgetCollected(record);
    const { open } = record.ledger;
    open.delete(record);
    if (open.size === 0) this.#open.delete(record.ledger);
  }

  // --- waits

  #wait(event: TrackerEvents['wait']): void {
    const waiter = this.#party(event, event.waiter);
    this.#fresh.add(waiter);
    const wait = waiter.park(this.#party(event, event.blocker), this.#clock.now());
    if (!(waiter instanceof SectionRecord)) this.#nest('read', waiter, waiter.context);
    this.#judge.suspect(wait);
  }

  /** It did not have to wait, and another time it may have to. */
  #read(event: TrackerEvents['read']): void {
    const reader = this.#reader(event, event.reader, false);
    this.#nest('read', reader, reader.context);
    this.#forgetReader(event.reader);
  }

  /** One more waits for the section of a close, until that has ended. */
  #closing({ invalidation }: TrackerEvents['closing']): void {
    const record = this.#records.section(invalidation);
    if (record === undefined) return;
    const origin = { trace: new Trace('wait'), context: this.#contexts.current };
    const call = new CallRecord(`close of the ${record.ledger.name}`, record.ledger, origin);
    this.#fresh.add(call);
    this.#judge.suspect(call.park(record, this.#clock.now()));
  }

  #wake({ waiter }: TrackerEvents['wake']): void {
    if (!('operation' in waiter)) this.#records.section(waiter)?.unpark();
    else if (waiter.operation === 'readBegin') this.#forgetReader(waiter);
    else this.#records.reader(waiter)?.unpark();
  }

  #gaveUp({ waiter }: TrackerEvents['gaveUp']): void {
    if ('operation' in waiter) this.#forgetReader(waiter);
    else this.#forgetSection(waiter);
  }

  #attempt(event: TrackerEvents['attempt']): void {
    const reader = this.#reader(event, event.reader, false);
    reader.unpark();
    if (event.attempt === 1) this.#nest('read', reader, reader.context);
    // A hold that was dissolved goes on in the turn of whoever set the timer; the fetch is still the caller's.
    if (this.#contexts.automatic && this.#contexts.current !== reader.context) this.#contexts.set(reader.context);
  }

  // --- order

  #nest(nesting: Nesting, inner: Party, context: Context | undefined): void {
    for (const { outer, inner: other, steps } of this.#orders.nest(nesting, inner, context)) {
      const verb = nesting === 'begin' ? 'begun' : 'read';
      const summary = `${other.name} was ${verb} inside a section of ${outer.name}, and also the other way round`;
      this.#tell(summary, { kind: 'inversion', severity: 'warning', steps });
    }
  }

  // --- records and reports

  #ledger({ tracker }: TrackerEvent): Ledger {
    return this.#records.ledger(tracker, (ledger) => watchCollected(tracker, this.#whenCollected(ledger)));
  }

  #section(event: TrackerEvent, section: Invalidation, isWaiting: boolean): SectionRecord {
    const call = { context: this.#contexts.current, isWaiting };
    return this.#records.section(section) ?? this.#records.addSection(section, this.#ledger(event), call);
  }

  #reader(event: TrackerEvent, reader: ReaderInfo, isWaiting: boolean): Party {
    const call = { context: this.#contexts.current, isWaiting };
    return this.#records.reader(reader) ?? this.#records.addReader(reader, this.#ledger(event), call);
  }

  #party(event: TrackerEvent, party: Invalidation | ReaderInfo): Party {
    return 'operation' in party ? this.#reader(event, party, true) : this.#section(event, party, true);
  }

  #forgetSection(section: Invalidation): SectionRecord | undefined {
    const record = this.#records.forgetSection(section);
    if (record !== undefined) this.#fresh.delete(record);
    return record;
  }

  #forgetReader(reader: ReaderInfo): void {
    const record = this.#records.forgetReader(reader);
    if (record !== undefined) this.#fresh.delete(record);
  }

  // Both return a function made here: one made where a tracker or a section is at hand could keep it alive.

  #whenCollected(ledger: Ledger): () => void {
    return () => {
      this.#open.delete(ledger);
      for (const section of ledger.open) if (!section.dropped) this.#leaked(section, 'its tracker is gone');
      ledger.open.clear();
    };
  }

  #whenDropped(section: SectionRecord): () => void {
    return () => {
      section.dropped = true;
      this.#leaked(section, 'nobody holds it any more');
    };
  }

  #leaked({ name, trace, context }: SectionRecord, why: string): void {
    const step = { waiter: undefined, waitedAt: undefined, blocker: name, beganAt: trace.text, obliged: context?.label };
    this.#tell(`the ${name} was never ended, and ${why}`, { kind: 'leak', severity: 'warning', steps: [step] });
  }

  #tell(summary: string, { kind, severity, steps }: LockOrderDetails): void {
    const error = new LockOrderError(summary, { kind, severity, steps });
    queueMicrotask(() => this.#report(error));
  }
}

async function finishAfter(returned: unknown, context: Context): Promise<unknown> {
  try {
    return await returned;
  } finally {
    context.finish();
  }
}

function defaultReport(error: LockOrderError): void {
  if (error.severity === 'error') throw error;
  console.warn(error.message);
}
