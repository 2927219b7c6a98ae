/**
 * The page of a trace in a real Chromium: it loads, shows what is there, answers to the mouse, and is quick enough.
 * Pictures of it go into `reports/browser`, to be looked at.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Trace, toHtml } from '../../lib/trace/index.js';
import { EVERYTHING_IN_IT, fabricate, recordEverything } from '../support/traced.js';
import { Chromium, type Page } from './chromium.js';

const PICTURES = fileURLToPath(new URL('../../reports/browser', import.meta.url));

let browser: Chromium;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rangefence-pages-'));
  await mkdir(PICTURES, { recursive: true });
  browser = await Chromium.start();
});

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

async function show(trace: Trace, name: string, dark = false): Promise<Page> {
  const path = join(folder, `${name}.html`);
  await writeFile(path, toHtml(trace, { title: name }));
  const page = await browser.open(pathToFileURL(path).href, dark);
  await page.drawn();
  return page;
}

describe('the page of a trace', () => {
  it('loads without an error, asks for nothing else, and says what is in it', async () => {
    const page = await show(await recordEverything(), 'everything');
    const { sections, lookups, attempts, collisions } = EVERYTHING_IN_IT;
    expect(await page.data()).toMatchObject({
      ...{ sections: `${sections}`, lookups: `${lookups}`, attempts: `${attempts}`, collisions: `${collisions}` },
    });
    expect(page.problems).toEqual([]);
    expect(await page.evaluate('document.title')).toBe('everything');
  });

  it('has painted something, in light and in dark, and differently', async () => {
    const trace = await recordEverything();
    const look = `(() => {
      const canvas = document.getElementById('scene');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return { corner: [...data.slice(0, 4)], colours: new Set(new Uint32Array(data.buffer)).size };
    })()`;
    for (const dark of [false, true]) {
      const page = await show(trace, dark ? 'dark' : 'light', dark);
      await page.evaluate(`document.getElementById('measure').click()`);
      await page.drawn();
      const { corner, colours } = await page.evaluate(look);
      expect(corner).toEqual(dark ? [20, 23, 28, 255] : [255, 255, 255, 255]);
      expect(colours).toBeGreaterThan(20);
      await writeFile(join(PICTURES, `${dark ? 'dark' : 'light'}.png`), await page.picture());
      expect(page.problems).toEqual([]);
    }
  });

  it('says what is under the mouse, as text', async () => {
    const page = await show(await recordEverything(), 'hover');
    await page.evaluate(`document.getElementById('measure').click()`);
    const seen = new Set<string>();
    for (let y = 150; y < 890; y += 12) {
      for (const x of [90, 115, 130, 420, 600]) {
        await page.mouse('mouseMoved', x, y);
        await page.drawn();
        const tip = await page.evaluate(
          `document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent`,
        );
        if (tip !== '') seen.add(tip);
      }
    }
    const all = [...seen].join('\n');
    expect(all).toMatch(/section "rewrite" #\d+ \(clear\) over \[4, 12\)\nactive: 2 ms/);
    expect(all).toContain('attempt 1 (lost) over [0, 8): 3 ms');
    expect(page.problems).toEqual([]);
  });

  it('zooms at the wheel, moves when it is dragged, and shows all again', async () => {
    const page = await show(fabricate(2000), 'zoom');
    const view = async () => {
      await page.drawn();
      const [x0, x1, y0, y1] = (await page.data()).view!.split(' ').map(Number);
      return { x0: x0!, x1: x1!, y0: y0!, y1: y1! };
    };
    const all = await view();
    await page.mouse('mouseWheel', 700, 500, { deltaX: 0, deltaY: -300, modifiers: 2 });
    const zoomed = await view();
    expect(zoomed.y1 - zoomed.y0).toBeCloseTo((all.y1 - all.y0) / Math.E, 0);
    expect([zoomed.x0, zoomed.x1]).toEqual([0, 1]);
    await page.mouse('mouseWheel', 700, 500, { deltaX: 0, deltaY: -300, modifiers: 8 });
    const narrow = await view();
    expect(narrow.x1 - narrow.x0).toBeCloseTo(1 / Math.E, 2);
    await page.mouse('mouseWheel', 700, 500, { deltaX: 0, deltaY: 100 });
    const scrolled = await view();
    expect(scrolled.y0).toBeGreaterThan(narrow.y0);
    await page.mouse('mousePressed', 700, 500, { button: 'left', buttons: 1, clickCount: 1 });
    await page.mouse('mouseMoved', 700, 600, { button: 'left', buttons: 1 });
    await page.mouse('mouseReleased', 700, 600, { button: 'left', clickCount: 1 });
    expect((await view()).y0).toBeLessThan(scrolled.y0);
    await page.evaluate(`document.getElementById('fit').click()`);
    expect(await view()).toEqual(all);
    expect(page.problems).toEqual([]);
  });

  it('opens 100,000 events in two seconds, and draws while it scrolls', async () => {
    const trace = fabricate(100_000);
    const page = await show(trace, 'many');
    const { readyMs, sections, lookups } = await page.data();
    const things = Math.ceil(100_000 / 6);
    expect([sections, lookups]).toEqual([`${things}`, `${things}`]);
    const whole = await frames(page, { deltaX: 0, deltaY: 3 });
    await writeFile(join(PICTURES, 'many.png'), await page.picture());
    for (let i = 0; i < 6; i++) await page.mouse('mouseWheel', 700, 500, { deltaX: 0, deltaY: -300, modifiers: 2 });
    const near = await frames(page, { deltaX: 0, deltaY: 60 });
    console.log(`100,000 events: ready after ${readyMs} ms; a frame takes ${whole} ms with all in sight, ${near} ms near by`);
    expect(Number(readyMs)).toBeLessThan(2000);
    // 16 ms is what a screen asks for. With all in sight it may be slower, as there is nothing to scroll to.
    expect(near).toBeLessThan(16);
    expect(whole).toBeLessThan(150);
    expect(page.problems).toEqual([]);
  });
});

/** The median of what drawing took while the wheel was turned. */
async function frames(page: Page, wheel: { readonly deltaX: number; readonly deltaY: number }): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 15; i++) {
    await page.mouse('mouseWheel', 700, 500, { ...wheel, ...(i % 2 === 0 ? {} : { deltaY: -wheel.deltaY }) });
    await page.drawn();
    times.push(Number((await page.data()).frameMs));
  }
  return times.sort((a, b) => a - b)[7]!;
}
