/**
 * Host: a thing on a real HTTP server, with ranges and strong ETags; and what a process gets to hear of promises that nobody
 * listens to.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Thing } from './thing.js';

/** A running server. */
export interface Host {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the thing under any path; a request that the thing fails is a 500. */
export async function serve(thing: Thing): Promise<Host> {
  const server = createServer((request, response) => {
    answer(thing, request, response).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/thing`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(thing: Thing, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = Number(match?.[1] ?? 0);
  const end = match?.[2] ? Number(match[2]) + 1 : thing.bytes.length;
  const bytes = request.method === 'HEAD' ? new Uint8Array(0) : await thing.slice(start, end);
  const size = thing.bytes.length;
  const etag = `"${thing.version}"`;
  const expected = request.headers['if-match'];
  if (expected !== undefined && expected !== etag) return void response.writeHead(412, { etag }).end();
  const isRange = match !== null && request.method !== 'HEAD';
  const length = request.method === 'HEAD' ? size : bytes.length;
  const range = { 'content-range': `bytes ${start}-${start + bytes.length - 1}/${size}` };
  const headers = { etag, 'content-length': String(length), 'accept-ranges': 'bytes', ...(isRange ? range : {}) };
  response.writeHead(isRange ? 206 : 200, headers).end(bytes);
}

/** The reasons of all promises that were rejected during `work` with nobody listening; the process survives them. */
export async function unheard(work: () => Promise<unknown>): Promise<unknown[]> {
  const reasons: unknown[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => reasons.push(reason));
  try {
    await work();
    await new Promise((resolve) => setImmediate(resolve)); // they are reported when the microtasks of a turn are done
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
  }
  return reasons;
}
