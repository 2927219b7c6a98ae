/**
 * The backend of the grid: a table in PostgreSQL whose trigger tells of each change, a connection that listens, and an HTTP server that
 * answers pages of rows, by key or by offset, counts them, and passes changes on as server-sent events.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Client, Pool } from 'pg';
import { type Postgres, USER } from './postgres.js';

/** A row as the table and the page have it. */
export interface Item {
  readonly id: number;
  readonly text: string;
}

const SCHEMA = `
  DROP TABLE IF EXISTS items;
  CREATE TABLE items (id integer PRIMARY KEY, text text NOT NULL);
  CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_notify('items', COALESCE(NEW.id, OLD.id)::text);
    RETURN NULL;
  END $$;
  INSERT INTO items SELECT 10 * n, 'row ' || n FROM generate_series(1, $ROWS) AS n;
  CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON items FOR EACH ROW EXECUTE FUNCTION tell();
  ANALYZE items;
`;
const BY_KEY = 'SELECT id, text FROM items WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3';
const BY_OFFSET = 'SELECT id, text FROM items ORDER BY id OFFSET $1 LIMIT $2';
const [FIRST, LAST] = [-(2 ** 31), 2 ** 31 - 1];

/** See the top of the file. */
export class Backend {
  /** Requests for rows so far. */
  requests = 0;
  readonly pool: Pool;
  readonly #postgres: Postgres;
  readonly #files: ReadonlyMap<string, readonly [type: string, text: string]>;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  #listener: Client | undefined;
  #isClosed = false;
  /** A lost connection is not restored before this is false. */
  isCut = false;

  constructor(postgres: Postgres, files: ReadonlyMap<string, readonly [type: string, text: string]>) {
    this.#postgres = postgres;
    this.#files = files;
    this.pool = new Pool({ host: '127.0.0.1', port: postgres.port, user: USER, database: 'postgres', max: 10 });
    this.pool.on('error', () => {});
    this.#server = createServer((request, response) => {
      this.#answer(new URL(request.url!, 'http://localhost'), response).catch((error) =>
        response.writeHead(500).end(String(error)),
      );
    });
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(rows: number): Promise<void> {
    await this.pool.query(SCHEMA.replace('$ROWS', `${rows}`));
    await this.#listen();
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** All there is, in order. */
  async table(): Promise<Item[]> {
    return (await this.pool.query('SELECT id, text FROM items ORDER BY id')).rows;
  }

  /** Ends the connection that listens, from the side of the server, as a network does. It comes back when `isCut` is false again. */
  async cut(): Promise<void> {
    this.isCut = true;
    const { processID } = this.#listener as unknown as { processID: number };
    await this.pool.query('SELECT pg_terminate_backend($1)', [processID]);
    while (this.#listener !== undefined) await pause(5);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#listener?.end();
    await this.pool.end();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Listens, and again when the connection was lost: then all who hear of changes are told that they may have missed some. */
  async #listen(): Promise<void> {
    const listener = await this.#postgres.connect();
    listener.on('notification', ({ payload }) => this.#tell('changed', payload!));
    listener.on('end', () => {
      this.#listener = undefined;
      if (!this.#isClosed) this.#restore();
    });
    await listener.query('LISTEN items');
    this.#listener = listener;
  }

  async #restore(): Promise<void> {
    while (this.isCut) await pause(5);
    if (this.#isClosed) return;
    await this.#listen();
    this.#tell('restored', '');
  }

  #tell(event: string, data: string): void {
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: ${data}\n\n`);
  }

  async #answer({ pathname, searchParams }: URL, response: ServerResponse): Promise<void> {
    const number = (name: string, absent: number) => Number(searchParams.get(name) ?? absent);
    if (pathname === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).write(':\n\n');
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
    } else if (pathname === '/by-key') {
      await this.#rows(response, BY_KEY, [number('from', FIRST), number('to', LAST), number('limit', 0)]);
    } else if (pathname === '/by-offset') {
      await this.#rows(response, BY_OFFSET, [number('start', 0), number('end', 0) - number('start', 0)]);
    } else {
      const [type, text] = this.#files.get(pathname) ?? ['', undefined];
      response.writeHead(text === undefined ? 404 : 200, { 'content-type': type }).end(text);
    }
  }

  async #rows(response: ServerResponse, query: string, values: number[]): Promise<void> {
    this.requests++;
    const { rows } = await this.pool.query(query, values);
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(rows));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
