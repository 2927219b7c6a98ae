/**
 * Address space: runs that are recorded. Random work on a simulated address space, with two devices that read it through
 * lookups, in virtual time.
 */
import { type Range, RangeTracker } from '../../lib/index.js';
import { PageFault, SimulatedAddressSpace } from '../../lib/testing/index.js';
import { type Trace, TraceRecorder } from '../../lib/trace/index.js';
import { settled } from '../../test/support/model/clock.js';
import { Random } from '../support/random.js';
import { Agenda } from './agenda.js';

/** Pages of one buffer: the window of the kernel's own test device. */
const BUFFER_PAGES = 32;
const BUFFERS = 8;
/** Bytes of a page: few, as nobody looks at them here. */
const PAGE_SIZE = 16;
/** Two huge pages a buffer. */
const HUGE_PAGES = 16;
/** Buffers that each of the two devices has subscribed to: half of them are shared. */
const DEVICES: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5],
  [2, 3, 4, 5, 6, 7],
];
/** Lookups that a device runs side by side. */
const READERS = 3;

/** What can happen to some pages. */
type Operation = (space: SimulatedAddressSpace, range: Range, scene: Scene) => Promise<unknown>;

/** What operations need besides the pages. */
interface Scene {
  readonly random: Random;
  /** Devices as owners. */
  readonly owners: readonly object[];
  pause(): Promise<void>;
}

const ONE_PAGE = new Uint8Array(PAGE_SIZE).fill(1);

/** Every one of them may fail where the pages are not mapped just now. */
const OPERATIONS = {
  write: (space, { start }) => space.write(start, ONE_PAGE),
  map: (space, range) => space.map(range),
  async unmap(space, range, { pause }) {
    await space.unmap(range);
    await pause();
    await space.map(range);
  },
  async protect(space, range, { pause }) {
    await space.protect(range, 'read');
    await pause();
    await space.protect(range, 'read-write');
  },
  migrate: (space, range, { random, owners }) => space.migrate(range, owners[random.below(owners.length)]!),
  exclusive: (space, range, { random, owners }) => space.makeExclusive(range, owners[random.below(owners.length)]!),
  swap: (space, range) => space.swapOut(range),
  collapse: (space, range) => space.collapse(bufferAround(range)),
  split: (space, range) => space.split(range),
  clearSoftDirty: (space) => space.clearSoftDirty(),
  async fork(space, _range, { pause }) {
    const child = await space.fork();
    await pause();
    await child.release();
  },
} as const satisfies Record<string, Operation>;

/** One kind of recorded run. */
export interface Mix {
  readonly name: string;
  /** In a sentence, for the page. */
  readonly text: string;
  readonly seed: number;
  /** Who works on the space side by side, and how much each does. */
  readonly workers: number;
  readonly operationsEach: number;
  readonly lookupsEach: number;
  /** Longest pause, in milliseconds, between two operations of a worker. */
  readonly gap: number;
  /** Drawn from evenly: what is named twice happens twice as often. */
  readonly operations: readonly (keyof typeof OPERATIONS)[];
}

/** All of them, in the order of the page. */
export const MIXES: readonly Mix[] = [
  {
    name: 'address space, mappings',
    text: 'A process that stores, maps, unmaps, protects, forks and has its soft-dirty marks cleared, read by two devices.',
    seed: 201,
    workers: 3,
    operationsEach: 40,
    lookupsEach: 60,
    gap: 20,
    operations: ['write', 'write', 'write', 'map', 'unmap', 'protect', 'protect', 'fork', 'clearSoftDirty'],
  },
  {
    name: 'address space, moving',
    text: 'The same two devices while pages move: into their memory and back by faults, to the swap, into huge pages and out.',
    seed: 202,
    workers: 3,
    operationsEach: 40,
    lookupsEach: 60,
    gap: 20,
    operations: ['write', 'write', 'migrate', 'migrate', 'exclusive', 'swap', 'collapse', 'split'],
  },
];

