/**
 * Tests in a real browser: `npm run test:browser`. They need a Chromium, so they are no part of `npm test`.
 *
 *   chromium  the tests of `test/` as they are, and `*.inside.ts`, inside a page
 *   driven    `*.browser.ts`: in Node, with a page that is driven from outside
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { configDefaults, defineConfig } from 'vitest/config';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(executablePath)) {
  console.error(`NOT RUN: no browser at ${executablePath}; install Debian's chromium, or set CHROMIUM to the path of one`);
  process.exit(1);
}

/** Folders of tests of the library itself. The others test tools, the bench, the documents and the package: programs for Node. */
const WINGS = 'address-space,base,bytes,contract,debug,explorer,hmm,interval-tree,keyed,mirror,rows,trace,tracker';

/** Files that are about Node, or about what the engine of a browser does not show. All others run in the browser, too. */
const NODE_ONLY = [
  'test/**/*.heap.test.ts', // gc(), and flags of V8
  // Files, contexts that follow awaits, and HTTP servers of their own: url.inside.ts has one for a page.
  'test/bytes/{adapters,adapters.*,contexts,file,file.*,serving,source,url,url.*,view}.test.ts',
  'test/contract/node.test.ts', // another test runner
  'test/contract/controller.model.test.ts', // what Node says of listeners
  'test/debug/*.test.ts', // contexts that follow awaits, and child processes
  'test/keyed/{packages,differential.model,doors,cycles}.test.ts', // packages for Node, and contexts that follow awaits
  'test/mirror/cycles.test.ts', // contexts that follow awaits
  'test/{mirror,keyed}/inspect.test.ts', // what Node prints
  'test/explorer/endless.test.ts', // processes
  'test/trace/pictures.test.ts', // pictures on disk
];

/** Tests of other files, by their full names. */
const NODE_ONLY_TESTS = [
  'the history grows from little', // process.memoryUsage()
  'bounds of one read are one listener for each wait, .*', // Node's warning about many listeners
  'the asynchronous context of the caller .*', // AsyncLocalStorage
  '.*every attempt runs in the context of the caller', // AsyncLocalStorage
  'promises .*', // createHook() counts them
  '.*is none for code outside of an exploration, nor after it', // AsyncLocalStorage
  '.*is the same in hosts without AsyncLocalStorage, where explorations take turns',
  'channels .*', // node:diagnostics_channel
  'listeners that throw keep nobody else .*', // process.listeners()
  'the table of the documentation is the one that is asserted here', // a file
];

/** For React in StrictMode. */
const REACT = ['react', 'react-dom/client', '@tanstack/query-core', '@tanstack/react-query'];

const beside = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Node's modules that have a counterpart, and those that can at least be imported. */
const MODULES = {
  'node:events': beside('node/events.ts'),
  'node:timers/promises': beside('node/timers.ts'),
  'node:async_hooks': beside('node/absent.ts'),
  'node:diagnostics_channel': beside('node/absent.ts'),
  'node:fs': beside('node/absent.ts'),
};

const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('RANGEFENCE_')));

/**
 * Node's globals for the tests that name them, and for nothing else: there is no global `process` in the page. In front of the
 * first line, so that no line number changes.
 */
const globals = {
  name: 'rangefence:globals',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/test\/[\w./-]+\.ts$/.test(id) || id.includes('/test/browser/')) return;
    const used = ['process', 'Buffer', 'setImmediate'].filter((name) => new RegExp(`(?<![\\w.'])${name}[.(]`).test(code));
    const names = used.filter((name) => !new RegExp(`import .*\\b${name}\\b`).test(code));
    if (names.length === 0) return;
    const head = `import { ${names.join(', ')} } from ${JSON.stringify(beside('node/globals.ts'))};`;
    const environment = names.includes('process') ? `Object.assign(process.env, ${JSON.stringify(ENVIRONMENT)});` : '';
    return { code: `${head}${environment}${code}`, map: null };
  },
};

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        plugins: [globals],
        resolve: { alias: MODULES },
        optimizeDeps: { include: ['fast-check', 'lru-cache', 'rwlock', ...REACT] },
        test: {
          name: 'chromium',
          sequence: { groupOrder: 1 },
          include: [`test/{${WINGS}}/*.test.ts`, 'test/query/strict-mode.test.ts', 'test/browser/*.inside.ts'],
          exclude: [...configDefaults.exclude, ...NODE_ONLY],
          testNamePattern: new RegExp(`^(?!(${NODE_ONLY_TESTS.join('|')})$)`),
          globalSetup: [beside('server.ts')],
          setupFiles: [MODULES['node:events']],
          browser: {
            enabled: true,
            headless: true,
            ui: false,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath,
                args: [
                  ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
                  ...['--disable-component-update', '--disable-sync'],
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        extends: true,
        test: {
          name: 'driven',
          // Before the others, one file after the other: it measures how long a page takes to draw.
          sequence: { groupOrder: 0 },
          maxWorkers: 1,
          include: ['test/browser/*.browser.ts'],
        },
      },
    ],
  },
});
