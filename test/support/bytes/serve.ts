/**
 * Serve: a small HTTP server that answers from a byte source: whole or one range, with ETags and the conditions that go with
 * them (RFC 9110, sections 13 and 14), and never bytes of two versions in one response.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ByteSource, SourceError } from '../../../lib/bytes/index.js';

/** A running server, of one source. */
export interface Serving {
  readonly url: string;
  /** Requests whose response was broken off, as the bytes changed meanwhile. */
  readonly broken: () => number;
  stop(): Promise<void>;
}

/** Serves the source under any path. */
export async function serve(source: ByteSource): Promise<Serving> {
  let broken = 0;
  const server: Server = createServer((request, response) => {
    answer(source, request, response).catch((error) => {
      if (response.headersSent) {
        broken++;
        response.destroy(); // the length was announced: whoever reads sees that it broke off
      } else response.writeHead(error instanceof SourceError && error.missing ? 404 : 500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    broken: () => broken,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(source: ByteSource, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { signal } = gone;
  const found = await source.consistent(
    async (view) => {
      const size = await view.size();
      const etag = `"${view.version}"`;
      const range = rangeOf(request, etag, size);
      const body = range === 'none' ? undefined : view.stream(range.start, range.end - range.start, { signal });
      return { size, etag, range, body };
    },
    { signal, revalidate: true },
  );
  const { size, etag, range, body } = found;
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers;
  const headers = { etag, 'accept-ranges': 'bytes' };
  if (ifMatch !== undefined && !names(ifMatch, etag)) return void response.writeHead(412, headers).end();
  if (ifNoneMatch !== undefined && names(ifNoneMatch, etag)) return void response.writeHead(304, headers).end();
  if (range === 'none') return void response.writeHead(416, { ...headers, 'content-range': `bytes */${size}` }).end();
  const { start, end, isPart } = range;
  const length = { 'content-length': String(end - start) };
  if (isPart) response.writeHead(206, { ...headers, ...length, 'content-range': `bytes ${start}-${end - 1}/${size}` });
  else response.writeHead(200, { ...headers, ...length });
  if (request.method === 'HEAD' || body === undefined) return void response.end();
  await pipeline(Readable.fromWeb(body as never), response);
}

function names(condition: string, etag: string): boolean {
  return condition === '*' || condition.split(',').some((each) => each.trim() === etag);
}

interface Wanted {
  readonly start: number;
  readonly end: number;
  readonly isPart: boolean;
}

/** What is to be sent of so many bytes; `'none'` if the range lies behind the end. What is no range of bytes is the whole. */
function rangeOf({ headers }: IncomingMessage, etag: string, size: number): Wanted | 'none' {
  const whole = { start: 0, end: size, isPart: false };
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '');
  const isOfAnother = headers['if-range'] !== undefined && headers['if-range'] !== etag;
  if (match === null || (match[1] === '' && match[2] === '') || isOfAnother) return whole;
  const [first, last] = match.slice(1) as [string, string];
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (first !== '' && last !== '' && Number(last) < start) return whole;
  return start < end ? { start, end, isPart: true } : 'none';
}