/** Runs the mix and returns what the tracker did. Equal seeds give equal traces. */
export async function recordAddressSpace(mix: Mix): Promise<Trace> {
  const agenda = new Agenda();
  const recorder = new TraceRecorder({ clock: agenda });
  const tracker = new RangeTracker({ observer: recorder.observer, clock: agenda });
  const pauses = new Random(mix.seed, 1);
  const pause = (longest: number) => new Promise<void>((resolve) => void agenda.setTimeout(resolve, 1 + pauses.below(longest)));
  const space = new SimulatedAddressSpace({ tracker, pageSize: PAGE_SIZE, hugePages: HUGE_PAGES, pause: () => pause(5) });
  const owners = DEVICES.map((_, device) => ({ device }));
  const run = async () => {
    await space.map(space.pages(0, BUFFERS * BUFFER_PAGES));
    const parties = [
      ...Array.from({ length: mix.workers }, (_, worker) => work(space, { mix, worker, owners, pause })),
      ...DEVICES.flatMap((buffers, device) => read(space, { mix, recorder, pause }, { device, buffers })),
    ];
    await Promise.all(parties);
  };
  await during(agenda, run());
  return recorder.trace();
}

type Pause = (longest: number) => Promise<void>;

interface WorkOptions {
  readonly mix: Mix;
  readonly worker: number;
  readonly owners: readonly object[];
  readonly pause: Pause;
}

async function work(space: SimulatedAddressSpace, { mix, worker, owners, pause }: WorkOptions): Promise<void> {
  const random = new Random(mix.seed, 2, worker);
  const scene: Scene = { random, owners, pause: () => pause(5) };
  for (let i = 0; i < mix.operationsEach; i++) {
    await pause(mix.gap);
    const operation: Operation = OPERATIONS[mix.operations[random.below(mix.operations.length)]!];
    await tolerate(operation(space, somePages(space, random, random.below(BUFFERS)), scene));
  }
}

interface ReadOptions {
  readonly mix: Mix;
  readonly recorder: TraceRecorder;
  readonly pause: Pause;
}

/** One device: a subscription for each buffer, and a few lookups side by side. */
function read(
  space: SimulatedAddressSpace,
  { mix, recorder, pause }: ReadOptions,
  { device, buffers }: { readonly device: number; readonly buffers: readonly number[] },
): Promise<void>[] {
  const subscriptions = buffers.map((buffer) =>
    space.tracker.subscribe(space.pages(buffer * BUFFER_PAGES, BUFFER_PAGES), { invalidate() {} }, { label: `device ${device}` }),
  );
  return Array.from({ length: READERS }, async (_, reader) => {
    const random = new Random(mix.seed, 3, device, reader);
    for (let i = 0; i < mix.lookupsEach; i++) {
      await pause(mix.gap);
      const which = random.below(buffers.length);
      const ranges = somePages(space, random, buffers[which]!);
      const first = ranges.start / PAGE_SIZE;
      const fetch = recorder.watch(() => space.readPages(first, ranges.end / PAGE_SIZE - first));
      // Never holding: to read a page that has moved is to have it moved back, and a hold would be in the way of that.
      await tolerate(subscriptions[which]!.lookup(fetch, { ranges, maxAttempts: Number.POSITIVE_INFINITY }));
    }
  });
}

/** One to eight pages of a buffer. */
function somePages(space: SimulatedAddressSpace, random: Random, buffer: number): Range {
  const count = 1 + random.below(8);
  return space.pages(buffer * BUFFER_PAGES + random.below(BUFFER_PAGES - count + 1), count);
}

function bufferAround({ start }: Range): Range {
  const bytes = BUFFER_PAGES * PAGE_SIZE;
  const first = start - (start % bytes);
  return { start: first, end: first + bytes };
}

/** What is not mapped, or not allowed, just now is part of the game. */
async function tolerate(operation: Promise<unknown>): Promise<void> {
  try {
    await operation;
  } catch (error) {
    if (!(error instanceof PageFault)) throw error;
  }
}

/** Lets virtual time go on until everything is over. */
async function during(agenda: Agenda, everything: Promise<void>): Promise<void> {
  let isOver = false;
  const over = everything.finally(() => {
    isOver = true;
  });
  over.catch(() => {}); // awaited below; until then nobody listens
  for (;;) {
    await settled();
    await settled(); // the longest way from one pause to the next, through several sections
    if (isOver) return over;
    if (!agenda.step()) throw new Error('everybody waits, and nothing is going to happen');
  }
}
