/**
 * lockOrder: an observer that reports who waits for what can never come, and who is on the way to it.
 *
 * It follows the rules of graph.ts and order.ts; docs/debugging.md says what is found, and what is not. One checker may
 * observe any number of trackers, and finds what goes around between them.
 *
 * A wait is judged at the end of the turn in which it began, before anything else of the host runs: only then is it known
 * whether the callback or change that started it has returned a promise, so that somebody waits for it. A program that
 * goes on is never held up; a report comes from a microtask, so that one that throws is seen as an uncaught exception.
 */
import { type Clock, systemClock } from '../clock.js';
import { check } from '../errors.js';
import type { Invalidation } from '../invalidation.js';
import type { TrackerEvent, TrackerEvents, TrackerObserver } from '../observer.js';
import type { ReaderInfo } from '../reader.js';
import { Context, Contexts, type LockContext } from './context.js';
import { type LockOrderDetails, LockOrderError } from './errors.js';
import { cycleOf, type Party, SectionRecord, type Wait } from './graph.js';
import { type LeaksOptions, type Ledger, type OpenSection, openSections, watchCollected } from './ledger.js';
import { type Inner, type Nesting, Orders } from './order.js';
import { Records } from './records.js';

/** How to check. */
export interface LockOrderOptions {
  /**
   * Told of everything found, each once. Default: an `error` becomes an uncaught exception, since the program is about to hang;
   * a `warning` goes to the console.
   */
  readonly report?: ((error: LockOrderError) => void) | undefined;
  /**
   * Milliseconds for which a cycle of waits must stand before it is reported; default 0: those that stand at the end of
   * the turn. More, for programs in which a context often starts waits that it does not wait for.
   */
  readonly graceMs?: number | undefined;
  /**
   * `'automatic'` (default): contexts follow their code across every `await`, if the runtime has `AsyncLocalStorage`.
   * `'explicit'`: they are known only while the call of `run` is on the stack; enter again after each `await`.
   */
  readonly contexts?: 'automatic' | 'explicit' | undefined;
  /** Where ages and `graceMs` come from; default the host's. */
  readonly clock?: Clock | undefined;
}

/** How to start a context. */
export interface RunOptions {
  /** True if the context around it does not wait for this one. Default false: what that one holds, this one must not wait for. */
  readonly detached?: boolean | undefined;
}

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
  | 'released';

/** Makes a checker, for the `observer` of one or several trackers. Throws `InvalidArgumentError`. */
export function lockOrder(options: LockOrderOptions = {}): LockOrder {
  const { report = defaultReport, graceMs = 0, contexts = 'automatic', clock = systemClock } = options;
  check(typeof report === 'function', 'report', report, 'a function');
  check(graceMs >= 0 && graceMs < Number.POSITIVE_INFINITY, 'graceMs', graceMs, 'milliseconds, at least 0');
  check(contexts === 'automatic' || contexts === 'explicit', 'contexts', contexts, "'automatic' or 'explicit'");
  check(typeof clock?.now === 'function', 'clock', clock, 'an object with now, setTimeout and clearTimeout');
  const checker = new LockOrderChecker(report, graceMs, new Contexts(contexts === 'automatic'), clock);
  return checker.handle();
}

class LockOrderChecker {
  readonly #report: (error: LockOrderError) => void;
  readonly #graceMs: number;
  readonly #contexts: Contexts;
  readonly #clock: Clock;
  readonly #orders: Orders = new Orders();
  readonly #records: Records = new Records(this.#orders);
  /** Ledgers with open sections. */
  readonly #open: Set<Ledger> = new Set();
  /** Waits that were not judged yet, oldest first. Armed is the timer for the first of them. */
  #suspects: Wait[] = [];
  #armed = false;
  /** Parties of this turn whose stacks were not read. */
  #fresh: Party[] = [];
  /** Made here: a closure made where a tracker is at hand could keep it alive. */
  readonly #whenCollected = (ledger: Ledger): void => this.#collected(ledger);

  constructor(report: (error: LockOrderError) => void, graceMs: number, contexts: Contexts, clock: Clock) {
    this.#report = report;
    this.#graceMs = graceMs;
    this.#contexts = contexts;
    this.#clock = clock;
  }

