/**
 * Handle: a place in a shared space, as it is posted to the thread that takes it; and the port between that thread and the hub.
 */
import type { SpaceHandle } from '../base/links.js';
import type { Shape } from './words.js';

/** As much of a `MessagePort` as is used: that of Node and that of browsers. */
export interface Port {
  /** Sends to the other end. */
  postMessage(message: unknown): void;
  /** Hears messages, and that the other end is closed. */
  addEventListener(type: 'message' | 'close', listener: (event: { readonly data?: unknown }) => void): void;
  /** Starts to hear messages. */
  start(): void;
  /** Closes both ends. */
  close(): void;
  /** Keeps the thread from ending; Node only. */
  ref?(): void;
  /** Undoes {@link Port.ref}. */
  unref?(): void;
}

/**
 * A place in a {@link SharedSpace}, for one tracker: `new RangeTracker({ space: handle })`. Plain data: post it to a worker, with its port
 * in the list of what is transferred. The place is free again when that tracker was closed, or its thread has ended.
 */
export interface ThreadHandle extends SpaceHandle {
  /** The number of the place. */
  readonly thread: number;
  /** The memory of the space. */
  readonly buffer: SharedArrayBuffer;
  /** How that is laid out. */
  readonly shape: Shape;
  /** To the thread that made the space. Must be transferred with the handle. */
  readonly port: Port;
}

/** Messages to the hub. */
export type ToHub =
  | { readonly type: 'leave' }
  | { readonly type: 'ring'; readonly thread: number }
  | { readonly type: 'failed'; readonly to: number; readonly failure: Failure };

/** Messages from the hub. */
export type FromHub = { readonly type: 'rung' } | { readonly type: 'failed'; readonly failure: Failure };

/** A subscriber of a thread that could not let go. */
export interface Failure {
  readonly thread: number;
  /** Of the thread that begins. */
  readonly entry: number;
  readonly generation: number;
  readonly message: string;
}
