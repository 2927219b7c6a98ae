// A driver of your own: an index over rows that others change. It is three things: a subscription that drops what is about to
// change, a lookup that installs what it has read in the turn of the check, and a writer that announces its changes.
import { setTimeout as sleep } from 'node:timers/promises';
import { RangeTracker } from 'rangefence';

const table = Array.from({ length: 1000 }, (_, row) => `row ${row}`);
const readRows = async ({ start, end }) => {
  const rows = table.slice(start, end);
  await sleep(5);
  return rows;
};

/** Remembers how long the text of each block of 100 rows is. */
class LengthIndex {
  #lengths = new Map();
  #subscription;
  reads = 0;

  constructor(tracker) {
    const everything = { start: 0, end: table.length };
    this.#subscription = tracker.subscribe(everything, {
      // `ranges` is the part of the change that lies inside of the subscription. Called before the change starts, and awaited.
      invalidate: (_change, ranges) => {
        for (const { start, end } of ranges)
          for (let block = Math.floor(start / 100); block * 100 < end; block++) this.#lengths.delete(block);
      },
    });
  }

  async lengthOf(block) {
    const known = this.#lengths.get(block);
    if (known !== undefined) return known;
    const ranges = { start: block * 100, end: (block + 1) * 100 };
    const read = async () => {
      this.reads++;
      return (await readRows(ranges)).join('').length;
    };
    return this.#subscription.lookup(read, { ranges, commit: (length) => this.#lengths.set(block, length).get(block) });
  }

  close() {
    this.#subscription.close();
  }
}

const tracker = new RangeTracker({ label: 'table' });
const index = new LengthIndex(tracker);
const reading = [index.lengthOf(3), index.lengthOf(4)];
await tracker.mutate({ start: 310, end: 312 }, () => table.fill('', 310, 312)); // two rows of block 3

console.log(await Promise.all(reading)); // => [686, 700]
console.log(index.reads); // => 3
console.log(await index.lengthOf(4)); // => 700
console.log(index.reads); // => 3
index.close();