  /** What users get: plain functions, so that an observer of their own can call them. */
  handle(): LockOrder {
    const contexts = this.#contexts;
    const unpark = (event: TrackerEvents['committed']) => this.#reader(event).unpark();
    return {
      get current() {
        return contexts.current;
      },
      automatic: contexts.automatic,
      run: <T>(context: string | LockContext, fn: () => T, options?: RunOptions): never =>
        this.#run(context, fn, options) as never,
      handOver: (section, to) => this.#handOver(section, to),
      leaks: (options = {}) => openSections(this.#open, this.#clock.now(), options),
      begin: (event) => this.#begin(event),
      notifying: (event) => this.#notifying(event),
      notified: (event) => this.#notified(event),
      begun: (event) => this.#begun(event),
      changing: (event) => this.#changing(event),
      changed: () => void contexts.leave(),
      ended: (event) => this.#ended(event),
      wait: (event) => this.#wait(event),
      wake: (event) => this.#party(event, event.waiter).unpark(),
      gaveUp: (event) => this.#gaveUp(event),
      attempt: (event) => this.#attempt(event),
      held: (event) => void this.#reader(event),
      committed: unpark,
      failed: unpark,
      released: unpark,
    };
  }

  // --- contexts

  #run<T>(context: string | LockContext, fn: () => T, { detached = false }: RunOptions = {}): unknown {
    check(typeof fn === 'function', 'fn', fn, 'a function');
    if (context instanceof Context) return this.#contexts.run(context, fn);
    check(typeof context === 'string', 'context', context, 'a name, or a context of this package');
    const opened = new Context(context as string, detached ? undefined : this.#contexts.current);
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
    const record = this.#records.known(section);
    if (record === undefined || record.state === 'over') return;
    record.oblige(to as Context | undefined);
    this.#suspectAll(record);
  }

  // --- sections

  #begin(event: TrackerEvents['begin']): void {
    const record = this.#section(event, event.invalidation);
    record.state = 'beginning';
    const { ledger } = record;
    ledger.open.add(record);
    this.#open.add(ledger);
    this.#nest('begin', record, record.context);
    record.oblige(record.context);
    this.#keep(record);
  }

