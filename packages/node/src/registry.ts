import type { Session } from '@matryoshka/peer';
import { peerIdOf } from '@matryoshka/relay';
import type { PeerId } from '@matryoshka/session';
import { type Endpoint, sameEndpoint } from '@matryoshka/wire';

/** The open sessions of a node. */
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

  get size(): number {
    return this.#sessions.size;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** A direct session to an authenticated peer. */
  direct(peerId: PeerId): Session | undefined {
    return this.find((session) => session.link.info.kind === 'direct' && peerIdOf(session) === peerId);
  }

  /** A session that this node dialled there. */
  dialled(endpoint: Endpoint): Session | undefined {
    return this.find((session) => session.dialled !== undefined && sameEndpoint(session.dialled, endpoint));
  }

  find(matches: (session: Session) => boolean): Session | undefined {
    for (const session of this.#sessions) if (session.sending && matches(session)) return session;
    return undefined;
  }
}
