/**
 * Evictions: who is silent for longer than a lease lasts is declared out, by whoever notices.
 */
import type { Announcer } from './announce.js';
import type { Host, Identity } from './host.js';
import type { ShareOptions } from './options.js';
import { Roster } from './roster.js';
import { EVICT, LEAVE } from './scripts.js';
import { dataOf } from './wire.js';

/** See the top of the file. */
export class Evictions {
  readonly #host: Host;
  readonly #announcer: Announcer;
  readonly #recover: ShareOptions['recover'];
  readonly #roster: Roster;

  constructor(host: Host, announcer: Announcer, waitMs: number, recover: ShareOptions['recover']) {
    this.#host = host;
    this.#announcer = announcer;
    this.#recover = recover;
    this.#roster = new Roster(waitMs);
  }

  /** Members and their counts in turn, as an answer that has come now has them. */
  saw(members: readonly string[]): void {
    this.#roster.saw(members, this.#host.clock.now());
  }

  /** Until somebody may be out. */
  dueMs({ member }: Identity): number {
    return this.#roster.dueMs(this.#host.clock.now(), member);
  }

  /** Nothing is known any more. */
  clear(): void {
    this.#roster.clear();
  }

  /** The server compares the counts: nobody is out who has renewed meanwhile. */
  async run(identity: Identity): Promise<void> {
    const host = this.#host;
    // Memberships of this process of which it has not heard: their joins were executed late.
    const isGhost = (member: string) => member !== identity.member && member.startsWith(`${host.name}.`);
    for (const ghost of this.#roster.members.filter(isGhost)) await host.contact.run(LEAVE, ghost);
    for (const { member, count } of this.#roster.silent(host.clock.now(), identity.member)) {
      const recover = this.#recover;
      const heir = recover === undefined ? '' : identity.member;
      const [done, taken] = (await host.contact.run(EVICT, member, count, heir)) as [string, string[]];
      if (done !== '1') continue;
      this.#note(member);
      for (let i = 0; i < taken.length; i += 3) {
        void this.#announcer.inherit(identity, taken[i]!, Number(taken[i + 1]), dataOf(taken[i + 2]!), recover!);
      }
    }
  }

  /** Declares all memberships of a process out, whose end is known. */
  async evict(name: string): Promise<void> {
    for (const member of this.#roster.members.filter((each) => each.startsWith(`${name}.`))) {
      await this.#host.contact.run(LEAVE, member);
      this.#note(member);
    }
  }

  #note(member: string): void {
    this.#host.stats.evictions++;
    this.#host.event({ type: 'evicted', member });
  }
}
