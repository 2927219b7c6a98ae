/**
 * The first page of the built site in a real Chromium: its live demo, with a mouse, a finger, a keyboard and little motion; in light and
 * dark, wide and narrow. Pictures go into `reports/site`, to be looked at.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chromium, type Look, type Page } from '../browser/chromium.js';
import { nameless, paleTexts, pixelsOf } from './looking.js';
import { type Serving, serve } from './serving.js';

const DIST = fileURLToPath(new URL('../../docs/.vitepress/dist', import.meta.url));
const PICTURES = fileURLToPath(new URL('../../reports/site', import.meta.url));
const WIDE: Look = { width: 1400, height: 1500 };
const PHONE: Look = { width: 390, height: 1500, touch: true };
const LOOKS: readonly (readonly [string, Look])[] = [
  ['wide-light', WIDE],
  ['wide-dark', { ...WIDE, dark: true }],
  ['narrow-light', PHONE],
  ['narrow-dark', { ...PHONE, dark: true }],
];

let browser: Chromium;
let site: Serving;

beforeAll(async () => {
  await mkdir(PICTURES, { recursive: true });
  site = await serve(DIST);
  browser = await Chromium.start();
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

async function show(look: Look, path = '/'): Promise<Page> {
  const page = await browser.open(site.url + path, look);
  if (path === '/') await until(page, `document.querySelector('.live').dataset.ready === 'true'`);
  return page;
}

/** Waits for what the page does by itself. */
async function until(page: Page, expression: string): Promise<void> {
  const poll = `new Promise((done) => { const ask = () => (${expression}) ? done(true) : setTimeout(ask, 50); ask(); })`;
  await page.evaluate(poll);
}

interface Counts {
  readonly kept: number;
  readonly stale: number;
  readonly waits: number;
}

const figure = (name: string, what: string) => `parseInt(document.querySelector('[data-live="${name}-${what}"]').textContent)`;

function counts(page: Page, name: string): Promise<Counts> {
  return page.evaluate(`({ kept: ${figure(name, 'kept')}, stale: ${figure(name, 'stale')}, waits: ${figure(name, 'waits')} })`);
}

/** Where a place of a lane is, on the screen. */
function spot(page: Page, name: string, place: number): Promise<{ x: number; y: number }> {
  return page.evaluate(`(() => {
    const { left, top, width, height } = document.querySelector('[data-live="${name}"]').getBoundingClientRect();
    return { x: left + (width * (${place} + 0.5)) / 40, y: top + height / 2 };
  })()`);
}

