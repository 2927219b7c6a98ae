// Worker threads that read a table in shared memory while this thread writes it: each read is of one version, and no thread holds a lock.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { RangeTracker } from 'rangefence';
import { SharedSpace } from 'rangefence/threads';

const ROW = { start: 0, end: 64 };

/** A turn of the event loop: in here, others run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function main() {
  const table = new Int32Array(new SharedArrayBuffer(4 * ROW.end));
  const space = SharedSpace.create();
  const tracker = new RangeTracker({ space: space.connect() });
  const workers = [space.connect(), space.connect()].map((handle) => {
    return new Worker(new URL(import.meta.url), { workerData: { handle, table }, transferList: [handle.port] });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message'))); // they read by now

  for (let version = 1; version <= 100; version++) {
    await tracker.mutate(ROW, async () => {
      table.fill(version, 0, 32);
      await turn(); // half of the row is new, and half of it old
      table.fill(version, 32);
    });
  }
  for (const worker of workers) worker.postMessage('what have you read?');
  const answers = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  console.log(answers.map(({ last, torn }) => ({ last, torn }))); // => [{ last: 100, torn: 0 }, { last: 100, torn: 0 }]
  await tracker.close();
  space.close();
}

async function read({ handle, table }) {
  const tracker = new RangeTracker({ space: handle });
  const question = once(parentPort, 'message');
  let asked = false;
  question.then(() => {
    asked = true;
  });
  const answer = { last: 0, torn: 0 };
  parentPort.postMessage('ready');
  for (let isLast = false; !isLast; ) {
    isLast = asked; // one more read after the question: everything was written before it
    const [first, second] = await tracker.lookup(ROW, async () => {
      const half = table[0];
      await turn();
      return [half, table[63]];
    });
    answer.last = second;
    if (first !== second) answer.torn++;
  }
  await tracker.close();
  parentPort.postMessage(answer);
}

if (isMainThread) await main();
else await read(workerData);
