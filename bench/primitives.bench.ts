/**
 * Primitives: the single steps of a guarded read and of a change, while nobody is in the way, beside npm's locks, counters written
 * by hand and Dexie's set of ranges. What a technique is free of costs it nothing here; the notes say what it does not do for that.
 */
import { Drops } from './guards/drops.js';
import { COUNTERS, rangeSetsMicro } from './peers/counters.js';
import { beginMicro, fence, subscribedTracker } from './peers/fence.js';
import { LOCKS } from './peers/locks.js';
import { elsewhere, HERE, readSectionMicro, type Technique, writeSectionMicro } from './peers/technique.js';
import { advantageOf } from './report/advantage.js';
import { type Measure, OWN, type Suite, type SuiteContext, type SuiteResult } from './report/measure.js';
import { type Micro, type MicroEffort, nanosecondsByRound } from './support/micro.js';
import { median } from './support/statistics.js';
import { number } from './support/text.js';

const FULL: MicroEffort = { rounds: 5, microSeconds: 0.15 };
const QUICK: MicroEffort = { rounds: 3, microSeconds: 0.02 };

const OTHERS = [0, 1000];
const ENDED = [10, 100, 1000, 10_000];
const SUBSCRIBERS = 100_000;

/** Benches that are compared with each other. */
interface Group {
  readonly title: string;
  readonly at: Measure['at'];
  /** Made when it is their turn, and let go of after it: some are large. */
  readonly micros: () => readonly Micro[];
}

function groupsOf(context: SuiteContext): Group[] {
  const techniques = [fence(context.library), ...LOCKS, ...COUNTERS];
  const withSections = techniques.filter(({ sections }) => sections !== undefined);
  return [
    {
      title: 'quiet read: begin and check, lock and unlock',
      at: { pages: 8 },
      micros: () => techniques.map((technique) => technique.read()),
    },
    ...OTHERS.map((others) => ({
      title: 'begin + end of a change, while others are active',
      at: { others },
      micros: () => techniques.flatMap((technique) => technique.write(others) ?? []),
    })),
    ...ENDED.map((ended) => ({
      title: 'the check, after others have ended',
      at: { ended },
      micros: () => techniques.flatMap((technique) => technique.check?.(ended) ?? []),
    })),
    ...(['synchronous', 'asynchronous'] as const).map((fetch) => ({
      title: 'whole read around a fetch',
      at: { fetch },
      micros: () => withSections.map((technique: Technique) => readSectionMicro(technique, fetch)),
    })),
    { title: 'whole change', at: { change: 'asynchronous' }, micros: () => withSections.map(writeSectionMicro) },
    {
      title: 'change of which one subscriber must be told',
      at: { subscribers: SUBSCRIBERS },
      micros: () => [
        beginMicro(OWN, subscribedTracker(context.library, SUBSCRIBERS).tracker),
        listMicro(SUBSCRIBERS),
        rangeSetsMicro(SUBSCRIBERS),
      ],
    },
  ];
}

/** A list of callbacks with their ranges, as one writes it beside a lock. */
function listMicro(count: number): Micro {
  const drops = new Drops();
  let told = 0;
  const drop = () => void told++;
  drops.add(drop, HERE);
  for (let i = 1; i < count; i++) drops.add(drop, elsewhere(i));
  const size = 10;
  return {
    name: 'list of callbacks',
    size,
    expected: size,
    batch() {
      told = 0;
      for (let i = 0; i < size; i++) drops.call(HERE);
      return told;
    },
  };
}

async function measure({ title, at, micros }: Group, effort: MicroEffort): Promise<Measure[]> {
  const times = await nanosecondsByRound(micros(), effort);
  return Object.entries(times).map(([subject, samples]) => ({ title, subject, at, unit: 'ns', better: 'less', samples }));
}

/** Who is quicker in every round, a sentence for each point. */
function quickerNotes(measures: readonly Measure[]): string[] {
  return measures
    .filter(({ subject }) => subject === OWN)
    .flatMap((own) => {
      const rivals = measures.filter(({ title, at }) => title === own.title && at === own.at);
      const quicker = rivals.filter((other) => advantageOf(own, other)?.standing === 'behind');
      if (quicker.length === 0) return [];
      const [ours, ...theirs] = [own, ...quicker].map(({ subject, samples }) => `${subject} ${number(median(samples))} ns`);
      return [
        `${own.title} (${Object.entries(own.at).flat().join(' ')}): quicker than ${ours} in every round: ${theirs.join(', ')}.`,
      ];
    });
}

const NOTES = [
  'Everything is quiet here: what locks cost those who wait, and what retries cost, is measured in the contention suite.',
  'The global counter sends everybody back for every change anywhere: all of its checks after others have ended are false retries.',
  'The Map of counters needs ranges whose keys can be counted one by one: its times grow with the pages of a range, and there are 8 here.',
  'Neither counter knows that a change is going on: a read that begins and ends inside of one passes for a good one.',
  'A counter tells nobody: who holds something derived from a range is not asked to let go of it before the change.',
  'The locks make all others wait, wherever they are: with others active they cannot enter at all, so they are measured alone.',
  "Dexie's RangeSet forgets nothing and has no order in time: it says that something overlaps, not whether it came after the read began.",
  'async-mutex is no reader/writer lock: its readers wait for each other.',
  'async-rwlock lets readers in while writers wait, so readers that follow each other closely keep writers out for ever.',
  '@rocicorp/lock keeps a promise of every read until the next write: each 1,000 reads are followed by a write, so that it does not only grow.',
  'Of the subscribed change, rangefence is measured from begin to end, the others only as far as finding whom to tell.',
];

async function run(context: SuiteContext): Promise<SuiteResult> {
  const measures: Measure[] = [];
  for (const group of groupsOf(context)) {
    context.progress(`${group.title}, ${Object.entries(group.at).flat().join(' ')}`);
    measures.push(...(await measure(group, context.quick ? QUICK : FULL)));
  }
  return { suite: 'primitives', measures, notes: [...quickerNotes(measures), ...NOTES] };
}

/** See the top of the file. */
export const primitivesSuite: Suite = {
  name: 'primitives',
  title: 'Single steps of a read and of a change, beside locks and counters',
  // Nothing is random: the order in which the others came is that of the multiples of a prime.
  seeds: [],
  run,
};