describe('the live demo', () => {
  it('shows by itself, in ten seconds: stale results without a guard only, and less waiting than under the lock', async () => {
    const page = await show(WIDE);
    await until(page, `${figure('none', 'stale')} >= 10 && ${figure('rangefence', 'kept')} >= 150`);
    const [lock, rangefence] = [await counts(page, 'lock'), await counts(page, 'rangefence')];
    expect([lock.stale, rangefence.stale]).toEqual([0, 0]);
    expect(rangefence.kept).toBeGreaterThan(lock.kept);
    expect(rangefence.waits).toBeLessThan(lock.waits);
    expect(page.problems).toEqual([]);
  });

  it('is changed by a drag: red without a guard, all grey under the lock, grey in a part alone under rangefence', async () => {
    const page = await show(WIDE);
    const [from, to] = [await spot(page, 'rangefence', 10), await spot(page, 'rangefence', 16)];
    await page.mouse('mousePressed', from.x, from.y, { button: 'left', buttons: 1, clickCount: 1 });
    await page.mouse('mouseMoved', to.x, to.y, { button: 'left', buttons: 1 });
    await until(page, `${figure('none', 'stale')} >= 4`);
    await until(page, `${pixelsOf('none', 'stale')} > 50`);
    expect(await page.evaluate(pixelsOf('lock', 'stale'))).toBe(0);
    expect(await page.evaluate(pixelsOf('rangefence', 'stale'))).toBe(0);
    await until(page, `${pixelsOf('lock', 'reads')} === 0`);
    expect(await page.evaluate(pixelsOf('lock', 'waits'))).toBeGreaterThan(500);
    expect(await page.evaluate(pixelsOf('rangefence', 'waits'))).toBeGreaterThan(50);
    await until(page, `${pixelsOf('rangefence', 'reads')} > 100`);
    await writeFile(join(PICTURES, 'held.png'), await page.picture());
    await page.mouse('mouseReleased', to.x, to.y, { button: 'left', clickCount: 1 });
    await until(page, `${pixelsOf('lock', 'reads')} > 100`);
    expect(page.problems).toEqual([]);
  });

  it('draws below what the recorder saw, with names and collisions', async () => {
    const page = await show(WIDE);
    await until(page, `${figure('none', 'stale')} >= 4 && document.querySelector('[data-live=trace]').src.startsWith('blob:')`);
    const text: string = await page.evaluate(`(async () => {
      for (;;) {
        const svg = await fetch(document.querySelector('[data-live=trace]').src).then((got) => got.text(), () => '');
        if (svg.includes('class="collision"')) return svg;
        await new Promise((done) => setTimeout(done, 300));
      }
    })()`);
    for (const shape of ['shape section', 'shape committed', 'shape lost']) expect(text).toContain(`class="${shape}"`);
    expect(await page.evaluate(`document.querySelector('[data-live=trace]').naturalWidth`)).toBeGreaterThan(300);
    expect(page.problems).toEqual([]);
  });

  it('is changed by the keyboard: the arrows choose the places, the button begins and ends the change', async () => {
    const page = await show(WIDE);
    await page.evaluate(`document.querySelector('[data-live=hold]').focus()`);
    const key = async (name: string, more: object = {}) => {
      for (const type of ['keyDown', 'keyUp'])
        await page.send('Input.dispatchKeyEvent', { type, key: name, code: name, ...more });
    };
    const label = () => page.evaluate(`document.querySelector('[data-live=hold]').textContent`);
    expect(await label()).toBe('Change places 14 to 21');
    await key('ArrowRight');
    await key('ArrowRight', { modifiers: 8 });
    expect(await label()).toBe('Change places 15 to 23');
    await key('Enter', { windowsVirtualKeyCode: 13, text: '\r' });
    expect(await label()).toBe('End the change of places 15 to 23');
    await until(page, `${figure('none', 'stale')} >= 4`);
    expect(await page.evaluate(`document.querySelector('[data-live=hold]').getAttribute('aria-pressed')`)).toBe('true');
    await key('Enter', { windowsVirtualKeyCode: 13, text: '\r' });
    expect(await label()).toBe('Change places 15 to 23');
    expect(page.problems).toEqual([]);
  });

  it('is changed by a finger on a phone, which scrolls the page if it goes up, and nothing is wider than the screen', async () => {
    const page = await show({ ...PHONE, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.evaluate(
      `document.querySelector('[data-live=again]').click(); document.querySelector('[data-live=none]').scrollIntoView()`,
    );
    await page.evaluate('scrollBy(0, -200)');
    const touch = (type: string, ...touchPoints: object[]) => page.send('Input.dispatchTouchEvent', { type, touchPoints });
    const [from, to] = [await spot(page, 'none', 10), await spot(page, 'none', 18)];
    await touch('touchStart', from);
    await touch('touchMove', to);
    await until(page, `${figure('none', 'stale')} >= 4`);
    await touch('touchEnd');
    const before = await page.evaluate('scrollY');
    await touch('touchStart', from);
    for (let up = 20; up <= 200; up += 20) {
      await touch('touchMove', { ...from, y: from.y - up });
      await page.drawn();
    }
    await touch('touchEnd');
    await until(page, `scrollY > ${before} + 100`);
    expect(page.problems).toEqual([]);
  });

  it('stands still for those who want little motion, and runs when they say so', async () => {
    const page = await show({ ...WIDE, still: true });
    const kept = await counts(page, 'none');
    const frames = () => page.evaluate(`document.querySelector('[data-live=none]').toDataURL()`);
    await until(page, `Number(document.querySelector('.live').dataset.frames) >= 1 && ${figure('none', 'kept')} > 0`);
    const first = await frames();
    await until(page, `Number(document.querySelector('.live').dataset.frames) >= 4`);
    expect(await frames()).toBe(first);
    expect(await page.evaluate(pixelsOf('lock', 'waits'))).toBeGreaterThan(500); // what it is about can be seen as it stands
    await page.evaluate(`document.querySelector('[data-live=pause]').click()`);
    await until(page, `${figure('none', 'kept')} > ${kept.kept} + 60`);
    expect(page.problems).toEqual([]);
  });

  it('pauses, and counts again from nothing', async () => {
    const page = await show(WIDE);
    await until(page, `${figure('none', 'kept')} > 40`);
    await page.evaluate(
      `document.querySelector('[data-live=pause]').click(); document.querySelector('[data-live=again]').click()`,
    );
    const frames = Number(await page.evaluate(`document.querySelector('.live').dataset.frames`));
    await until(page, `Number(document.querySelector('.live').dataset.frames) > ${frames} + 20`);
    expect((await counts(page, 'none')).kept).toBe(0);
    expect(await page.evaluate(`document.querySelector('[data-live=pause]').textContent`)).toBe('Run');
  });
});

describe.each(LOOKS)('the first page, %s', (name, look) => {
  it('has no text that is too pale, nothing without a name, and no problem', async () => {
    const page = await show(look);
    await until(page, `${figure('none', 'stale')} >= 4`);
    expect(await page.evaluate(paleTexts)).toEqual([]);
    expect(await page.evaluate(nameless)).toEqual([]);
    expect(page.problems).toEqual([]);
    await writeFile(join(PICTURES, `${name}.png`), await page.picture());
  });
});

describe('the site', () => {
  it('is walked through with the Tab key from above to below, with the focus seen', async () => {
    const page = await show({ ...WIDE, still: true });
    const stops: { what: string; top: number; seen: boolean; main: boolean }[] = [];
    for (let i = 0; i < 90; i++) {
      for (const type of ['keyDown', 'keyUp'])
        await page.send('Input.dispatchKeyEvent', { type, key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 });
      const stop = await page.evaluate(`(() => {
        const at = document.activeElement;
        if (at === document.body) return null;
        const { top } = at.getBoundingClientRect();
        const { outlineStyle, outlineWidth } = getComputedStyle(at);
        const seen = outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
        return { what: at.dataset.live ?? at.textContent.trim().slice(0, 30), top: top + scrollY, seen, main: at.closest('main') !== null };
      })()`);
      if (stop === null) break;
      stops.push(stop);
    }
    const main = stops.filter((stop) => stop.main);
    const names = main.map(({ what }) => what);
    expect(names).toEqual(expect.arrayContaining(['hold', 'pause', 'again']));
    expect(names.indexOf('hold')).toBeLessThan(names.indexOf('pause'));
    for (let i = 1; i < main.length; i++) expect(main[i]!.top, main[i]!.what).toBeGreaterThanOrEqual(main[i - 1]!.top - 40);
    expect(stops.filter(({ seen }) => !seen).map(({ what }) => what)).toEqual([]);
  });

  it.each(['/package/readme', '/waiting', '/package/api/', '/contract'])(
    'has pages that can be read, in light and dark: %s',
    async (path) => {
      for (const dark of [false, true]) {
        const page = await show({ ...WIDE, dark }, path);
        expect(await page.evaluate(paleTexts)).toEqual([]);
        expect(page.problems).toEqual([]);
      }
    },
  );
});
