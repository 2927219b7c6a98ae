/**
 * Viewer: the script of the page: shows a scene on a canvas, and lets it be zoomed, moved and pointed at.
 *
 * It is sent to the page as its own source text, so it uses nothing but its parameters. What is under the mouse is found by
 * painting the scene again with a pen that only compares; that is done in a frame in which nothing has moved. One frame at most
 * is drawn for each frame of the screen, however many events of the wheel come.
 *
 * It opens at the first collision, as that is what one looks for; with few events in all, or none that was hit, at the whole run.
 */
import type { Density } from './density.js';
import type { Ink, InkParts } from './ink.js';
import type { OverviewParts } from './overview.js';
import type { PageCanvas, PageEvent, PageWindow } from './page.js';
import type { Box, Plot, RulerPen, ShapePen, View } from './paint.js';
import type { Scene, Style } from './scene.js';

/* v8 ignore start -- @preserve: runs in a browser only, and is tested there: test/browser */

/** What the viewer is given. */
export interface ViewerParts {
  readonly window: PageWindow;
  readonly scene: Scene;
  readonly colourNames: readonly string[];
  /** What is said of a crowd. */
  readonly legend: readonly (readonly [style: Style | 'collision', text: string])[];
  readonly plotOf: (scene: Scene, view: View) => Plot;
  readonly paintRulers: (scene: Scene, plot: Plot, pen: RulerPen) => void;
  readonly paintShapes: (scene: Scene, plot: Plot, pen: ShapePen) => void;
  readonly makeDensity: (mostCells: number) => Density;
  readonly makeInk: (parts: InkParts) => Ink;
  readonly paintOverview: (parts: OverviewParts) => void;
  /** It opens with the last so many milliseconds in sight; undefined for its own choice. */
  readonly lastMs: number | undefined;
}

