/**
 * A switch of TCP on the loopback: passes on, with a delay each way if it is told, until it is cut; then nothing gets through, neither
 * way, and no connection is closed, as with a cable that was pulled.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Switch {
  target: number;
  delayMs: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  #isCut = false;
  #late: (() => void)[] = [];

  private constructor(target: number, delayMs: number) {
    this.target = target;
    this.delayMs = delayMs;
    this.#server = createServer((client) => this.#pass(client));
  }

  static async open(target: number, delayMs = 0): Promise<Switch> {
    const opened = new Switch(target, delayMs);
    opened.#server.listen(0, '127.0.0.1');
    await once(opened.#server, 'listening');
    return opened;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  cut(): void {
    this.#isCut = true;
  }

  /** What was held back arrives now. */
  mend(): void {
    this.#isCut = false;
    for (const pass of this.#late.splice(0)) pass();
  }

  /** To another server, from the next connections on; those that there are end. */
  turn(target: number): void {
    this.target = target;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #pass(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (data) => this.#after(() => to.write(data)));
      from.on('error', () => {});
      from.on('close', () => {
        this.#sockets.delete(from);
        this.#after(() => to.destroy());
      });
    }
  }

  #after(pass: () => void): void {
    const now = () => (this.#isCut ? this.#late.push(pass) : pass());
    if (this.delayMs === 0) now();
    else setTimeout(now, this.delayMs);
  }
}
