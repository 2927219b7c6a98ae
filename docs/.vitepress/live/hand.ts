/**
 * Hand: who changes. The pointer, on any lane, for all of them; the keyboard, by a button; and a script that shows what there is to see
 * as long as nobody else does anything.
 */
import type { Range } from '../../../lib/index.js';
import { PLACES } from './content.js';
import type { Grip, Lanes } from './lanes.js';
import type { Pace } from './pace.js';
import { placeAt } from './picture.js';

/** A tap is a change, too, and one should see it. */
const LEAST_MS = 700;

/** A change for each finger. */
export function pointing(canvas: HTMLCanvasElement, lanes: Lanes, pace: Pace, touched: () => void): void {
  const grips = new Map<number, { readonly grip: Grip; readonly since: number }>();
  const placeOf = (event: PointerEvent) => placeAt(event.clientX - canvas.getBoundingClientRect().left, canvas.clientWidth);
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    touched();
    canvas.setPointerCapture(event.pointerId);
    grips.set(event.pointerId, { grip: lanes.grip(placeOf(event)), since: pace.now() });
  });
  canvas.addEventListener('pointermove', (event) => grips.get(event.pointerId)?.grip.reach(placeOf(event)));
  const drop = (event: PointerEvent): void => {
    const held = grips.get(event.pointerId);
    if (held === undefined) return;
    grips.delete(event.pointerId);
    pace.setTimeout(held.grip.release, Math.max(0, LEAST_MS - (pace.now() - held.since)));
  };
  canvas.addEventListener('pointerup', drop);
  canvas.addEventListener('pointercancel', drop);
}

/** What the keyboard has chosen, and may hold. */
export interface Keys {
  /** Undefined while the button has no focus, and holds nothing. */
  readonly chosen: Range | undefined;
}

/** Arrow keys move what is chosen, with Shift they make it wider or narrower; the button itself begins and ends the change. */
export function keyboard(button: HTMLButtonElement, lanes: Lanes, touched: () => void): Keys {
  let [start, width] = [14, 8];
  let grip: Grip | undefined;
  const say = (): void => {
    const places = `places ${start} to ${start + width - 1}`;
    button.textContent = grip === undefined ? `Change ${places}` : `End the change of ${places}`;
    button.setAttribute('aria-pressed', String(grip !== undefined));
  };
  button.addEventListener('keydown', (event) => {
    const by = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (by === 0) return;
    event.preventDefault();
    if (grip !== undefined) return;
    if (event.shiftKey) width = Math.max(1, Math.min(PLACES - start, width + by));
    else start = Math.max(0, Math.min(PLACES - width, start + by));
    say();
  });
  button.addEventListener('click', () => {
    touched();
    if (grip === undefined) {
      grip = lanes.grip(start);
      grip.reach(start + width - 1);
    } else {
      grip.release();
      grip = undefined;
    }
    say();
  });
  say();
  return {
    get chosen() {
      return document.activeElement === button ? { start, end: start + width } : undefined;
    },
  };
}

/** Where the script changes: first place, last place. */
const SCRIPT = [
  [6, 15],
  [22, 33],
  [14, 21],
  [30, 37],
  [2, 9],
] as const;
const REACH_MS = 45;
const HOLD_MS = 1500;
const REST_MS = 1300;
/** Nobody has touched anything for so long. */
const IDLE_MS = 6000;

/** Plays the script; gives way to whoever touches something, and comes back later. */
export class Script {
  readonly #lanes: Lanes;
  readonly #pace: Pace;
  #quietFrom = 0;

  constructor(lanes: Lanes, pace: Pace) {
    this.#lanes = lanes;
    this.#pace = pace;
    void this.#play();
  }

  touched(): void {
    this.#quietFrom = this.#pace.now() + IDLE_MS;
  }

  async #play(): Promise<void> {
    await this.#pace.sleep(REST_MS);
    for (let i = 0; ; i = (i + 1) % SCRIPT.length) {
      while (this.#pace.now() < this.#quietFrom) await this.#pace.sleep(this.#quietFrom - this.#pace.now());
      const [first, last] = SCRIPT[i]!;
      const grip = this.#lanes.grip(first);
      for (let place = first + 1; place <= last; place++) {
        await this.#pace.sleep(REACH_MS);
        grip.reach(place);
      }
      await this.#pace.sleep(HOLD_MS);
      grip.release();
      await this.#pace.sleep(REST_MS);
    }
  }
}