/** See the top of the file. */
export function startViewer({ window, scene, colourNames, legend, lastMs, ...functions }: ViewerParts): void {
  const { plotOf, paintRulers, paintShapes, makeDensity, makeInk, paintOverview } = functions;
  const { document } = window;
  const element = (id: string) => document.getElementById(id)!;
  const root = document.documentElement;
  const canvas = element('scene') as PageCanvas;
  const tip = element('tip');
  const overview = element('overview') as PageCanvas;
  const seen = element('seen');
  const ring = element('ring');
  const LEFT = 108;
  const TOP = 40;
  /** A run of so many events is shown as a whole; of a longer one so many before and after a collision. */
  const FEW = 120;
  const BESIDE = { time: 80, order: 20 };
  /** Of the space, so many times what the lookup reaches over that was hit. */
  const AROUND = 12;
  // A cell is three pixels wide in a window of ordinary size, as it is worth half of the time of a frame to fill them.
  const density = makeDensity(130_000);
  const ink = makeInk({ document, canvas, density, styles: scene.styles, colourNames });
  let order = false;
  let spanX = { from: 0, to: 1 };
  let spanY = { from: 0, to: 1 };
  /** What the next frame is for. */
  let asked: 'nothing' | 'pointing' | 'drawing' = 'nothing';
  let pointer: PageEvent | undefined;
  /** The collision that is looked at. */
  let current: number | undefined;
  let dragged: { readonly x: number; readonly y: number; readonly spanX: Span; readonly spanY: Span } | undefined;
  interface Span {
    readonly from: number;
    readonly to: number;
  }

  const whole = (): Span => ({ from: 0, to: Math.max(order ? scene.length : scene.times[scene.length]!, 1e-6) });

  const plot = (): Plot =>
    plotOf(scene, {
      ...{ width: canvas.clientWidth, height: canvas.clientHeight, left: LEFT, top: TOP, order },
      ...{ x0: spanX.from, x1: spanX.to, y0: spanY.from, y1: spanY.to },
    });

  const readColours = (): void => ink.readColours(window.getComputedStyle(root));

  const draw = (): void => {
    const began = window.performance.now();
    const scale = window.devicePixelRatio || 1;
    const now = plot();
    const [width, height] = [Math.round(now.width * scale), Math.round(now.height * scale)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    ink.begin(now, scale);
    paintRulers(scene, now, ink);
    paintShapes(scene, now, ink);
    place(now);
    root.dataset.view = [now.x0, now.x1, now.y0, now.y1].map((value) => value.toPrecision(6)).join(' ');
    root.dataset.frameMs = (window.performance.now() - began).toFixed(1);
    root.dataset.frames = String(Number(root.dataset.frames ?? 0) + 1);
    root.dataset.crowd = String(density.count);
  };

  /** What lies over the picture: the frame in the overview, and the ring around the collision that is looked at. */
  const place = (now: Plot): void => {
    const all = whole().to;
    const high = overview.clientHeight;
    seen.style.top = `${(now.y0 / all) * high}px`;
    seen.style.height = `${Math.max(4, ((now.y1 - now.y0) / all) * high)}px`;
    const mark = current === undefined ? undefined : scene.marks[current];
    ring.hidden = mark === undefined;
    if (mark === undefined) return;
    const [x, y] = [now.toX(mark.x), now.toY(mark.at)];
    ring.hidden = x < LEFT || x > now.width || y < TOP || y > now.height;
    ring.style.left = `${x}px`;
    ring.style.top = `${y}px`;
  };

  const survey = (): void => {
    const style = window.getComputedStyle(root);
    const colours = (name: string) => style.getPropertyValue(`--${name}`).trim();
    paintOverview({ canvas: overview, scene, scale: window.devicePixelRatio || 1, order, colours });
  };

  const frame = (): void => {
    const drawing = asked === 'drawing';
    asked = 'nothing';
    if (!drawing) return point();
    tip.hidden = true;
    draw();
    if (pointer !== undefined && dragged === undefined) ask('pointing');
  };

  const ask = (what: 'pointing' | 'drawing' = 'drawing'): void => {
    const first = asked === 'nothing';
    if (first || what === 'drawing') asked = what;
    if (first) window.requestAnimationFrame(frame);
  };

  /** What there is within a pixel of a place: the text of what is on top, and of a crowd how many of what. */
  const textAt = (x: number, y: number): string => {
    let [shape, top] = [-1, -1];
    const crowd = new Map<string, number>();
    const isHere = (box: Box) => x >= box.x - 1 && x <= box.x + box.width + 1 && y >= box.y - 1 && y <= box.y + box.height + 1;
    const count = (what: string, box: Box): void => {
      if (!isHere(box)) return;
      crowd.set(what, (crowd.get(what) ?? 0) + 1);
      top = box.text;
    };
    const ignore = (): void => {};
    paintShapes(scene, plot(), {
      ...{ mostShapes: ink.mostShapes, mostCrosses: ink.mostCrosses, link: ignore, name: ignore, crowded: ignore },
      shape(_style, box) {
        if (isHere(box)) shape = box.text;
      },
      speck: (style, box) => count(scene.styles[style]!, box),
      cross: (box) => count('collision', box),
      dot: (box) => count('collision', box),
    });
    const text = scene.texts[top < 0 ? shape : top] ?? '';
    const many = [...crowd.values()].reduce((sum, one) => sum + one, 0);
    if (many < 2) return text;
    const counts = legend
      .filter(([style]) => crowd.has(style))
      .map(([style, name]) => `${crowd.get(style)} × ${style === 'collision' ? style : name}`);
    return `${counts.join('\n')}\n\nthe last of them:\n${text}`;
  };

  const point = (): void => {
    const text = pointer === undefined || dragged !== undefined ? '' : textAt(pointer.offsetX, pointer.offsetY);
    tip.hidden = text === '';
    if (pointer === undefined || tip.hidden) return;
    tip.textContent = text;
    const right = pointer.clientX + 16 + tip.offsetWidth > root.clientWidth;
    const low = pointer.clientY + 16 + tip.offsetHeight > root.clientHeight;
    tip.style.left = `${Math.max(0, right ? pointer.clientX - 12 - tip.offsetWidth : pointer.clientX + 16)}px`;
    tip.style.top = `${Math.max(0, low ? pointer.clientY - 12 - tip.offsetHeight : pointer.clientY + 16)}px`;
  };

  /** Moved back inside `all`, and not larger or so small that numbers run out of digits. */
  const inside = ({ from, to }: Span, all: Span): Span => {
    const length = Math.min(Math.max(to - from, (all.to - all.from) * 1e-7), all.to - all.from);
    const start = Math.min(Math.max(from, all.from), all.to - length);
    return { from: start, to: start + length };
  };
  const scaled = ({ from, to }: Span, by: number, at: number): Span => {
    const centre = from + (to - from) * at;
    return { from: centre - (centre - from) * by, to: centre + (to - centre) * by };
  };
  const moved = ({ from, to }: Span, by: number): Span => ({ from: from + (to - from) * by, to: to + (to - from) * by });
  const setX = (span: Span): void => {
    spanX = inside(span, { from: 0, to: 1 });
    ask();
  };
  const setY = (span: Span): void => {
    spanY = inside(span, whole());
    ask();
  };
  const showAll = (): void => {
    setX({ from: 0, to: 1 });
    setY(whole());
  };

  const showLast = (ms: number): void => {
    const { times, length } = scene;
    const since = times[length]! - ms;
    const first = times.findIndex((time) => time >= since);
    setY({ from: order ? first : since, to: whole().to });
  };

  const measureOf = (at: number) => (order ? at + 0.5 : scene.times[at]!);

  /** A collision, in the middle of what is in sight. If all is in sight, what is around it. */
  const lookAt = (index: number): void => {
    const { marks, length, times } = scene;
    const mark = marks[index]!;
    const beside = order ? BESIDE.order : BESIDE.time;
    const around = {
      from: measureOf(Math.max(0, mark.at - beside)),
      to: order ? mark.at + beside : times[Math.min(length, mark.at + beside)]!,
    };
    const all = spanY.from <= 0 && spanY.to >= whole().to && length > FEW;
    const long = all ? around.to - around.from : spanY.to - spanY.from;
    setY({ from: measureOf(mark.at) - long / 2, to: measureOf(mark.at) + long / 2 });
    const wide = spanX.to - spanX.from;
    if (mark.x < spanX.from || mark.x > spanX.to) setX({ from: mark.x - wide / 2, to: mark.x + wide / 2 });
    current = index;
    element('which').textContent = `${index + 1} of ${marks.length}`;
    root.dataset.collision = String(index + 1);
  };

  /** The next one, or the one before: of the one that is looked at, or of the middle of what is in sight. */
  const step = (by: 1 | -1): void => {
    const { marks } = scene;
    if (marks.length === 0) return;
    const middle = (spanY.from + spanY.to) / 2;
    const later = marks.findIndex(({ at }) => measureOf(at) >= middle);
    const next = later < 0 ? marks.length : later;
    const to = current === undefined ? (by === 1 ? next : next - 1) : current + by;
    lookAt(Math.max(0, Math.min(marks.length - 1, to)));
  };

  const open = (): void => {
    showAll();
    if (lastMs !== undefined) showLast(lastMs);
    else if (scene.marks.length > 0 && scene.length > FEW) {
      const { x, reach } = scene.marks[0]!;
      const wide = reach === 0 ? 1 : Math.min(1, reach * AROUND);
      setX({ from: x - wide / 2, to: x + wide / 2 });
      lookAt(0);
    }
  };

  /** The same part of the run in the other measure. */
  const toggle = (): void => {
    const { times, length } = scene;
    const position = (time: number) => {
      const at = times.findIndex((value) => value >= time);
      return at < 0 ? length : at;
    };
    const time = (at: number) => times[Math.max(0, Math.min(length, Math.round(at)))]!;
    const { from, to } = spanY;
    const all = from <= 0 && to >= whole().to;
    order = !order;
    setY(all ? whole() : order ? { from: position(from), to: position(to) + 1 } : { from: time(from), to: time(to) });
    element('measure').textContent = order ? 'one line per event' : 'in proportion to time';
    root.dataset.order = String(order);
    survey();
  };

  const shareX = (event: PageEvent) => Math.min(1, Math.max(0, (event.offsetX - LEFT) / (canvas.clientWidth - LEFT)));
  const shareY = (event: PageEvent) => Math.min(1, Math.max(0, (event.offsetY - TOP) / (canvas.clientHeight - TOP)));

  const wheel = (event: PageEvent): void => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const dx = event.deltaX * unit;
    const dy = event.deltaY * unit;
    if (event.ctrlKey || event.metaKey) setY(scaled(spanY, Math.exp(dy / 300), shareY(event)));
    else if (event.shiftKey) setX(scaled(spanX, Math.exp((dy || dx) / 300), shareX(event)));
    else {
      if (dy !== 0) setY(moved(spanY, dy / canvas.clientHeight));
      if (dx !== 0) setX(moved(spanX, dx / canvas.clientWidth));
    }
  };

  const drag = (event: PageEvent): void => {
    pointer = event;
    if (dragged !== undefined) {
      setX(moved(dragged.spanX, (dragged.x - event.clientX) / (canvas.clientWidth - LEFT)));
      setY(moved(dragged.spanY, (dragged.y - event.clientY) / (canvas.clientHeight - TOP)));
    }
    ask('pointing');
  };

  const actions: Record<string, () => void> = {
    ArrowUp: () => setY(moved(spanY, -0.1)),
    ArrowDown: () => setY(moved(spanY, 0.1)),
    ArrowLeft: () => setX(moved(spanX, -0.1)),
    ArrowRight: () => setX(moved(spanX, 0.1)),
    PageUp: () => setY(moved(spanY, -0.9)),
    PageDown: () => setY(moved(spanY, 0.9)),
    '+': () => setY(scaled(spanY, 0.5, 0.5)),
    '-': () => setY(scaled(spanY, 2, 0.5)),
    '>': () => setX(scaled(spanX, 0.5, 0.5)),
    '<': () => setX(scaled(spanX, 2, 0.5)),
    '0': showAll,
    t: toggle,
    n: () => step(1),
    p: () => step(-1),
  };

  const listen = (): void => {
    canvas.addEventListener('wheel', wheel, { passive: false });
    canvas.addEventListener('pointermove', drag);
    canvas.addEventListener('pointerdown', (event) => {
      dragged = { x: event.clientX, y: event.clientY, spanX, spanY };
      canvas.setPointerCapture(event.pointerId);
    });
    const drop = () => {
      dragged = undefined;
      ask('pointing');
    };
    canvas.addEventListener('pointerup', drop);
    canvas.addEventListener('pointercancel', drop);
    canvas.addEventListener('pointerleave', () => {
      pointer = undefined;
      ask('pointing');
    });
    canvas.addEventListener('dblclick', showAll);
    for (const [id, key] of [
      ['time-in', '+'],
      ['time-out', '-'],
      ['space-in', '>'],
      ['space-out', '<'],
      ['fit', '0'],
      ['measure', 't'],
      ['next', 'n'],
      ['previous', 'p'],
    ] as const) {
      element(id).addEventListener('click', () => actions[key]!());
    }
    const last = element('last');
    last.addEventListener('change', () => {
      const ms = Number(last.value);
      if (ms > 0) showLast(ms);
    });
    const jump = (event: PageEvent): void => {
      const middle = (event.offsetY / overview.clientHeight) * whole().to;
      const half = (spanY.to - spanY.from) / 2;
      current = undefined;
      setY({ from: middle - half, to: middle + half });
    };
    overview.addEventListener('pointerdown', (event) => {
      overview.setPointerCapture(event.pointerId);
      jump(event);
    });
    overview.addEventListener('pointermove', (event) => {
      if (event.buttons > 0) jump(event);
    });
    window.addEventListener('keydown', (event) => {
      if (event.target === last) return;
      if (event.ctrlKey || event.metaKey || actions[event.key] === undefined) return;
      event.preventDefault();
      actions[event.key]!();
    });
    window.addEventListener('resize', () => {
      survey();
      ask();
    });
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      readColours();
      survey();
      ask();
    });
  };

  readColours();
  listen();
  for (const [name, count] of Object.entries(scene.counts)) root.dataset[name] = String(count);
  for (const id of ['next', 'previous']) element(id).disabled = scene.marks.length === 0;
  survey();
  open();
  draw();
  root.dataset.readyMs = window.performance.now().toFixed(0);
}
/* v8 ignore stop -- @preserve */
