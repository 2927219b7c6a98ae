// A hex view of the memory of a program that is being debugged, as an editor shows it. The debug adapter answers slowly, and says
// afterwards which bytes have changed (the `memory` event of the Debug Adapter Protocol). The view never keeps an old page.
import { setTimeout as sleep } from 'node:timers/promises';
import { RangeTracker } from 'rangefence';
import { RangeMirror } from 'rangefence/mirror';

const PAGE = 8;
const memory = Uint8Array.from({ length: 64 }, (_, address) => address);
const requests = [];

/** The adapter: an answer is as old as the moment in which it was made. */
async function readMemory(address, count) {
  requests.push(`${address}+${count}`);
  const bytes = memory.slice(address, address + count);
  await sleep(10);
  return bytes;
}

const tracker = new RangeTracker({ label: 'debuggee' });
const pages = new RangeMirror({
  tracker,
  pageSize: PAGE,
  range: { start: 0, end: memory.length },
  load: async (first, count) => {
    const bytes = await readMemory(first * PAGE, count * PAGE); // neighbours in one request
    return Array.from({ length: count }, (_, i) => bytes.subarray(i * PAGE, (i + 1) * PAGE));
  },
});

async function view(start, end) {
  const bytes = Buffer.concat(await pages.read({ start, end }));
  return bytes.toString('hex', start % PAGE, (start % PAGE) + end - start);
}

/** The adapter's event: it comes when the bytes have changed already. */
const onMemory = ({ address, count }) => tracker.invalidate({ start: address, end: address + count });

const scrolling = view(6, 18); // pages 0, 1 and 2, in one request
await sleep(2);
memory[10] = 0xff; // the program runs on, and the answer on its way has the old byte
await onMemory({ address: 10, count: 1 });

console.log(await scrolling); // => '06070809ff0b0c0d0e0f1011'
console.log(requests); // => ['0+24', '8+8']

// A write by the user is announced before it starts; the pages beside it stay.
await tracker.mutate({ start: 16, end: 18 }, () => memory.fill(0, 16, 18));
console.log(await view(8, 18)); // => '0809ff0b0c0d0e0f0000'
console.log(requests.length); // => 3
pages.close();
