/**
 * Rules: the three other readers, as models. Each is exact about who waits for what and who throws a read away, and about
 * nothing else: the steps themselves take no time.
 *
 * A rule is told what comes, and tells its host what it lets go. {@link play} is the host, and runs it over some work.
 */
import type { Range } from '../../lib/index.js';
import { anyMeet, meet } from '../../test/support/model/ranges.js';
import { Agenda, RANK } from './agenda.js';
import { Ledger, type Outcome } from './ledger.js';
import type { Work } from './work.js';

/** What a rule may do with those who have come. Lookups and invalidations are named by their index in the work. */
export interface Host {
  /** The lookup reads, from now on. */
  attempt(lookup: number): void;
  /** The lookup waits. */
  wait(lookup: number): void;
  /** What the lookup has read is thrown away; the rule then lets it come again. */
  retry(lookup: number): void;
  /** What the lookup has read is good. */
  commit(lookup: number): void;
  /** The invalidation begins. */
  begin(invalidation: number): void;
}

/** One rule at work. */
export interface Rule {
  /** A lookup wants to read. */
  arrive(lookup: number): void;
  /** A lookup has read. */
  finish(lookup: number): void;
  /** An invalidation wants to begin. */
  ask(invalidation: number): void;
  /** An invalidation has ended. */
  end(invalidation: number): void;
}

/** Makes a rule for some work. */
export type MakeRule = (work: Work, host: Host) => Rule;

/** Runs a rule over the work, in virtual time. */
export function play(work: Work, make: MakeRule): Outcome {
  const agenda = new Agenda();
  const ledger = new Ledger(work, () => agenda.now());
  const rule = make(work, {
    attempt(lookup) {
      ledger.attempts(lookup);
      agenda.at(agenda.now() + work.lookups[lookup]!.takes, RANK.check, () => rule.finish(lookup));
    },
    wait: (lookup) => ledger.waits(lookup),
    retry: (lookup) => ledger.retries(lookup),
    commit: (lookup) => ledger.commits(lookup),
    begin(invalidation) {
      ledger.began(invalidation);
      const { begin, end } = work.invalidations[invalidation]!;
      agenda.at(agenda.now() + end - begin, RANK.end, () => {
        ledger.ended(invalidation);
        rule.end(invalidation);
      });
    },
  });
  work.invalidations.forEach(({ begin }, invalidation) => {
    agenda.at(begin, RANK.begin, () => {
      ledger.asked(invalidation);
      rule.ask(invalidation);
    });
  });
  work.lookups.forEach(({ at }, lookup) => {
    agenda.at(at, RANK.arrival, () => rule.arrive(lookup));
  });
  while (agenda.step());
  return ledger.outcome();
}

/**
 * *rwsem*: one reader/writer semaphore for the whole space, first come first served. Lookups share it, an invalidation has it
 * alone. Nothing is ever read twice; instead, invalidations wait for every lookup that reads, and for each other, and
 * everybody waits for whoever stands before him.
 *
 * Better than the real one in one respect: a section nested in another one waits for it to end here, and does end; a real
 * semaphore deadlocks, as the outer one ends only after the inner one.
 */
export const rwsem: MakeRule = (_work, host) => {
  const queue: { readonly isWriter: boolean; readonly who: number }[] = [];
  let readers = 0;
  let isWritten = false;

  const admit = () => {
    for (;;) {
      const next = queue[0];
      if (next === undefined || isWritten || (next.isWriter && readers > 0)) return;
      queue.shift();
      if (next.isWriter) {
        isWritten = true;
        host.begin(next.who);
      } else {
        readers++;
        host.attempt(next.who);
      }
    }
  };

  return {
    arrive(lookup) {
      if (isWritten || queue.length > 0) host.wait(lookup);
      queue.push({ isWriter: false, who: lookup });
      admit();
    },
    finish(lookup) {
      readers--;
      host.commit(lookup);
      admit();
    },
    ask(invalidation) {
      queue.push({ isWriter: true, who: invalidation });
      admit();
    },
    end() {
      isWritten = false;
      admit();
    },
  };
};

/**
 * *hull*: KVM's. A count of invalidations in progress; one range that grows to enclose each of them and is forgotten only when
 * the count is zero again; a counter that moves at every end.
 *
 *   begin:  in progress + 1; the first one sets the hull, later ones widen it
 *   end:    counter + 1; in progress - 1
 *   read:   take the counter; wait while something is in progress and the hull overlaps
 *   check:  retry if something is in progress and the hull overlaps, or if the counter is not what it was
 *
 * The counter carries no range: an end anywhere throws away every read that is going on. The kernel's reader does not sleep;
 * it comes again and again. Here it waits until the count is zero, which is the same without the heat.
 */
