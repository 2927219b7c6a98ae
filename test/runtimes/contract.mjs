/**
 * The contract suite without a test runner, for wherever a module can be loaded: a page, Deno, Bun, Node. Started by one of the
 * latter, it examines the package that is installed where it lies, prints the counts as one line of JSON, and fails if a test does.
 */

/** No test of the suite waits for anything but turns; what takes this long hangs. */
const LIMIT_MS = 60_000;

/**
 * Runs all tests, one after the other.
 *
 * @param {typeof import('rangefence')} core
 * @param {typeof import('rangefence/testing')} testing
 * @returns {Promise<{ passed: number, failures: string[] }>}
 */
export async function contract({ RangeTracker }, { describeContract }) {
  const path = [];
  const tests = [];
  describeContract({
    name: 'RangeTracker',
    make: (options) => new RangeTracker(options),
    describe: (name, body) => {
      path.push(name);
      body();
      path.pop();
    },
    it: (name, body) => tests.push({ name: [...path, name].join(' > '), body }),
  });
  const failures = [];
  for (const { name, body } of tests) {
    try {
      await within(LIMIT_MS, body());
    } catch (error) {
      failures.push(`${name}: ${error}`);
    }
  }
  return { passed: tests.length - failures.length, failures };
}

/** What the promise comes to, if it does so in time. */
async function within(limitMs, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled after ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main ?? isMain()) {
  const { passed, failures } = await contract(await import('rangefence'), await import('rangefence/testing'));
  for (const failure of failures) console.error(failure);
  console.log(JSON.stringify({ passed, failed: failures.length }));
  process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
}

/** For Node before 24.2, which has no `import.meta.main`. */
function isMain() {
  const started = globalThis.process?.argv[1]?.replaceAll('\\', '/');
  return started !== undefined && import.meta.url.endsWith(started);
}
