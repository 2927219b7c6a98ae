/**
 * Page: the little of a browser that the viewer uses, in types only. The library is compiled without a browser's types, whose
 * global `Range` would hide a forgotten import.
 */

/** An event of the mouse, the wheel or the keyboard. */
export interface PageEvent {
  readonly offsetX: number;
  readonly offsetY: number;
  readonly clientX: number;
  readonly clientY: number;
  readonly deltaX: number;
  readonly deltaY: number;
  readonly deltaMode: number;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly key: string;
  readonly target: unknown;
  readonly pointerId: number;
  readonly buttons: number;
  preventDefault(): void;
}

/** An element. */
export interface PageElement {
  readonly style: Record<string, string>;
  readonly dataset: Record<string, string | undefined>;
  textContent: string | null;
  hidden: boolean;
  disabled: boolean;
  /** Of a field. */
  value: string;
  readonly clientWidth: number;
  readonly clientHeight: number;
  readonly offsetWidth: number;
  readonly offsetHeight: number;
  addEventListener(type: string, listener: (event: PageEvent) => void, options?: { readonly passive: boolean }): void;
  setPointerCapture(pointerId: number): void;
}

/** What is drawn with. */
export interface PageContext {
  fillStyle: unknown;
  strokeStyle: unknown;
  globalAlpha: number;
  lineWidth: number;
  font: string;
  textAlign: string;
  setTransform(a: number, b: number, c: number, d: number, e: number, f: number): void;
  setLineDash(dash: readonly number[]): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  strokeRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  stroke(): void;
  imageSmoothingEnabled: boolean;
  createImageData(width: number, height: number): { readonly data: Uint8ClampedArray };
  putImageData(image: unknown, x: number, y: number): void;
  drawImage(image: unknown, x: number, y: number, width: number, height: number): void;
  createPattern(tile: unknown, repetition: string): unknown;
}

/** A canvas. */
export interface PageCanvas extends PageElement {
  width: number;
  height: number;
  getContext(kind: '2d'): PageContext | null;
}

/** The colours and other properties of an element. */
export interface PageStyle {
  getPropertyValue(name: string): string;
}

/** A document. */
export interface PageDocument {
  readonly documentElement: PageElement;
  getElementById(id: string): PageElement | null;
  createElement(name: 'canvas'): PageCanvas;
}

/** `globalThis` of a page. */
export interface PageWindow {
  readonly devicePixelRatio: number;
  readonly performance: { now(): number };
  readonly document: PageDocument;
  getComputedStyle(element: PageElement): PageStyle;
  matchMedia(query: string): { addEventListener(type: 'change', listener: () => void): void };
  requestAnimationFrame(callback: () => void): unknown;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
}
