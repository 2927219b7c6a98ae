/**
 * A Redis server in memory, as far as the scripts of `rangefence/redis` use one, and ports to it that can fail. Everything that is
 * asked is done in the turn in which it is asked; answers and messages come in a later one. The scripts are written a second time
 * here; `npm run test:redis` puts the same calls to both, and compares.
 */
import type { RedisPort, Script, StreamEntry } from '../../../lib/redis/index.js';

type Answer = string | number | readonly Answer[];

interface Section {
  readonly seq: string;
  readonly owner: string;
  readonly at: string;
  readonly data: string;
}

/** See the top of the file. */
export class FakeServer {
  readonly meta: Map<string, string> = new Map();
  log: [id: string, fields: string[]][] = [];
  readonly mem: Map<string, string> = new Map();
  readonly act: Map<string, string> = new Map();
  readonly pend: Map<string, string> = new Map();
  run = 'run1';
  readonly ports: FakePort[] = [];
  /** Of all scripts that were run, in order: their names and what was special to them. */
  readonly calls: string[] = [];
  #runs = 1;
  readonly #micros: () => number;

  /** `micros` is the server's own clock. */
  constructor(micros: () => number = () => 1_000_000) {
    this.#micros = micros;
  }

  port(publish: RedisPort['publish'] = 'PUBLISH'): FakePort {
    const port = new FakePort(this, publish);
    this.ports.push(port);
    return port;
  }

  /** A new process, which has lost everything. */
  restart(): void {
    this.run = `run${++this.#runs}`;
    this.flush();
  }

  /** Everything is gone; the process is the same. */
  flush(): void {
    this.log = [];
    for (const map of [this.meta, this.mem, this.act, this.pend]) map.clear();
  }

  /** Does what the script does. */
  execute(name: string, [channel, publish, cap, ...args]: readonly string[]): Answer {
    this.calls.push([name, ...args].join(' '));
    const script = SCRIPTS[name];
    if (script === undefined) throw new Error(`no script ${name}`);
    if (publish !== 'PUBLISH' && publish !== 'SPUBLISH') throw new Error(`no command ${publish}`);
    return script(this, { channel: channel!, cap: Number(cap), args });
  }

  publish(channel: string, message: string): void {
    for (const port of this.ports) port.hear(channel, message);
  }

  nowMicros(): number {
    return this.#micros();
  }

  // --- what the scripts have in common

  known(epoch: string): boolean {
    return this.meta.get('epoch') === epoch && this.meta.get('run') === this.run;
  }

  section(sid: string): Section | undefined {
    const match = /^(\S+) (\S+) (\S+) ([\s\S]*)$/.exec(this.act.get(sid) ?? '');
    return match === null ? undefined : { seq: match[1]!, owner: match[2]!, at: match[3]!, data: match[4]! };
  }

  emit({ channel, cap }: Call, kind: string, sid: string, member: string, data: string): string {
    const seq = String(Number(this.meta.get('seq') ?? '0') + 1);
    this.meta.set('seq', seq);
    this.log.push([`${seq}-0`, ['t', kind, 's', sid, 'm', member, 'd', data]]);
    if (this.log.length > cap) this.log.splice(0, this.log.length - cap);
    this.publish(`${channel}:push`, `[${seq},"${kind}","${sid}","${member}",${data}]`);
    return seq;
  }

  tell({ channel }: Call, member: string, message: string): void {
    this.publish(`${channel}:in:${member.split('.')[0]}`, message);
  }

  answer(call: Call, sid: string, member: string, error: string): void {
    if (!this.pend.delete(`${sid}|${member}`)) return;
    const left = Number(this.pend.get(`${sid}#`) ?? '0') - 1;
    if (left <= 0) this.pend.delete(`${sid}#`);
    else this.pend.set(`${sid}#`, String(left));
    const owner = this.section(sid)?.owner;
    if (owner === undefined) return;
    if (error !== '') this.tell(call, owner, `["n","${sid}","${owner}",${error}]`);
    if (left <= 0) this.tell(call, owner, `["k","${sid}","${owner}"]`);
  }

