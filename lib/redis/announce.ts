/**
 * Announce: sections that begin here, and are told to everybody.
 *
 *     begun -> announced (the server has it, `announcedAs` a membership) -> confirmed (everybody has let go) -> over
 *
 * One announcement of a section is on its way at a time: two, one by the begin and one after a reset, would leave one of them active for
 * ever. Whatever fails is tried again, since nobody knows whether it was done. An answer counts only for the membership that it names.
 */
import type { Section } from '../tracker/internal.js';
import type { Host, Identity } from './host.js';
import type { DeadSection, ShareOptions } from './options.js';
import { ANNOUNCE, END, NOTIFY, STATUS } from './scripts.js';
import { unpackRanges, type WireData } from './wire.js';

/** A section that was begun here. */
interface Own {
  readonly sid: string;
  readonly section: Section;
  readonly data: WireData;
  readonly since: number;
  announcedAs: Identity | undefined;
  /** The announcement that is on its way. */
  announcing: Promise<void> | undefined;
  /** The member to whom it was said that everybody has answered. */
  answeredTo: string | undefined;
  /** The number of its announcement; it does not change once the begin is over. */
  fence: number | undefined;
  isConfirmed: boolean;
  isOver: boolean;
  isLost: boolean;
  readonly refused: Set<string>;
  resolve(): void;
  reject(error: unknown): void;
}

/** What a member gets for a section. */
export interface Grant {
  /** A number that only grows, over all sections of the space: to be compared by what is written to. */
  readonly fence: number;
  /** Fires when the section no longer excludes those in other processes. */
  readonly signal: AbortSignal;
}

/** See the top of the file. */
export class Announcer {
  readonly #member: Host;
  readonly #own: Map<string, Own> = new Map();
  readonly #bySection: Map<Section, Own> = new Map();
  /** Sections of the dead that are being recovered. */
  readonly #inherited: Set<string> = new Set();
  #count = 0;

  constructor(member: Host) {
    this.#member = member;
  }

