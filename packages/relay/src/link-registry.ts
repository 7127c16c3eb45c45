import type { Session } from '@matryoshka/peer';
import type { Clock } from '@matryoshka/transport';
import type { LinkEnd } from './link-end.ts';
import { portHalves } from './port-table.ts';
import { SessionLinks } from './session-links.ts';

/** The relay links of a node on all of its sessions, and the ports they have. */
export class LinkRegistry {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #sessions = new Map<Session, SessionLinks>();
  /** How many links of this node have a port or a mark: a request with one of them has come in a circle (R6). */
  readonly #held = new Map<bigint, number>();

  /** @param graceMs - how long a closed port is not used again, and late messages for it are let go */
  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  /** Ends of links on all sessions. */
  get size(): number {
    let ends = 0;
    for (const links of this.#sessions.values()) ends += links.size;
    return ends;
  }

  /** What stands behind a port of a session. Hot: allocates nothing. */
  end(session: Session, high: number, low: number): LinkEnd | undefined {
    return this.#sessions.get(session)?.end(high, low);
  }

  /** The same for a port in one piece. */
  endOf(session: Session, port: bigint): LinkEnd | undefined {
    const { high, low } = portHalves(port);
    return this.end(session, high, low);
  }

  /** Links on a session. */
  count(session: Session): number {
    return this.#sessions.get(session)?.size ?? 0;
  }

  /** Whether a port is in use, or rests, on a session. */
  taken(session: Session, port: bigint): boolean {
    return this.#sessions.get(session)?.taken(port, this.#clock.now()) ?? false;
  }

  /** Whether any link of this node has the port, or the mark. */
  held(number: bigint): boolean {
    return this.#held.has(number);
  }

  /** A link has these from now on, until {@link release}: its port, and the mark of its request. */
  hold(...numbers: readonly bigint[]): void {
    for (const number of numbers) this.#held.set(number, (this.#held.get(number) ?? 0) + 1);
  }

  release(...numbers: readonly bigint[]): void {
    for (const number of numbers) {
      const left = (this.#held.get(number) ?? 0) - 1;
      if (left > 0) this.#held.set(number, left);
      else this.#held.delete(number);
    }
  }

  /** Puts one end of a link on a session that is open. */
  add(session: Session, port: bigint, end: LinkEnd): void {
    this.#of(session).add(port, end);
  }

  /** The end of a link on `session` is over; its port rests. Returns whether it was the last one there. */
  rest(session: Session, port: bigint): boolean {
    const links = this.#sessions.get(session);
    if (links === undefined) return false;
    const now = this.#clock.now();
    links.rest(port, now, now + this.#graceMs);
    return links.size === 0;
  }

  /**
   * A message came for a port without a link. Returns whether the other side has to hear of it.
   * @throws MatryoshkaError `relay.unknown-port` for too many of them
   */
  stray(session: Session, port: bigint): boolean {
    const now = this.#clock.now();
    return this.#of(session).stray(port, now, now + this.#graceMs);
  }

  /** The ends of links on a session. */
  ends(session: Session): readonly LinkEnd[] {
    return this.#sessions.get(session)?.ends() ?? [];
  }

  /** The session is over; returns the ends that were on it. */
  close(session: Session): readonly LinkEnd[] {
    const ends = this.ends(session);
    this.#sessions.delete(session);
    return ends;
  }

  #of(session: Session): SessionLinks {
    let links = this.#sessions.get(session);
    if (links === undefined) {
      links = new SessionLinks();
      if (session.sending) this.#sessions.set(session, links);
    }
    return links;
  }
}