  finish(call: Call, sid: string, kind: string): string {
    const { owner } = this.section(sid)!;
    this.act.delete(sid);
    for (const field of [...this.pend.keys()]) {
      if (field.startsWith(`${sid}|`) || field === `${sid}#`) this.pend.delete(field);
    }
    return this.emit(call, kind, sid, owner, '{}');
  }

  evict(call: Call, member: string, heir: string, at: string): string[] {
    this.mem.delete(member);
    this.pend.delete(`!${member}`);
    const taken: string[] = [];
    for (const sid of [...this.act.keys()]) {
      const { seq, owner, data } = this.section(sid)!;
      if (owner !== member) continue;
      if (heir === '') this.finish(call, sid, 'x');
      else {
        this.act.set(sid, `${seq} ${heir} ${at} ${data}`);
        taken.push(sid, seq, data);
      }
    }
    for (const field of [...this.pend.keys()]) {
      const [sid, who] = field.split('|') as [string, string?];
      if (who === member) this.answer(call, sid, member, '');
    }
    return taken;
  }
}

interface Call {
  readonly channel: string;
  readonly cap: number;
  readonly args: readonly string[];
}

function flat(map: ReadonlyMap<string, string>): string[] {
  return [...map].flat();
}

const NEVER_ENDED = '9007199254740991';

const SCRIPTS: Record<string, (server: FakeServer, call: Call) => Answer> = {
  join: (server, call) => {
    const [member, fresh, before] = call.args as [string, string, string];
    const { meta, mem } = server;
    if (!mem.has(member)) {
      if (meta.get('run') !== server.run || !meta.has('epoch')) {
        const seq = Math.max(Number(meta.get('seq') ?? '0'), server.nowMicros());
        server.flush();
        for (const [name, value] of Object.entries({ epoch: fresh, run: server.run, settled: '0', seq: String(seq) })) {
          meta.set(name, value);
        }
      }
      if (before !== '') server.evict(call, before, member, '0');
      mem.set(member, '0');
    }
    return [meta.get('epoch')!, meta.get('seq')!, meta.get('settled')!, flat(server.act), flat(mem)];
  },
  renew: (server, call) => {
    const [member, count, epoch, ...names] = call.args as [string, string, string, ...string[]];
    if (!server.known(epoch)) return ['epoch'];
    const last = server.mem.get(member);
    if (last === undefined || server.pend.has(`!${member}`)) return ['gone'];
    if (Number(count) > Number(last)) server.mem.set(member, count);
    for (const sid of [...server.act.keys()]) {
      const { owner, at } = server.section(sid)!;
      if (owner === member && !names.includes(sid) && Number(at) < Number(count)) server.finish(call, sid, 'e');
    }
    return ['ok', server.meta.get('seq')!, flat(server.mem)];
  },
  announce: (server, call) => {
    const [member, epoch, sid, count, data] = call.args as [string, string, string, string, string];
    if (!server.known(epoch)) return ['epoch'];
    if (!server.mem.has(member)) return ['gone'];
    const known = server.section(sid);
    if (known !== undefined) return ['ok', known.seq, server.pend.get(`${sid}#`) ?? '0'];
    const others = [...server.mem.keys()].filter((other) => other !== member);
    for (const other of others) server.pend.set(`${sid}|${other}`, '1');
    if (others.length > 0) server.pend.set(`${sid}#`, String(others.length));
    const seq = server.emit(call, 'b', sid, member, data);
    server.act.set(sid, `${seq} ${member} ${count} ${data}`);
    return ['ok', seq, String(others.length)];
  },
  ack: (server, call) => {
    const [member, sid, error] = call.args as [string, string, string];
    server.answer(call, sid, member, error);
    return 1;
  },
  end: (server, call) => {
    const [member, sid, kind] = call.args as [string, string, string];
    return server.section(sid)?.owner === member ? server.finish(call, sid, kind) : '-1';
  },
  evict: (server, call) => {
    const [member, count, heir] = call.args as [string, string, string];
    if (server.mem.get(member) !== count) return ['0'];
    return ['1', server.evict(call, member, heir, NEVER_ENDED)];
  },
  leave: (server, call) => {
    server.evict(call, call.args[0]!, '', '0');
    return 1;
  },
  notify: (server, call) => (server.meta.has('epoch') ? server.emit(call, 'h', '', '', call.args[0]!) : '0'),
  status: (server, call) => {
    const [member, sid] = call.args as [string, string];
    if (server.section(sid)?.owner !== member) return ['-1'];
    const who = [...server.pend.keys()].filter((field) => field.startsWith(`${sid}|`)).map((field) => field.split('|')[1]!);
    return [server.pend.get(`${sid}#`) ?? '0', ...who];
  },
  settle: (server, call) => {
    if (server.meta.get('epoch') === call.args[0]) server.meta.set('settled', '1');
    return 1;
  },
  refuse: (server, call) => {
    if (server.mem.has(call.args[0]!)) server.pend.set(`!${call.args[0]}`, '1');
    return 1;
  },
};

