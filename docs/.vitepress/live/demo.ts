/**
 * The live demo: lanes, hands, pictures and counts, put into the page. Everything in it is real: the lookups, the lock, the tracker,
 * and the recorder whose picture of the last ten seconds stands below.
 */
import { TraceRecorder, toSvg } from '../../../lib/trace/index.js';
import { keyboard, pointing, Script } from './hand.js';
import { LANES, Lanes } from './lanes.js';
import { Pace } from './pace.js';
import { Picture } from './picture.js';

/** Frames that came late are made up for, up to so much. */
const LONGEST_FRAME_MS = 50;
/** How often figures change, and the trace is drawn; and all of it, for those who want little motion. */
const FIGURES_MS = 200;
const TRACE_MS = 1000;
const STILL_MS = 500;
/** What the trace shows. A lookup takes three or four events, and there are some fifty of them a second. */
const LAST_MS = 10_000;
const CAPACITY = 6_000;
/** For those who want little motion, the demo stands still at first, so many milliseconds after its start. */
const FIRST_MS = 2_600;

/** Starts the demo in an element that has its parts; returns what ends it. */
export function startDemo(root: HTMLElement): () => void {
  const pace = new Pace();
  const recorder = new TraceRecorder({ clock: pace, capacity: CAPACITY });
  const lanes = new Lanes(pace, recorder);
  const script = new Script(lanes, pace);
  const find = <Found extends HTMLElement>(what: string) => root.querySelector<Found>(`[data-live="${what}"]`)!;
  const touched = (): void => {
    script.touched();
    run(true);
  };
  const pictures = LANES.map((name) => {
    const canvas = find<HTMLCanvasElement>(name);
    pointing(canvas, lanes, pace, touched);
    return new Picture(canvas, lanes.lanes[name]);
  });
  const keys = keyboard(find<HTMLButtonElement>('hold'), lanes, touched);
  const pause = find<HTMLButtonElement>('pause');
  const trace = find<HTMLImageElement>('trace');
  const little = window.matchMedia('(prefers-reduced-motion: reduce)');

  let running = true;
  let visible = true;
  const run = (value: boolean): void => {
    running = value;
    pause.textContent = running ? 'Pause' : 'Run';
  };

  const figures = (): void => {
    for (const name of LANES) {
      const { counts, waiting } = lanes.lanes[name];
      find(`${name}-kept`).textContent = String(counts.fresh + counts.stale);
      find(`${name}-stale`).textContent = String(counts.stale);
      find(`${name}-waits`).textContent = `${Math.round(100 * waiting)} %`;
      find(`${name}-stale`).dataset.some = String(counts.stale > 0);
    }
  };

  let address = '';
  const drawTrace = (): void => {
    if (recorder.size === 0) return;
    const width = Math.max(320, Math.round(trace.parentElement!.clientWidth));
    const svg = toSvg(recorder.trace(), { width, height: 420, time: 'clock', lastMs: LAST_MS, space: 'place', title: trace.alt });
    const next = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
    trace.src = next;
    void trace.decode().then(
      () => {},
      () => {}, // another one has come before this one was shown
    );
    if (address !== '') URL.revokeObjectURL(address);
    address = next;
  };

  const draw = (): void => {
    const sight = { now: pace.now(), chosen: keys.chosen, still: little.matches };
    for (const picture of pictures) picture.draw(sight);
    root.dataset.frames = String(Number(root.dataset.frames ?? 0) + 1);
  };

  const late = { draw: 0, figures: 0, trace: 0 };
  let last: number | undefined;
  let request = 0;
  const frame = (at: number): void => {
    request = requestAnimationFrame(frame);
    const passed = Math.min(LONGEST_FRAME_MS, at - (last ?? at));
    last = at;
    if (!visible) return;
    if (running) pace.advance(passed);
    if (at - late.draw >= (little.matches ? STILL_MS : 0)) {
      late.draw = at;
      draw();
    }
    if (at - late.figures >= FIGURES_MS) {
      late.figures = at;
      figures();
    }
    if (at - late.trace >= TRACE_MS && running) {
      late.trace = at;
      drawTrace();
    }
  };

  const seen = new IntersectionObserver((entries) => {
    visible = entries.some(({ isIntersecting }) => isIntersecting);
  });
  seen.observe(root);
  pause.addEventListener('click', () => run(!running));
  find('again').addEventListener('click', () => {
    for (const name of LANES) lanes.lanes[name].reset();
    figures();
  });

  const begin = async (): Promise<void> => {
    if (little.matches) {
      for (let ms = 0; ms < FIRST_MS; ms += 10) {
        pace.advance(10);
        await new Promise<void>((resolve) => queueMicrotask(resolve));
        for (let turn = 0; turn < 20; turn++) await undefined;
      }
      run(false);
      drawTrace();
    } else run(true);
    request = requestAnimationFrame(frame);
    root.dataset.ready = 'true';
  };
  void begin();
  return () => {
    cancelAnimationFrame(request);
    seen.disconnect();
    if (address !== '') URL.revokeObjectURL(address);
  };
}
