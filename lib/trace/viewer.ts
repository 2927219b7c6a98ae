/**
 * Viewer: the script of the page: shows a scene on a canvas, and lets it be zoomed, moved and pointed at.
 *
 * It is sent to the page as its own source text, so it uses nothing but its parameters. What it draws is decided by
 * {@link paint}, for the screen and for the pointer alike: to know what is under the mouse, the scene is painted with a pen
 * that only compares. One frame at most is drawn for each frame of the screen, however many events of the wheel come.
 */
import type { PageCanvas, PageEvent, PageWindow } from './page.js';
import type { Box, Line, Pen, View, Word } from './paint.js';
import type { Scene, Style } from './scene.js';

/* v8 ignore start -- @preserve: runs in a browser only, and is tested there: test/browser */

/** What the viewer is given. */
export interface ViewerParts {
  readonly window: PageWindow;
  readonly scene: Scene;
  readonly paint: (scene: Scene, view: View, pen: Pen) => void;
  readonly colourNames: readonly string[];
}

/** See the top of the file. */
export function startViewer({ window, scene, paint, colourNames }: ViewerParts): void {
  const { document } = window;
  const element = (id: string) => document.getElementById(id)!;
  const root = document.documentElement;
  const canvas = element('scene') as PageCanvas;
  const tip = element('tip');
  const context = canvas.getContext('2d')!;
  const LEFT = 84;
  const TOP = 30;
  const colours: Record<string, string> = {};
  const hatches: Record<string, unknown> = {};
  let order = false;
  let spanX = { from: 0, to: 1 };
  let spanY = { from: 0, to: 1 };
  let asked = false;
  let filled: unknown;
  let pointer: PageEvent | undefined;
  let dragged: { readonly x: number; readonly y: number; readonly spanX: Span; readonly spanY: Span } | undefined;
  interface Span {
    readonly from: number;
    readonly to: number;
  }

  const whole = (): Span => ({ from: 0, to: Math.max(order ? scene.length : scene.times[scene.length]!, 1e-6) });

  const view = (): View => ({
    ...{ width: canvas.clientWidth, height: canvas.clientHeight, left: LEFT, top: TOP, order },
    ...{ x0: spanX.from, x1: spanX.to, y0: spanY.from, y1: spanY.to },
  });

  const readColours = (): void => {
    const style = window.getComputedStyle(root);
    for (const name of colourNames) colours[name] = style.getPropertyValue(`--${name}`).trim();
    for (const name of ['section', 'wait']) hatches[name] = hatch(colours[name]!);
  };

  /** A tile of slanted lines, for real pixels. */
  const hatch = (colour: string): unknown => {
    const tile = document.createElement('canvas');
    tile.width = 6;
    tile.height = 6;
    const pen = tile.getContext('2d')!;
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const shift of [-6, 0, 6]) {
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
    }
    pen.stroke();
    return context.createPattern(tile, 'repeat');
  };

  /** The colour is set where it changes only: it is a text, which the canvas would read again. */
  const fill = (colour: unknown, alpha: number, { x, y, width, height }: Box): void => {
    context.globalAlpha = alpha;
    if (filled !== colour) context.fillStyle = filled = colour;
    context.fillRect(x, y, width, height);
  };

  const outline = (colour: string, dash: readonly number[], { x, y, width, height }: Box): void => {
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    context.strokeRect(x + 0.75, y + 0.75, Math.max(width - 1.5, 0.5), Math.max(height - 1.5, 0.5));
  };

  const shape = (style: Style, box: Box): void => {
    const { x, y, width, height } = box;
    // No room for an outline and something inside it.
    const small = width < 5 || height < 4;
    switch (style) {
      case 'section':
        fill(colours.section, 0.26, box);
        if (height < 6) return;
        fill(colours.section, 1, { ...box, height: 1 });
        return fill(colours.section, 1, { ...box, y: y + height - 1, height: 1 });
      case 'queue':
        fill(hatches.section, 1, box);
        return small ? undefined : outline(colours.section!, [], box);
      case 'refused':
        return outline(colours.refused!, [3, 2], { ...box, height: Math.max(height, 5) });
      case 'wait':
        fill(small ? colours.wait : hatches.wait, small ? 0.4 : 0.9, box);
        return small ? undefined : outline(colours.wait!, [], box);
      case 'hold':
        fill(colours.hold, 1, { ...box, width: Math.min(3, width) });
        return fill(colours.hold, 1, { ...box, x: x + width - 3, width: width < 6 ? 0 : 3 });
      case 'notice':
        return fill(colours.notice, 1, { ...box, height: 2 });
      default: {
        if (small) return fill(colours[style], 0.85, box);
        if (style === 'committed') fill(colours.committed, 0.1, box);
        return outline(colours[style]!, style === 'lost' ? [5, 3] : style === 'failed' ? [2, 2] : [], box);
      }
    }
  };

  const stroke = (colour: string, dash: readonly number[], { x1, y1, x2, y2 }: Line): void => {
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
    context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
    context.stroke();
  };

  const ink: Pen = {
    shape,
    cross(box: Box) {
      const { x, y, width, height } = box;
      if (width < 6) return fill(colours.collision, 1, box);
      context.globalAlpha = 1;
      context.strokeStyle = colours.collision;
      context.lineWidth = 2.5;
      context.setLineDash([]);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + width, y + height);
      context.moveTo(x + width, y);
      context.lineTo(x, y + height);
      context.stroke();
    },
    line(kind, line) {
      if (kind === 'grid') stroke(colours.grid!, [], line);
      else stroke(kind === 'gap' ? colours.muted! : colours.collision!, kind === 'gap' ? [1, 5] : [2, 3], line);
    },
    word(kind, { x, y, text, align }: Word) {
      context.globalAlpha = 1;
      context.fillStyle = filled = kind === 'axis' ? colours.muted : colours.ink;
      context.textAlign = align === 'middle' ? 'center' : align;
      context.fillText(text, x, y);
    },
  };

  const draw = (): void => {
    asked = false;
    const began = window.performance.now();
    const scale = window.devicePixelRatio || 1;
    const now = view();
    const [width, height] = [Math.round(now.width * scale), Math.round(now.height * scale)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    filled = undefined; // a canvas of a new size has forgotten it
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.font = '11px ui-monospace, Menlo, Consolas, monospace';
    fill(colours.paper, 1, { x: 0, y: 0, width: now.width, height: now.height, text: 0 });
    paint(scene, now, ink);
    point(now);
    root.dataset.view = [now.x0, now.x1, now.y0, now.y1].map((value) => value.toPrecision(6)).join(' ');
    root.dataset.frameMs = (window.performance.now() - began).toFixed(1);
    root.dataset.frames = String(Number(root.dataset.frames ?? 0) + 1);
  };

  /** What is under the mouse, found by painting: the last shape painted is the one on top. */
  const point = (now: View): void => {
    tip.hidden = pointer === undefined || dragged !== undefined;
    if (pointer === undefined || tip.hidden) return;
    const { offsetX, offsetY } = pointer;
    let found = -1;
    const look = ({ x, y, width, height, text }: Box): void => {
      if (offsetX >= x - 1 && offsetX <= x + width + 1 && offsetY >= y - 1 && offsetY <= y + height + 1) found = text;
    };
    const ignore = (): void => {};
    paint(scene, now, { shape: (_style, box) => look(box), cross: look, line: ignore, word: ignore });
    tip.hidden = found < 0;
    if (found < 0) return;
    tip.textContent = scene.texts[found]!;
    const right = pointer.clientX + 16 + tip.offsetWidth > root.clientWidth;
    const low = pointer.clientY + 16 + tip.offsetHeight > root.clientHeight;
    tip.style.left = `${Math.max(0, right ? pointer.clientX - 12 - tip.offsetWidth : pointer.clientX + 16)}px`;
    tip.style.top = `${Math.max(0, low ? pointer.clientY - 12 - tip.offsetHeight : pointer.clientY + 16)}px`;
  };

  const ask = (): void => {
    if (asked) return;
    asked = true;
    window.requestAnimationFrame(draw);
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
    ask();
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
      ask();
    };
    canvas.addEventListener('pointerup', drop);
    canvas.addEventListener('pointercancel', drop);
    canvas.addEventListener('pointerleave', () => {
      pointer = undefined;
      ask();
    });
    canvas.addEventListener('dblclick', showAll);
    for (const [id, key] of [
      ['time-in', '+'],
      ['time-out', '-'],
      ['space-in', '>'],
      ['space-out', '<'],
      ['fit', '0'],
      ['measure', 't'],
    ] as const) {
      element(id).addEventListener('click', () => actions[key]!());
    }
    window.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || actions[event.key] === undefined) return;
      event.preventDefault();
      actions[event.key]!();
    });
    window.addEventListener('resize', ask);
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      readColours();
      ask();
    });
  };

  readColours();
  listen();
  for (const [name, count] of Object.entries(scene.counts)) root.dataset[name] = String(count);
  showAll();
  draw();
  root.dataset.readyMs = window.performance.now().toFixed(0);
}
/* v8 ignore stop -- @preserve */