  /** A section has begun here; resolves when it has everywhere. */
  begun(section: Section, data: WireData): Promise<void> | undefined {
    const member = this.#member;
    if (member.isLocal || member.state === 'closed') {
      if (member.state !== 'closed') this.#add(section, data).isConfirmed = true;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const own = this.#add(section, data, resolve, reject);
      void this.#announce(own);
    });
  }

  #add(section: Section, data: WireData, resolve: () => void = ignore, reject: (error: unknown) => void = ignore): Own {
    const within = section.within === undefined ? undefined : this.#bySection.get(section.within);
    const own: Own = {
      sid: `${this.#member.name}-${++this.#count}`,
      section,
      data: within === undefined ? data : { ...data, w: within.sid },
      since: this.#member.clock.now(),
      announcedAs: undefined,
      announcing: undefined,
      answeredTo: undefined,
      fence: undefined,
      isConfirmed: false,
      isOver: false,
      isLost: false,
      refused: new Set(),
      resolve,
      reject,
    };
    this.#own.set(own.sid, own);
    this.#bySection.set(section, own);
    this.#member.stats.sections++;
    return own;
  }

  /** It has ended here. Not awaited by anybody: until they hear it, others wait a little longer than they need. */
  ended(section: Section): void {
    const own = this.#bySection.get(section);
    if (own === undefined || own.isOver) return;
    own.isOver = true;
    this.#bySection.delete(section);
    void this.#end(own);
  }

  /** Is it one of them? */
  has(sid: string): boolean {
    return this.#own.has(sid) || this.#inherited.has(sid);
  }

  /** Those that renewals keep. */
  names(): string[] {
    return [...this.#own.keys(), ...this.#inherited];
  }

  /** See {@link Link.grant}. */
  grant(section: Section): Grant | undefined {
    const own = this.#bySection.get(section);
    return own?.fence === undefined || !own.isConfirmed ? undefined : { fence: own.fence, signal: section.signal };
  }

  // --- announcing

  #announce(own: Own): Promise<void> {
    own.announcing ??= this.#try(own).finally(() => {
      own.announcing = undefined;
    });
    return own.announcing;
  }

  async #try(own: Own): Promise<void> {
    const member = this.#member;
    for (;;) {
      const identity = await member.joined();
      if (identity === undefined || own.isOver || own.announcedAs === identity) return;
      const { sid, data } = own;
      const args = [identity.member, identity.epoch, sid, String(member.renewals), JSON.stringify(data)];
      const answer = (await member.insist(identity, ANNOUNCE, ...args)) as ['ok' | 'epoch' | 'gone', string, string] | undefined;
      if (answer === undefined) continue;
      const [said, seq, missing] = answer;
      if (said !== 'ok') {
        member.reset(said);
        continue;
      }
      if (!(await member.contact.replicated().catch(() => false))) {
        await member.contact.pause(REPLICA_PAUSE_MS);
        continue;
      }
      if (member.identity !== identity) continue;
      own.announcedAs = identity;
      if (!own.isConfirmed) own.fence = Number(seq);
      if (missing === '0') own.answeredTo = identity.member;
      return this.#confirm(own);
    }
  }

  /**
   * If everybody has let go. While it comes in, nobody knows: after a loss of the server's memory there may be members of before, whose
   * leases run, and of whom the server knows nothing. If the lease is over, the reset that follows announces it again.
   */
  #confirm(own: Own): void {
    const isAnswered = own.announcedAs !== undefined && own.announcedAs.member === own.answeredTo;
    if (own.isConfirmed || own.isOver || !isAnswered || !this.#member.valid()) return;
    own.isConfirmed = true;
    own.resolve();
  }

  /** A message to this process. */
  heard(message: string): void {
    let kind: unknown;
    let sid: unknown;
    let to: unknown;
    let error: unknown;
    try {
      [kind, sid, to, error] = JSON.parse(message) as unknown[];
    } catch {
      return;
    }
    const own = this.#own.get(String(sid));
    if (own === undefined || own.isConfirmed) return;
    if (kind === 'n') own.reject(new Error(String(error)));
    if (kind !== 'k') return;
    own.answeredTo = String(to);
    this.#confirm(own);
  }

  /** It has come in. */
  live(): void {
    for (const own of this.#own.values()) this.#confirm(own);
  }

  /** What has waited for an answer for too long is asked about: the message may have been lost. */
  inquire(): void {
    for (const own of this.#own.values())
      if (own.announcedAs !== undefined && !own.isConfirmed) void this.#ask(own, own.announcedAs);
  }

  async #ask(own: Own, identity: Identity): Promise<void> {
    const member = this.#member;
    const answer = (await member.contact.run(STATUS, identity.member, own.sid).catch(() => undefined)) as string[] | undefined;
    if (answer === undefined || member.identity !== identity || own.isConfirmed || own.isOver) return;
    const [missing, ...who] = answer;
    if (missing === '0') {
      own.answeredTo = identity.member;
      return this.#confirm(own);
    }
    if (missing === '-1') {
      own.announcedAs = undefined;
      return this.#announce(own);
    }
    if (member.ackTimeoutMs === undefined || member.clock.now() - own.since < member.ackTimeoutMs) return;
    for (const slow of who) {
      if (own.refused.has(slow)) continue;
      own.refused.add(slow);
      await member.refuse(slow);
    }
  }

  // --- after a reset

  /** What the server has of this process. What is over here is ended there. */
  found(identity: Identity, sections: ReadonlySet<string>): void {
    for (const sid of sections) {
      const own = this.#own.get(sid);
      if (own !== undefined && !own.isOver) own.announcedAs = identity;
    }
    for (const own of this.#own.values()) if (own.announcedAs !== identity) own.answeredTo = undefined;
  }

  /** Announces again what the server does not have. Resolves when it has it. */
  async reclaim(identity: Identity): Promise<void> {
    const missing = [...this.#own.values()].filter((own) => !own.isOver && own.announcedAs !== identity);
    await Promise.all(missing.map((own) => this.#announce(own)));
  }

  /** None of them excludes others any more, and those that have begun are told. */
  lose(reason: string): void {
    for (const own of this.#own.values()) {
      if (!own.isConfirmed || own.isOver || own.isLost) continue;
      own.isLost = true;
      own.section.lose(new Error(`the section excludes other processes no longer: ${reason}`));
    }
  }

  /** Nobody is waited for any more: it goes on alone. */
  goOn(): void {
    for (const own of this.#own.values()) {
      if (own.isConfirmed || own.isOver) continue;
      own.isConfirmed = true;
      own.resolve();
    }
  }

  // --- the end

  async #end(own: Own): Promise<void> {
    const member = this.#member;
    try {
      await own.announcing;
      const identity = member.identity ?? (await member.joined());
      if (identity === undefined) return;
      const isKnown = own.announcedAs !== undefined;
      const answer = isKnown ? await member.insist(identity, END, identity.member, own.sid, 'e') : '-1';
      // Declared over before it was: what others have read since may be of a moment in the middle of it.
      if (own.isConfirmed && (answer === '-1' || answer === undefined)) await this.#tell(own.data);
    } finally {
      this.#own.delete(own.sid);
    }
  }

  async #tell(data: WireData): Promise<void> {
    const member = this.#member;
    for (let identity = await member.joined(); identity !== undefined; identity = await member.joined()) {
      if ((await member.insist(identity, NOTIFY, JSON.stringify(data))) !== undefined) return;
    }
  }

  /** A section of a dead process is this one's now: it is recovered, and then declared over. */
  async inherit(
    identity: Identity,
    sid: string,
    fence: number,
    data: WireData,
    recover: NonNullable<ShareOptions['recover']>,
  ): Promise<void> {
    this.#inherited.add(sid);
    try {
      await recover(deadSection(fence, data));
    } catch (error) {
      this.#member.event({ type: 'error', error });
    }
    await this.#member.insist(identity, END, identity.member, sid, 'x');
    this.#inherited.delete(sid);
  }
}

/** Between two questions whether replicas have caught up, in milliseconds. */
const REPLICA_PAUSE_MS = 20;

function deadSection(fence: number, data: WireData): DeadSection {
  return { fence, ranges: unpackRanges(data), keys: data.k, prefix: data.p, kind: data.kind, label: data.label };
}

function ignore(): void {}