  #notifying({ invalidation, subscription }: TrackerEvents['notifying']): void {
    const { label } = subscription;
    const name = label === undefined ? 'the callback of a subscriber' : `the callback of the subscriber ${JSON.stringify(label)}`;
    this.#contexts.enter(new Context(name, this.#contexts.current, this.#records.known(invalidation)));
  }

  #notified({ invalidation, answer }: TrackerEvents['notified']): void {
    const callback = this.#contexts.leave()!;
    const record = this.#records.known(invalidation);
    // A begin that does not wait is refused by a promise, and waits for nobody.
    if (answer === 'pending' && invalidation.blockable && record?.state === 'beginning') record.callbacks.add(callback);
    else callback.finish();
  }

  #begun({ invalidation }: TrackerEvents['begun']): void {
    const record = this.#records.known(invalidation);
    if (record === undefined || record.state === 'over') return;
    record.settle();
    record.state = 'begun';
    this.#suspectAll(record);
  }

  #changing({ invalidation }: TrackerEvents['changing']): void {
    const record = this.#records.known(invalidation);
    const change = new Context(`the change of the ${record?.name ?? 'section'}`, this.#contexts.current);
    this.#contexts.enter(change);
    if (record === undefined || record.state === 'over') return;
    record.change = change;
    record.oblige(change);
  }

  #ended({ invalidation }: TrackerEvents['ended']): void {
    const record = this.#records.known(invalidation);
    if (record === undefined) return;
    record.finish();
    record.ledger.open.delete(record);
    if (record.ledger.open.size === 0) this.#open.delete(record.ledger);
  }

  // --- waits

  #wait(event: TrackerEvents['wait']): void {
    const waiter = this.#party(event, event.waiter);
    this.#keep(waiter);
    const wait = waiter.park(this.#party(event, event.blocker), this.#clock.now());
    if (!(waiter instanceof SectionRecord)) this.#read(event, waiter);
    this.#suspect(wait);
  }

  #gaveUp(event: TrackerEvents['gaveUp']): void {
    const waiter = this.#party(event, event.waiter);
    if (waiter instanceof SectionRecord) waiter.finish();
    else waiter.unpark();
  }

  #attempt(event: TrackerEvents['attempt']): void {
    const reader = this.#reader(event);
    reader.unpark();
    if (event.attempt === 1) this.#read(event, reader);
    // A hold that was dissolved goes on in the turn of whoever set the timer; the fetch is still the caller's.
    if (this.#contexts.automatic && this.#contexts.current !== reader.context) this.#contexts.set(reader.context);
  }

  /**
   * It may be kept for longer than the turn: then its stack must have been read, or that would keep the tracker alive, and
   * with it whatever is never ended there. Most are over by then, and cost no reading.
   */
  #keep(party: Party): void {
    if (this.#fresh.push(party) === 1) this.#clock.setTimeout(() => this.#readStacks(), 0);
  }

  #readStacks(): void {
    for (const party of this.#fresh) {
      if (party.wait !== undefined || (party instanceof SectionRecord && party.state !== 'over')) void party.trace.text;
    }
    this.#fresh = [];
  }

  #suspectAll({ waiters }: Party): void {
    for (const wait of waiters) this.#suspect(wait);
  }

  /** Judged when it has stood for long enough, and not before the end of the turn. */
  #suspect(wait: Wait): void {
    if (wait.waiter.context === undefined) return; // keeps nobody from going on
    this.#suspects.push(wait);
    this.#arm(this.#graceMs);
  }

  #arm(delayMs: number): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#clock.setTimeout(() => this.#judge(), delayMs);
  }

  #judge(): void {
    this.#armed = false;
    const now = this.#clock.now();
    const young = this.#suspects.findIndex(({ since }) => now - since < this.#graceMs);
    const due = this.#suspects.splice(0, young < 0 ? this.#suspects.length : young);
    for (const wait of due) if (wait.waiter.wait === wait && !wait.reported) this.#judgeOne(wait);
    const [next] = this.#suspects;
    if (next !== undefined) this.#arm(Math.max(0, next.since + this.#graceMs - now));
  }

  #judgeOne(wait: Wait): void {
    const cycle = cycleOf(wait);
    if (cycle === undefined) return;
    for (const each of cycle.waits) each.reported = true;
    const links = cycle.steps.map(({ waiter, blocker, obliged }) => {
      return `${waiter} waits for the ${blocker}${obliged === undefined ? '' : `, which needs ${obliged} to go on`}`;
    });
    const ends = cycle.severity === 'warning' ? '; only holdMs will end it: say `within` for a section inside another' : '';
    this.#tell(`${links.join('; ')}, which waits for this${ends}`, cycle);
  }

  // --- order

  #read(event: TrackerEvent, { name, trace, context }: Party): void {
    if (context === undefined) return;
    const ledger = this.#ledger(event);
    this.#nest('read', { name, trace, orderClass: ledger.orderClass, ledger }, context);
  }

  #nest(nesting: Nesting, inner: Inner, context: Context | undefined): void {
    for (const { outer, inner: other, steps } of this.#orders.nest(nesting, inner, context)) {
      const verb = nesting === 'begin' ? 'begun' : 'read';
      const summary = `${other.name} was ${verb} inside a section of ${outer.name}, and also the other way round`;
      this.#tell(summary, { kind: 'inversion', severity: 'warning', steps });
    }
  }

  // --- records and reports

  #ledger({ tracker }: TrackerEvent): Ledger {
    return this.#records.ledger(tracker, (ledger) => watchCollected(tracker, ledger, this.#whenCollected));
  }

  #section(event: TrackerEvent, section: Invalidation): SectionRecord {
    const known = this.#records.known(section);
    return known ?? this.#records.section(this.#ledger(event), section, this.#contexts.current, this.#clock.now());
  }

  #reader(event: TrackerEvents['committed']): Party {
    return this.#records.reader(event, event.reader, { context: this.#contexts.current, isWaiting: false });
  }

  #party(event: TrackerEvent, party: Invalidation | ReaderInfo): Party {
    if ('operation' in party) return this.#records.reader(event, party, { context: this.#contexts.current, isWaiting: true });
    return this.#section(event, party);
  }

  #collected(ledger: Ledger): void {
    this.#open.delete(ledger);
    for (const { name, trace, context } of ledger.open) {
      const step = { waiter: undefined, waitedAt: undefined, blocker: name, beganAt: trace.text, obliged: context?.label };
      this.#tell(`the ${name} was never ended, and its tracker is gone`, { kind: 'leak', severity: 'warning', steps: [step] });
    }
    ledger.open.clear();
  }

  #tell(summary: string, details: LockOrderDetails): void {
    const error = new LockOrderError(summary, details);
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