/** A client that can be cut off, lose answers, and miss messages. */
export class FakePort implements RedisPort {
  readonly publish: RedisPort['publish'];
  /** Nothing gets through, neither way; what is asked is not answered. */
  isCut = false;
  /** What is asked is not done, and fails at once. */
  isRefused = false;
  /** Scripts (by name; '' for all) that are run, but whose answer is lost, so many times. */
  readonly loseAnswers: Map<string, number> = new Map();
  /** Scripts that are not run before {@link release}, and 'XRANGE'. */
  readonly held: Set<string> = new Set();
  /** When what is told is heard: called with each message, in order. By default in a later turn. */
  deliver: (hear: () => void, message: string) => void = queueMicrotask;
  /** Messages are not heard. */
  isDeaf = false;
  /** Replicas that have everything. */
  replicas = 0;
  /** What it was told while its process was stopped. */
  #late: [channel: string, message: string][] | undefined = undefined;
  readonly #server: FakeServer;
  readonly #listeners: Set<{
    channels: readonly string[];
    onMessage: (channel: string, text: string) => void;
    onReady: () => void;
  }> = new Set();
  #waiting: (() => void)[] = [];

  constructor(server: FakeServer, publish: RedisPort['publish']) {
    this.#server = server;
    this.publish = publish;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async run({ name }: Script, _keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (this.isRefused) throw new Error('refused');
    if (this.isCut) return await new Promise(() => {});
    if (this.held.has(name)) await this.#hold();
    const answer = this.#server.execute(name, args);
    for (const each of [name, '']) {
      const times = this.loseAnswers.get(each) ?? 0;
      if (times > 0) {
        this.loseAnswers.set(each, times - 1);
        throw new Error('connection lost');
      }
    }
    return answer;
  }

  #hold(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** What is held now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs what was held. */
  release(): void {
    this.held.clear();
    for (const go of this.#waiting.splice(0)) go();
  }

  subscribe(channels: readonly string[], onMessage: (channel: string, text: string) => void, onReady: () => void): () => void {
    const listener = { channels, onMessage, onReady };
    this.#listeners.add(listener);
    queueMicrotask(onReady);
    return () => this.#listeners.delete(listener);
  }

  hear(channel: string, message: string): void {
    if (this.isCut || this.isDeaf) return;
    if (this.#late !== undefined) {
      this.#late.push([channel, message]);
      return;
    }
    for (const listener of this.#listeners) {
      if (listener.channels.includes(channel)) this.deliver(() => listener.onMessage(channel, message), message);
    }
  }

  stop(): void {
    this.#late ??= [];
  }

  goOn(): void {
    const late = this.#late ?? [];
    this.#late = undefined;
    for (const [channel, message] of late) this.hear(channel, message);
  }

  /** The connection for messages is there again. */
  reconnect(): void {
    this.isDeaf = false;
    for (const { onReady } of this.#listeners) onReady();
  }

  async range(_stream: string, from: string): Promise<readonly StreamEntry[]> {
    if (this.isCut) return await new Promise(() => {});
    if (this.held.has('XRANGE')) await this.#hold();
    const first = Number(from.split('-')[0]);
    return this.#server.log.filter(([id]) => Number(id.split('-')[0]) >= first);
  }

  async wait(): Promise<number> {
    return this.replicas;
  }
}
