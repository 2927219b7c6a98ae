/**
 * Remote: sections that were begun in other processes, and are entered here.
 *
 * Each is entered once, by its name, in the turn in which it is heard of, and answered when its begin is over: every subscriber has let
 * go. Its begin passes what lookups hold: a begin that queued behind a hold here, whose lookup waits for a section that was announced
 * here, whose answer waits behind a hold there, would wait for itself.
 */
import type { Host, Identity } from './host.js';
import { ACK } from './scripts.js';
import { type Entered, RemoteOwner } from './side.js';
import type { Running, WireData } from './wire.js';

/** A section of another process. */
class Guest {
  readonly begun: Promise<Entered>;
  /** Set once its begin is over. */
  section: Entered | undefined = undefined;
  #isOver = false;

  constructor(begun: Promise<Entered>) {
    this.begun = begun;
    begun.then(
      (section) => {
        this.section = section;
        if (this.#isOver) section.end();
      },
      () => {},
    );
  }

  /** Also before its begin is over. */
  end(): void {
    this.#isOver = true;
    this.section?.end();
  }
}

/** See the top of the file. */
export class Remote {
  readonly #member: Host;
  readonly #guests: Map<string, Guest> = new Map();

  constructor(member: Host) {
    this.#member = member;
  }

  /** A section has begun, and whoever began it waits for the answer. */
  enter(sid: string, member: string, data: WireData, identity: Identity | undefined): void {
    if (this.#guests.has(sid)) return;
    this.#member.stats.remote++;
    const guest = this.#begin(sid, member, data);
    if (identity !== undefined) this.#answerFor(guest, sid, identity);
  }

  #answerFor(guest: Guest, sid: string, identity: Identity): void {
    guest.begun.then(
      () => this.#answer(identity, sid, ''),
      (error) => this.#answer(identity, sid, JSON.stringify(String((error as Error)?.message ?? error))),
    );
  }

  #begin(sid: string, member: string, data: WireData): Guest {
    const within = data.w === undefined ? undefined : this.#guests.get(data.w)?.section;
    const owner = new RemoteOwner(member.slice(0, member.indexOf('.')), data.owner);
    const guest = new Guest(this.#member.side.enter(data, owner, within));
    this.#guests.set(sid, guest);
    return guest;
  }

  #answer(identity: Identity, sid: string, error: string): void {
    void this.#member.insist(identity, ACK, identity.member, sid, error);
  }

  /** A section is over. */
  end(sid: string): void {
    this.#guests.get(sid)?.end();
    this.#guests.delete(sid);
  }

  /** Something has changed, and nobody waits for an answer. */
  changed(data: WireData): void {
    this.#member.stats.notified++;
    const guest = new Guest(this.#member.side.enter(data, new RemoteOwner('', data.owner), undefined));
    guest.end();
  }

  /**
   * These run, and no others. They are entered before the others end, and answered: a join that was run, and whose answer was lost, has
   * been asked for what began since.
   */
  replace(running: ReadonlyMap<string, Running>, identity: Identity): void {
    for (const [sid, { member, data }] of running) {
      this.#answerFor(this.#guests.get(sid) ?? this.#begin(sid, member, data), sid, identity);
    }
    for (const sid of [...this.#guests.keys()]) if (!running.has(sid)) this.end(sid);
  }

  /** All of them are over. */
  clear(): void {
    for (const sid of [...this.#guests.keys()]) this.end(sid);
  }
}
