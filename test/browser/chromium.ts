/**
 * Chromium: a real browser, without a window, driven through the DevTools protocol over a pipe. Needs nothing but the browser:
 * `CHROMIUM` in the environment says where it is, otherwise Debian's place and name are tried.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const FLAGS = [
  ...['--headless=new', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', '--no-first-run', '--hide-scrollbars'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--window-size=1400,900', 'about:blank'],
];

/** How a page is looked at. */
export interface Look {
  readonly dark?: boolean;
  readonly width?: number;
  readonly height?: number;
  /** A phone: fingers, and its own width. */
  readonly touch?: boolean;
  /** Whoever looks wants little motion. */
  readonly still?: boolean;
}

interface Answer {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Record<string, never>;
  readonly result?: Record<string, never>;
  readonly error?: { readonly message: string };
}

interface Pending {
  readonly resolve: (result: Record<string, never>) => void;
  readonly reject: (error: Error) => void;
}

/** One browser. */
export class Chromium {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(answer: Answer) => void>();
  #lastId = 0;
  #text = '';

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    const gone = () => this.#gone();
    child.on('error', gone).on('exit', gone);
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => this.#take(text));
  }

  /** Starts it. Rejects if there is none. */
  static async start(): Promise<Chromium> {
    const path = process.env.CHROMIUM ?? '/usr/bin/chromium';
    if (!existsSync(path))
      throw new Error(`no browser at ${path}; install Debian's chromium, or set CHROMIUM to the path of one`);
    const profile = await mkdtemp(join(tmpdir(), 'rangefence-browser-'));
    const child = spawn(path, [...FLAGS, `--user-data-dir=${profile}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const browser = new Chromium(child, profile);
    await browser.send('Browser.getVersion');
    return browser;
  }

  /** Calls a method of the protocol. */
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's answers are as many as its methods
  send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = ++this.#lastId;
    const message = JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) });
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      (this.#child.stdio[3] as Writable).write(`${message}\0`);
    });
  }

  /** Calls the listener for every event of the protocol. */
  listen(listener: (answer: Answer) => void): void {
    this.#listeners.add(listener);
  }

  /** Opens a page and waits until it has loaded. */
  async open(url: string, look: Look = {}): Promise<Page> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, sessionId);
    await page.load(url, look);
    return page;
  }

  /** The trace engine of its own DevTools, as `engine`, in a page of theirs: what their Performance panel reads traces with. */
  async engine(): Promise<Page> {
    const url = 'devtools://devtools/bundled/models/trace/trace.js';
    const { targetId } = await this.send('Target.createTarget', { url });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, sessionId);
    await page.arrival(url);
    await page.evaluate(`import(${JSON.stringify(url)}).then((module) => { globalThis.engine = module; })`);
    return page;
  }

  /** Ends it, and removes what it has stored. */
  async close(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    await this.send('Browser.close').catch(() => this.#child.kill('SIGKILL'));
    if (this.#child.exitCode === null && this.#child.signalCode === null) await exited;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #take(text: string): void {
    const parts = (this.#text + text).split('\0');
    this.#text = parts.pop()!;
    for (const part of parts) {
      const answer = JSON.parse(part) as Answer;
      if (answer.id === undefined) for (const listener of this.#listeners) listener(answer);
      else this.#settle(answer.id, answer);
    }
  }

  #settle(id: number, { result, error }: Answer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) pending?.resolve(result ?? {});
    else pending?.reject(new Error(error.message));
  }

  #gone(): void {
    for (const { reject } of this.#pending.values()) reject(new Error('the browser is gone'));
    this.#pending.clear();
  }
}

/** One page. */
export class Page {
  /** What went wrong in it: exceptions, errors on its console, requests for anything but itself. */
  readonly problems: string[] = [];
  readonly #browser: Chromium;
  readonly #session: string;

  constructor(browser: Chromium, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  // biome-ignore lint/suspicious/noExplicitAny: see Chromium.send
  send(method: string, params: object = {}): Promise<any> {
    return this.#browser.send(method, params, this.#session);
  }

  async load(url: string, look: Look): Promise<void> {
    const { dark = false, width = 1400, height = 900, touch = false, still = false } = look;
    let loaded = () => {};
    const done = new Promise<void>((resolve) => {
      loaded = resolve;
    });
    this.#browser.listen(({ sessionId, method, params }) => {
      if (sessionId !== this.#session) return;
      if (method === 'Page.loadEventFired') loaded();
      if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded')
        this.problems.push(JSON.stringify(params).slice(0, 300));
      if (method !== 'Network.requestWillBeSent') return;
      const asked = (params as unknown as { request: { url: string } }).request.url;
      if (!isOwn(asked, url)) this.problems.push(`asked for ${asked}`);
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.send(`${domain}.enable`);
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: touch });
    if (touch) await this.send('Emulation.setTouchEmulationEnabled', { enabled: true });
    const features = [
      { name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' },
      { name: 'prefers-reduced-motion', value: still ? 'reduce' : 'no-preference' },
    ];
    await this.send('Emulation.setEmulatedMedia', { features });
    await this.send('Page.navigate', { url });
    await done;
  }

  /** The value of an expression, awaited. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the expression is
  async evaluate(expression: string): Promise<any> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      ...{ expression, returnByValue: true, awaitPromise: true },
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  }

  /** Waits until it is where it was sent. */
  async arrival(url: string): Promise<void> {
    const there = `location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`;
    while (!(await this.evaluate(there))) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** What the browser has traced of these categories while something was done. */
  async traced(categories: string, act: () => Promise<unknown>): Promise<unknown[]> {
    const events: unknown[] = [];
    const complete = new Promise<void>((resolve) => {
      this.#browser.listen(({ method, params }) => {
        if (method === 'Tracing.dataCollected') events.push(...(params as unknown as { value: unknown[] }).value);
        if (method === 'Tracing.tracingComplete') resolve();
      });
    });
    await this.send('Tracing.start', { traceConfig: { includedCategories: categories.split(',') } });
    await act();
    await this.send('Tracing.end');
    await complete;
    return events;
  }

  /** What the root element says. */
  data(): Promise<Record<string, string>> {
    return this.evaluate('({ ...document.documentElement.dataset })');
  }

  /** Two frames later, all that was asked for has been drawn. */
  async drawn(): Promise<void> {
    await this.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))');
  }

  mouse(type: string, x: number, y: number, more: object = {}): Promise<void> {
    return this.send('Input.dispatchMouseEvent', { type, x, y, ...more });
  }

  async picture(): Promise<Buffer> {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(data, 'base64');
  }
}

/** A page may ask for what lies inside itself, and one that is served for what its own server has. */
function isOwn(asked: string, url: string): boolean {
  if (/^(data|blob):/.test(asked) || asked === url) return true;
  return url.startsWith('http:') && new URL(asked).origin === new URL(url).origin;
}