export const hull: MakeRule = (work, host) => {
  const tokens: number[] = [];
  let waiting: number[] = [];
  let inProgress = 0;
  let counter = 0;
  let enclosing: Range = { start: 0, end: 0 };

  const isCovered = (lookup: number) => inProgress > 0 && anyMeet(work.lookups[lookup]!.ranges, [enclosing]);
  const read = (lookup: number) => {
    tokens[lookup] = counter;
    host.attempt(lookup);
  };
  const arrive = (lookup: number) => {
    if (!isCovered(lookup)) return read(lookup);
    waiting.push(lookup);
    host.wait(lookup);
  };

  return {
    arrive,
    finish(lookup) {
      if (!isCovered(lookup) && tokens[lookup] === counter) return host.commit(lookup);
      host.retry(lookup);
      arrive(lookup);
    },
    ask(invalidation) {
      const { ranges } = work.invalidations[invalidation]!;
      enclosing = enclose(inProgress === 0 ? ranges : [enclosing, ...ranges]);
      inProgress++;
      host.begin(invalidation);
    },
    end() {
      counter++;
      inProgress--;
      if (inProgress > 0) return; // the hull never shrinks: whoever it keeps out is kept out still
      const free = waiting;
      waiting = [];
      for (const lookup of free) read(lookup);
    },
  };
};

function enclose(ranges: readonly Range[]): Range {
  return {
    start: ranges.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY),
    end: ranges.reduce((greatest, { end }) => Math.max(greatest, end), Number.NEGATIVE_INFINITY),
  };
}

/** A standing place in the space, with the number of the epoch in which it was last hit. */
interface Place {
  readonly range: Range;
  epoch: number;
}

/**
 * *epoch*: mmu_interval_notifier's, since 5.5. One sequence for the space, and one for each place that somebody has subscribed.
 *
 *   space:  even while nothing has hit a subscriber; made odd by the first invalidation that does; made even again, by one
 *           more, when the *last* active invalidation has ended, whether that one had hit anybody or not
 *   begin:  active + 1; if any place overlaps, make the space's sequence odd, and write it into each of these places
 *   end:    active - 1; if that is zero and the sequence is odd, add one and wake everybody who sleeps
 *   read:   take the sequences of one's places; if one equals that of the space, sleep until the latter has moved, that is,
 *           until the whole space is quiet. Who has several places then takes the sequences of the others, too
 *   check:  retry if the sequence of a place is not what was taken
 *
 * A place is what was subscribed, not what is looked up: `'lookups'` subscribes exactly the ranges of each lookup, the best
 * case; `'objects'` those of the whole buffers that lookups read a part of, as drivers do. All were there from the start.
 */
export function epoch(subscribed: 'lookups' | 'objects'): MakeRule {
  return (work, host) => {
    const [places, placesOf] = placesFor(work, subscribed);
    const tokens: (readonly number[])[] = [];
    let sleeping: number[] = [];
    let active = 0;
    let sequence = 2; // even, and greater than that of places that nothing has hit yet

    const read = (lookup: number) => {
      tokens[lookup] = placesOf[lookup]!.map((place) => place.epoch);
      host.attempt(lookup);
    };
    const arrive = (lookup: number) => {
      if (placesOf[lookup]!.every((place) => place.epoch !== sequence)) return read(lookup);
      sleeping.push(lookup);
      host.wait(lookup);
    };

    return {
      arrive,
      finish(lookup) {
        if (placesOf[lookup]!.every((place, i) => place.epoch === tokens[lookup]![i])) return host.commit(lookup);
        host.retry(lookup);
        arrive(lookup);
      },
      ask(invalidation) {
        active++;
        const hit = places.filter(({ range }) => work.invalidations[invalidation]!.ranges.some((other) => meet(range, other)));
        if (hit.length > 0 && sequence % 2 === 0) sequence++;
        for (const place of hit) place.epoch = sequence;
        host.begin(invalidation);
      },
      end() {
        active--;
        if (active > 0 || sequence % 2 === 0) return;
        sequence++;
        const awake = sleeping;
        sleeping = [];
        for (const lookup of awake) read(lookup);
      },
    };
  };
}

/** All places, and those that each lookup goes by. Equal ranges share one. What lies in no object has a place of its own. */
function placesFor({ lookups, objects }: Work, subscribed: 'lookups' | 'objects'): [Place[], Place[][]] {
  const places = new Map<string, Place>();
  const placeOf = (range: Range) => {
    const key = `${range.start} ${range.end}`;
    const place = places.get(key) ?? { range, epoch: 1 };
    places.set(key, place);
    return place;
  };
  if (subscribed === 'objects') objects.forEach(placeOf);
  const placesOf = lookups.map(({ ranges }) => {
    const places = ranges.flatMap((range) => {
      const around = subscribed === 'objects' ? coveredBy(objects, range) : undefined;
      return around?.map(placeOf) ?? [placeOf(range)];
    });
    return [...new Set(places)];
  });
  return [[...places.values()], placesOf];
}

/** The objects that the range lies in, each counted with what it adds; `undefined` if some of the range lies in none. */
function coveredBy(objects: readonly Range[], range: Range): Range[] | undefined {
  const around = objects.filter((object) => meet(object, range)).sort((a, b) => a.start - b.start);
  let covered = range.start;
  for (const { start, end } of around) {
    if (start > covered) return undefined;
    covered = Math.max(covered, end);
  }
  return covered >= range.end ? around : undefined;
}
