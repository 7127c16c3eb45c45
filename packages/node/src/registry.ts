import type { Session } from '@matryoshka/peer';
import { isShared, peerIdOf } from '@matryoshka/relay';
import type { PeerId } from '@matryoshka/session';
import { type Endpoint, sameEndpoint } from '@matryoshka/wire';

/** The open sessions of a node. What is looked up here is never one on which this node is anonymous. */
export class SessionRegistry {
  readonly #sessions = new Set<Session>();

  add(session: Session): void {
    this.#sessions.add(session);
  }

  delete(session: Session): boolean {
    return this.#sessions.delete(session);
  }

  has(session: Session): boolean {
    return this.#sessions.has(session);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** A direct session to an authenticated peer. */
  direct(peerId: PeerId): Session | undefined {
    return this.#find((session) => session.link.info.kind === 'direct' && peerIdOf(session) === peerId);
  }

  /** A session to an authenticated peer, a direct one if there is. */
  to(peerId: PeerId): Session | undefined {
    return this.direct(peerId) ?? this.#find((session) => peerIdOf(session) === peerId);
  }

  /** A session that this node dialled there. */
  dialled(endpoint: Endpoint): Session | undefined {
    return this.#find((session) => session.dialled !== undefined && sameEndpoint(session.dialled, endpoint));
  }

  /** Where a peer was dialled that is connected. */
  endpointOf(peerId: PeerId): Endpoint | undefined {
    return this.#find((session) => session.dialled !== undefined && peerIdOf(session) === peerId)?.dialled;
  }

  #find(matches: (session: Session) => boolean): Session | undefined {
    for (const session of this.#sessions) if (isShared(session) && matches(session)) return session;
    return undefined;
  }
}
