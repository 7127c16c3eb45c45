import { networkOf } from '@matryoshka/transport';
import { MatryoshkaError, type ReasonCode } from '@matryoshka/wire';
import type { ResumeSettings } from './resume-settings.ts';
import type { Session } from './session.ts';

/** What counts as one network for the bound of suspended sessions. */
const NETWORK_BITS = { ipv4Bits: 16, ipv6Bits: 48 };
/** Sessions that are over and whose reason is still known, at most. */
const MAX_ENDED = 4096;

/**
 * Sessions that others opened, by the id that only both ends know: where a resume finds its session. Suspended ones are
 * bounded per peer, per network and in all; above a bound the anonymous ones go first, then the oldest.
 */
export class SessionTable {
  readonly #settings: ResumeSettings;
  readonly #sessions = new Map<string, Session>();
  /** Suspended ones, in the order in which they were. */
  readonly #suspended = new Set<Session>();
  /** Why the newest ones that are over ended, for whoever has not heard of it. */
  readonly #ended = new Map<string, ReasonCode>();

  constructor(settings: ResumeSettings) {
    this.#settings = settings;
  }

  /** Sessions that wait for their next link. */
  get suspended(): number {
    return this.#suspended.size;
  }

  add(sessionId: Uint8Array, session: Session): void {
    this.#sessions.set(keyOf(sessionId), session);
  }

  /** The session with this id, live or suspended. */
  find(sessionId: Uint8Array): Session | undefined {
    return this.#sessions.get(keyOf(sessionId));
  }

  /** The session waits for its next link. */
  suspend(session: Session): void {
    this.#suspended.add(session);
    const { maxSuspended, maxSuspendedPerNetwork, maxSuspendedPerPeer } = this.#settings;
    const { remote } = session;
    if (remote.authenticated) {
      this.#bound(maxSuspendedPerPeer, (other) => other.remote.authenticated && other.remote.peerId === remote.peerId);
    }
    const network = networkOf(session.link.remote.host, NETWORK_BITS);
    this.#bound(maxSuspendedPerNetwork, (other) => networkOf(other.link.remote.host, NETWORK_BITS) === network);
    this.#bound(maxSuspended, () => true);
  }

  /** It has its next link. */
  resume(session: Session): void {
    this.#suspended.delete(session);
  }

  /** It is over. */
  remove(sessionId: Uint8Array, session: Session, reason: ReasonCode): void {
    this.#suspended.delete(session);
    this.#sessions.delete(keyOf(sessionId));
    this.#remember(sessionId, reason);
  }

  /**
   * Why there is no session with this id. From now on there will not be one either: its opening may still be on its way,
   * while its initiator opens the session anew.
   */
  refuse(sessionId: Uint8Array): ReasonCode {
    const known = this.#ended.get(keyOf(sessionId));
    if (known === undefined) this.#remember(sessionId, 'session.resume-unknown');
    return known ?? 'session.resume-unknown';
  }

  /** Why a session with this id must not begin, if it must not. */
  ended(sessionId: Uint8Array): ReasonCode | undefined {
    return this.#ended.get(keyOf(sessionId));
  }

  #remember(sessionId: Uint8Array, reason: ReasonCode): void {
    this.#ended.set(keyOf(sessionId), reason);
    if (this.#ended.size <= MAX_ENDED) return;
    for (const oldest of this.#ended.keys()) {
      this.#ended.delete(oldest);
      return;
    }
  }

  #bound(limit: number, counts: (session: Session) => boolean): void {
    if (this.#suspended.size <= limit) return;
    const counted = [...this.#suspended].filter(counts);
    if (counted.length <= limit) return;
    const victim = counted.find(({ remote }) => !remote.authenticated) ?? counted[0];
    victim?.close(new MatryoshkaError('session.evicted'));
  }
}

function keyOf(sessionId: Uint8Array): string {
  return String.fromCharCode(...sessionId);
}
