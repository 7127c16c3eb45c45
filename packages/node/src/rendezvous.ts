import { type LinkSource, type Session, type SessionEnvironment, connectSession, deadline } from '@matryoshka/peer';
import type { RelayService } from '@matryoshka/relay';
import { type PeerId, parsePeerId } from '@matryoshka/session';
import type { Link } from '@matryoshka/transport';
import { MEETING_TOKEN_LENGTH, MatryoshkaError } from '@matryoshka/wire';
import type { ConnectOptions } from './connect-options.ts';
import type { SuiteChoice } from './suite.ts';

/** Waiting for the other one, and the handshake with it, take no longer, in milliseconds. */
const TIMEOUT_MS = 75_000;

/** How to meet somebody. */
export interface MeetOptions extends Pick<ConnectOptions, 'path' | 'circuit' | 'signal' | 'traffic'> {
  /** Where both meet: a peer id of the directory, or `peerId@host:port`. Both name the same. */
  readonly relay: string;
  /** Who it is to be, by peer id; by default whoever has the token. Then the other side must show who it is. */
  readonly peer?: string;
  /**
   * Shows no identity, if the other side is there first; default true. Whoever is there first shows its own, as all do that are
   * connected to.
   */
  readonly anonymous?: boolean;
}

export interface RendezvousParts {
  readonly environment: SessionEnvironment;
  readonly relay: RelayService;
  readonly suiteFor: SuiteChoice;
  /** A telescoped session to the relay. */
  connect(relay: string, options: ConnectOptions): Promise<Session>;
  /** Answers a handshake. */
  offer(link: Link, first: Uint8Array): void;
}

/**
 * Meets peers at relays that know neither of the two (docs/protocol.md §8.7): both telescope to the relay and present the
 * same token; whoever was there first answers the handshake of the other one, end to end.
 */
export class Rendezvous {
  readonly #parts: RendezvousParts;
  /** Links on which somebody was met who begins the handshake. */
  readonly #awaited = new WeakMap<Link, (session: Session) => void>();

  constructor(parts: RendezvousParts) {
    this.#parts = parts;
  }

  /** See `MatryoshkaNode.meet`. */
  async meet(token: Uint8Array, { relay, peer, anonymous = true, ...way }: MeetOptions): Promise<Session> {
    if (!(token instanceof Uint8Array && token.length === MEETING_TOKEN_LENGTH))
      throw new MatryoshkaError('config.invalid', `the token of a meeting has ${MEETING_TOKEN_LENGTH} bytes, a Uint8Array`);
    const demand = peer === undefined ? undefined : parsePeerId(peer);
    const gateway = await this.#parts.connect(relay, { ...way, ...(way.path === undefined && { circuit: way.circuit ?? {} }) });
    try {
      const session = await this.#meet(gateway, token, { demand, anonymous, signal: way.signal });
      void session.closed.then(() => gateway.close());
      return session;
    } catch (error) {
      gateway.close();
      throw error;
    }
  }

  /** A session was opened by somebody; it may be who was awaited. */
  opened(session: Session): void {
    this.#awaited.get(session.link)?.(session);
  }

  async #meet(
    gateway: Session,
    token: Uint8Array,
    {
      demand,
      anonymous,
      signal,
    }: { readonly demand: PeerId | undefined; readonly anonymous: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<Session> {
    const { environment, relay, suiteFor } = this.#parts;
    const limit = deadline(environment.clock, TIMEOUT_MS, () => new MatryoshkaError('relay.nobody-met'), signal);
    let awaited: Promise<Session> | undefined;
    let made: Session | undefined;
    const source: LinkSource = {
      next: async ({ first, reason, session }, attempt) => {
        // It still has its link: the way to the relay is interrupted, which mends itself.
        if (made?.suspended === false && gateway.sending)
          throw new MatryoshkaError('relay.carrier-lost', 'the way to the relay is interrupted');
        // The token is used up, and so is the link.
        if (session !== undefined)
          throw new MatryoshkaError('session.link-lost', 'the relay where both had met is lost', { cause: reason });
        const met = await relay.meet({ gateway, token, remote: gateway.link.remote }, first, attempt);
        if (met.role === 'initiator') return met.link;
        awaited = new Promise((resolve) => this.#awaited.set(met.link, resolve));
        this.#parts.offer(met.link, met.request);
        throw new MatryoshkaError('aborted', 'the other side begins the handshake');
      },
    };
    try {
      const opened = connectSession(environment, source, {
        suite: suiteFor(undefined),
        anonymous,
        timeoutMs: TIMEOUT_MS,
        signal: limit.signal,
        ...(demand !== undefined && { demand }),
      }).catch((error: unknown) => {
        if (awaited === undefined) throw error;
        return awaited;
      });
      const session = await limit.race(opened, (late) => late.close(new MatryoshkaError('aborted')));
      made = session;
      const { remote } = session;
      if (demand === undefined || (remote.authenticated && remote.peerId === demand)) return session;
      const fault = new MatryoshkaError('session.wrong-peer', `whoever came to the meeting is not ${demand}, or does not show it`);
      session.close(fault);
      throw fault;
    } finally {
      limit.clear();
    }
  }
}
