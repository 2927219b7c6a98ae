/**
 * A key-value server of a few lines, on a local socket: what a cache over a network costs, without anybody's server installed.
 *
 * One line of JSON for each request and each answer, in order: `["get", key]`, `["set", key, value]`, `["delete", key]`,
 * `["clear"]`.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type Request = readonly [name: string, key?: string, value?: unknown];

/** Calls `take` with each whole line. */
function lines(socket: Socket, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop()!;
    for (const line of parts) take(line);
  });
}

export class KeyValueServer {
  readonly #entries = new Map<string, unknown>();
  readonly #server: Server = createServer({ noDelay: true }, (socket) => {
    lines(socket, (line) => socket.write(`${JSON.stringify(this.#answer(JSON.parse(line)) ?? null)}\n`));
  });

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }

  #answer([name, key = '', value]: Request): unknown {
    if (name === 'get') return this.#entries.get(key);
    if (name === 'set') return this.#entries.set(key, value).size;
    if (name === 'delete') return this.#entries.delete(key);
    return this.#entries.clear();
  }
}

/** Its client, as a store of keyv. */
export class KeyValueClient {
  readonly #socket: Socket;
  readonly #waiting: ((answer: unknown) => void)[] = [];

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    lines(this.#socket, (line) => this.#waiting.shift()!(JSON.parse(line)));
  }

  get = (key: string): Promise<unknown> => this.#ask(['get', key]);
  set = (key: string, value: unknown): Promise<unknown> => this.#ask(['set', key, value]);
  delete = (key: string): Promise<unknown> => this.#ask(['delete', key]);
  clear = (): Promise<unknown> => this.#ask(['clear']);

  close(): void {
    this.#socket.destroy();
  }

  #ask(request: Request): Promise<unknown> {
    this.#socket.write(`${JSON.stringify(request)}\n`);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
