/**
 * Several processes that share one space, in one: a clock for all of them, a server in memory, and a tracker, a link and a port each.
 */
import { type Clock, type Ranges, RangeTracker, type RangeTrackerOptions } from '../../../lib/index.js';
import { type Link, type LinkEvent, type ShareOptions, shareRanges } from '../../../lib/redis/index.js';
import { ManualClock } from '../clock.js';
import { soon, turns } from '../turns.js';
import { type FakePort, FakeServer } from './server.js';

/** Of every link, unless it says otherwise. */
export const LEASE_MS = 900;
/** How long others wait for it. */
export const WAIT_MS = LEASE_MS * 1.1 + 20;

/** One process. */
export interface Process {
  readonly clock: ProcessClock;
  readonly tracker: RangeTracker;
  readonly port: FakePort;
  readonly link: Link<Ranges>;
  readonly events: LinkEvent[];
}

/** A process whose link may not be live yet. */
export interface Coming {
  readonly clock: ProcessClock;
  readonly tracker: RangeTracker;
  readonly port: FakePort;
  readonly events: LinkEvent[];
  readonly link: Promise<Link<Ranges>>;
}

/** The clocks of one process, which can be stopped: then its timers come late. */
export class ProcessClock implements Clock {
  /** Added to the wall clock. */
  wallOffset = 0;
  #late: (() => void)[] | undefined = undefined;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  readonly wall = (): number => 1e12 + this.#clock.now() + this.wallOffset;

  now(): number {
    return this.#clock.now();
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    return this.#clock.setTimeout(() => (this.#late === undefined ? callback() : this.#late.push(callback)), delayMs);
  }

  clearTimeout(timer: unknown): void {
    this.#clock.clearTimeout(timer);
  }

  stop(): void {
    this.#late ??= [];
  }

  /** What should have happened meanwhile happens now. */
  goOn(): void {
    const late = this.#late ?? [];
    this.#late = undefined;
    for (const callback of late) callback();
  }
}

/** See the top of the file. */
export class SharedSpace {
  readonly clock: ManualClock = new ManualClock();
  readonly server: FakeServer;

  constructor() {
    this.server = new FakeServer(() => 1_000_000_000 + Math.round(this.clock.now() * 1000));
  }

  /** Starts a process. */
  come(options: Partial<ShareOptions> = {}, trackerOptions: RangeTrackerOptions = {}): Coming {
    const port = this.server.port();
    const clock = new ProcessClock(this.clock);
    const tracker = new RangeTracker({ clock, ...trackerOptions });
    const events: LinkEvent[] = [];
    const wallClock = clock.wall;
    const onEvent = (event: LinkEvent) => void events.push(event);
    const link = shareRanges(tracker, { redis: port, space: 'test', leaseMs: LEASE_MS, wallClock, onEvent, ...options });
    link.catch(() => {});
    return { clock, tracker, port, events, link };
  }

  /** Starts processes, and waits until they take part. */
  async start(count: number, options: Partial<ShareOptions> = {}): Promise<Process[]> {
    const coming = Array.from({ length: count }, () => this.come(options));
    await this.pass(WAIT_MS + 1);
    return await Promise.all(coming.map(async ({ link, ...rest }) => ({ ...rest, link: await soon(link) })));
  }

  /** Lets time go by in steps, in each of which everything settles. */
  async pass(ms: number, stepMs = 10): Promise<void> {
    await settled();
    for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
      this.clock.advance(Math.min(stepMs, leftMs));
      await settled();
    }
  }
}

/** More than any chain of questions and answers is long, while time stands still. */
export async function settled(): Promise<void> {
  await turns(150);
}

/** Stops a process, as SIGSTOP does: its timers come late, and so does what it is told. */
export function stop({ clock, port }: Process): void {
  clock.stop();
  port.stop();
}

/** It goes on. Timers come first, and what it was told after them. */
export function goOn({ clock, port }: Process): void {
  clock.goOn();
  port.goOn();
}
