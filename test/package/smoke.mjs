/**
 * Runs where the tarball is installed: `node smoke.mjs import|require '{"rangefence": ["RangeTracker", …], …}'`.
 * Loads each entry through one module format, compares its runtime exports with the list, and uses it a little.
 */
import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const [format, json] = process.argv.slice(2);
const expected = JSON.parse(json);
const require = createRequire(import.meta.url);

async function load(how, specifier) {
  // Not `import` for both: importing CommonJS wraps it, and would hide an entry that cannot be required.
  return how === 'import' ? import(specifier) : require(specifier);
}

const entries = {};
for (const [specifier, names] of Object.entries(expected)) {
  entries[specifier] = await load(format, specifier);
  assert.deepEqual(Object.keys(entries[specifier]).sort(), [...names].sort(), `runtime exports of ${specifier}`);
}

const all = Object.entries(entries);
for (const [one, left] of all) {
  for (const [other, right] of all) {
    for (const name of Object.keys(left)) {
      if (name in right) assert.equal(left[name], right[name], `${name} is one thing in ${one} and ${other}`);
    }
  }
}

const { RangeTracker, InvalidRangeError, isRangefenceError } = entries.rangefence;
const { IntervalTree } = entries['rangefence/interval-tree'];
const { LoadError, RangeMirror } = entries['rangefence/mirror'];

const tree = new IntervalTree();
const handle = tree.insert(0, 8, 'a');
assert.deepEqual(tree.search(7, 9), ['a']);
assert.equal(tree.overlaps(8, 16), false, 'touching intervals do not overlap');
assert.equal(tree.delete(handle), true);

const tracker = new RangeTracker();
const range = { start: 0, end: 8 };
assert.equal(await tracker.lookup(range, () => 42), 42);

let content = 'old';
let attempts = 0;
const read = await tracker.lookup(range, async () => {
  const seen = content;
  attempts += 1;
  if (attempts === 1) {
    await tracker.mutate(range, () => {
      content = 'new';
    });
  }
  return seen;
});
assert.deepEqual([read, attempts], ['new', 2], 'an invalidation during the fetch makes it run again');

let version = 1;
const mirror = new RangeMirror({
  tracker,
  pageSize: 8,
  load: (first, count) => Array.from({ length: first === 9 ? 0 : count }, (_, i) => `${first + i}.${version}`),
});
assert.deepEqual(await mirror.read({ start: 4, end: 12 }), ['0.1', '1.1']);
await tracker.mutate({ start: 8, end: 9 }, () => {
  version = 2;
});
assert.deepEqual([mirror.peek(0), mirror.peek(1)], ['0.1', undefined], 'a change drops its page and no other');
assert.deepEqual(await mirror.read({ start: 4, end: 12 }), ['0.1', '1.2']);
await assert.rejects(mirror.read({ start: 72, end: 80 }), LoadError);
await assert.rejects(mirror.read({ start: 7, end: 3 }), InvalidRangeError);
assert.equal(mirror.constructor.name, 'RangeMirror', 'the bundler has left the name alone');
mirror[Symbol.dispose]();
assert.equal(mirror.closed, true);

const { SourceError, openFile } = entries['rangefence/bytes'];
const path = new URL(`thing-${process.pid}-${format}`, import.meta.url);
await writeFile(path, 'old old');
const source = openFile(path);
const words = await source.consistent(
  async (view, attempt) => {
    const first = await view.read(0, 4);
    if (attempt.number === 1) {
      await writeFile(`${path.pathname}.new`, 'new new');
      await rename(`${path.pathname}.new`, path);
    }
    return new TextDecoder().decode(first) + new TextDecoder().decode(await view.read(4, 3));
  },
  { revalidate: true },
);
assert.equal(words, 'new new', 'a replacement in the middle of a query makes it run again');
await source.close();
await rm(path);
await assert.rejects(openFile(path).read(0, 1), SourceError);

const { fence } = entries['rangefence/keyed'];
const store = new Map();
const fenced = fence(store);
let name = 'old';
const loading = fenced.getOrLoad('a', async () => name);
await fenced.mutate('a', async () => {
  name = 'new';
});
assert.deepEqual([await loading, store.get('a'), fenced.pending], ['new', 'new', 0]);
fenced.close();

const { LockOrderError, lockOrder } = entries['rangefence/debug'];
const reports = [];
const checker = lockOrder({ report: (error) => reports.push(error) });
assert.equal(checker.automatic, true, 'contexts follow awaits on this runtime');
const checked = new RangeTracker({ observer: checker, label: 'checked' });
const hangs = checked.mutate(range, () => checked.readBegin(range, { timeoutMs: 20 }));
await assert.rejects(hangs, { code: 'RANGEFENCE_TIMEOUT' });
assert.deepEqual([reports.length, reports[0] instanceof LockOrderError, reports[0].kind], [1, true, 'self-wait']);

const { PageFault, SimulatedAddressSpace } = entries['rangefence/testing'];
const space = new SimulatedAddressSpace({ tracker, pageSize: 8 });
await space.map(space.pages(0, 2));
await space.write(6, Uint8Array.of(1, 2, 3));
const [kept] = await space.fault(space.pages(0));
await space.unmap(space.pages(0));
assert.throws(() => kept.read(), PageFault, 'a page that was kept too long says so');
assert.deepEqual(await space.read(8, 2), Uint8Array.of(3, 0));

// All entries raise the same class, and an error of the other module format is known by its code.
assert.throws(() => tree.insert(7, 3), InvalidRangeError);
assert.throws(() => tracker.tryBegin({ start: 7, end: 3 }), InvalidRangeError);
const foreign = await load(format === 'import' ? 'require' : 'import', 'rangefence');
assert.equal(isRangefenceError(new foreign.InvalidRangeError('foreign')), true);

await tracker.close();
