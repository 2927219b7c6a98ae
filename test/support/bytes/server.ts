/**
 * Server: a real HTTP server of one resource, with ranges, validators and conditions as RFC 9110 has them, a log of every
 * request, and scripts for everything a server may do wrong.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request, as it was answered. */
export interface Logged {
  readonly range: string | undefined;
  readonly ifMatch: string | undefined;
  readonly ifUnmodifiedSince: string | undefined;
  readonly headers: IncomingMessage['headers'];
  status: number;
  /** The client hung up before the answer was complete. */
  aborted: boolean;
}

/** Answers in place of the server. Returns false if it leaves that to the server. */
export type Script = (request: IncomingMessage, response: ServerResponse, logged: Logged) => unknown;

/** See the top of the file. */
export class ByteServer {
  readonly log: Logged[] = [];
  content: Uint8Array = new Uint8Array(0);
  etag: 'strong' | 'weak' | 'none' = 'strong';
  /** Milliseconds since 1970; undefined: no Last-Modified. */
  modified: number | undefined = undefined;
  /** What the server takes for the time; undefined: no Date. */
  date: number | undefined = Date.UTC(2026, 0, 2);
  /** Scripts of the next requests, in order; undefined entries are ordinary ones. */
  readonly scripts: (Script | undefined)[] = [];
  /** The script of all further requests. */
  always: Script | undefined = undefined;
  /** The ETag in place of the ordinary one. */
  fixedTag: (() => string | undefined) | undefined = undefined;
  #version = 0;
  readonly #server: Server;
  #changed: (() => void)[] = [];

  constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(content?: Uint8Array): Promise<ByteServer> {
    const server = new ByteServer();
    if (content !== undefined) server.put(content);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/data`;
  }

  /** Another content, with another ETag. */
  put(content: Uint8Array): void {
    this.content = content;
    this.#version++;
  }

  /** The ranges that were asked for, in order. */
  get ranges(): (string | undefined)[] {
    return this.log.map(({ range }) => range);
  }

  get statuses(): number[] {
    return this.log.map(({ status }) => status);
  }

  /** True if all that was asked has been answered. */
  get idle(): boolean {
    return this.log.every(({ status }) => status !== 0);
  }

  /** Resolves as soon as the condition holds; it is looked at after every event of the server. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get currentTag(): string | undefined {
    if (this.fixedTag !== undefined) return this.fixedTag();
    if (this.etag === 'none') return undefined;
    return this.etag === 'weak' ? `W/"${this.#version}"` : `"${this.#version}"`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const header = (name: string) => request.headers[name] as string | undefined;
    const logged: Logged = {
      range: header('range'),
      ifMatch: header('if-match'),
      ifUnmodifiedSince: header('if-unmodified-since'),
      headers: request.headers,
      status: 0,
      aborted: false,
    };
    this.log.push(logged);
    response.on('close', () => {
      logged.status ||= response.statusCode;
      logged.aborted = !response.writableFinished;
      this.#tell();
    });
    const script = this.scripts.length > 0 ? this.scripts.shift() : this.always;
    this.#tell();
    if (script === undefined || script(request, response, logged) === false) this.serve(logged, response);
  }

  /** The ordinary answer. */
  serve(logged: Logged, response: ServerResponse): void {
    response.sendDate = false;
    for (const [name, value] of Object.entries(this.validators())) response.setHeader(name, value);
    const { content } = this;
    if (this.#isRefused(logged)) return void response.writeHead(412).end();
    const match = /^bytes=(\d+)-(\d+)$/.exec(logged.range ?? '');
    if (match === null) return void response.writeHead(200, { 'content-length': content.length }).end(content);
    const start = Number(match[1]);
    if (start >= content.length) return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    const end = Math.min(Number(match[2]) + 1, content.length);
    response
      .writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${content.length}`, 'content-length': end - start })
      .end(content.subarray(start, end));
  }

  /** The headers that say which version it is. */
  validators(): Record<string, string> {
    const tag = this.currentTag;
    return {
      ...(tag === undefined ? {} : { etag: tag }),
      ...(this.modified === undefined ? {} : { 'last-modified': new Date(this.modified).toUTCString() }),
      ...(this.date === undefined ? {} : { date: new Date(this.date).toUTCString() }),
    };
  }

  /** A weak tag is equal to none in If-Match; a date is looked at only where there is no tag to compare. */
  #isRefused({ ifMatch, ifUnmodifiedSince }: Logged): boolean {
    if (ifMatch !== undefined) return this.etag !== 'strong' || ifMatch !== this.currentTag;
    return (
      ifUnmodifiedSince !== undefined &&
      this.modified !== undefined &&
      Math.floor(this.modified / 1000) * 1000 > Date.parse(ifUnmodifiedSince)
    );
  }

  #tell(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
