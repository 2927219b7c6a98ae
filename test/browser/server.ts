/**
 * The server that tests in a page read from: another origin, with things that have versions. Each byte of a thing is its
 * version, so whatever is read of two versions shows it. The page says how a thing behaves, and asks what has arrived.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the things are: the URL of one is this and its name. */
    readonly things: string;
  }
}

/** How a thing answers; whatever is left out stays as it was. */
export interface Behaviour {
  /** The content, and the ETag. From 1 to 255. */
  readonly version: number;
  readonly size: number;
  /** Without ranges, all of it is sent, with 200. */
  readonly ranges: boolean;
  /** The headers that a page of another origin may see. */
  readonly exposed: string;
  /** Sends headers, and half of the body; the rest never. */
  readonly stalls: boolean;
}

/** One request that has arrived, other than what browsers ask on their own (OPTIONS). */
export interface Arrival {
  readonly range: string | undefined;
  readonly ifMatch: string | undefined;
  /** 0 until it is answered. */
  status: number;
  /** The client has gone away before it had everything. */
  gone: boolean;
}

const EXPOSED = 'content-range, etag, last-modified, date';
const METHODS = { 'access-control-allow-methods': 'GET, PUT', 'access-control-allow-headers': 'range, if-match' };

class Thing {
  behaviour: Behaviour = { version: 1, size: 0, ranges: true, exposed: EXPOSED, stalls: false };
  readonly arrivals: Arrival[] = [];
  #changed = () => {};

  /** What has arrived, as soon as there is as much of a kind as the page waits for. */
  async log(query: URLSearchParams): Promise<readonly Arrival[]> {
    const arrived = Number(query.get('arrived') ?? 0);
    const gone = Number(query.get('gone') ?? 0);
    while (this.arrivals.length < arrived || this.arrivals.filter((arrival) => arrival.gone).length < gone) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return this.arrivals;
  }

  answer({ headers }: IncomingMessage, response: ServerResponse): void {
    const arrival: Arrival = { range: headers.range, ifMatch: headers['if-match'], status: 0, gone: false };
    this.arrivals.push(arrival);
    response.on('close', () => {
      arrival.gone = !response.writableFinished;
      this.#changed();
    });
    this.#send(response, arrival);
    arrival.status = response.statusCode;
    this.#changed();
  }

  #send(response: ServerResponse, { range, ifMatch }: Arrival): void {
    const { version, size, ranges, exposed, stalls } = this.behaviour;
    const etag = `"${version}"`;
    const shared = { etag, ...(exposed === '' ? {} : { 'access-control-expose-headers': exposed }) };
    if (ifMatch !== undefined && ifMatch !== etag) return void response.writeHead(412, shared).end();
    const match = ranges ? /^bytes=(\d+)-(\d+)$/.exec(range ?? '') : null;
    const start = Number(match?.[1] ?? 0);
    const end = Math.min(Number(match?.[2] ?? size - 1) + 1, size);
    if (start >= end) return void response.writeHead(416, { ...shared, 'content-range': `bytes */${size}` }).end();
    const body = Buffer.alloc(end - start, version);
    const part = match === null ? {} : { 'content-range': `bytes ${start}-${end - 1}/${size}` };
    response.writeHead(match === null ? 200 : 206, { ...shared, ...part, 'content-length': body.length });
    if (stalls) response.write(body.subarray(0, body.length / 2));
    else response.end(body);
  }
}

/** Vitest's global setup: the server runs as long as the tests. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const things = new Map<string, Thing>();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url!, 'http://things');
    const thing = things.get(pathname) ?? new Thing();
    things.set(pathname, thing);
    response.setHeader('access-control-allow-origin', '*');
    if (request.method === 'OPTIONS') return void response.writeHead(204, METHODS).end();
    if (request.method === 'PUT') {
      thing.behaviour = { ...thing.behaviour, ...JSON.parse(await text(request)) };
      return void response.writeHead(204).end();
    }
    if (searchParams.has('log')) return void response.end(JSON.stringify(await thing.log(searchParams)));
    thing.answer(request, response);
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  project.provide('things', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}
