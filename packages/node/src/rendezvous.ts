import { type LinkSource, type Session, type SessionEnvironment, connectSession, deadline } from '@matryoshka/peer';
import type { RelayService } from '@matryoshka/relay';
import { type PeerId, parsePeerId } from '@matryoshka/session';
import type { Link } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';
import type { ConnectOptions } from './connect-options.ts';
import { MeetingPlaces, type MeetingPlace, checkedToken } from './meeting-places.ts';
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
  /**
   * Where both go next when the relay is lost, in this order; each token is good once. Two or more make up for both of them
   * coming in the wrong order. Without any the connection ends with the relay.
   */
  readonly further?: readonly MeetingPlace[];
}

export interface RendezvousParts {
  readonly environment: SessionEnvironment;
  readonly relay: RelayService;
  readonly suiteFor: SuiteChoice;
  /** A telescoped session to the relay. */
  connect(relay: string, options: ConnectOptions): Promise<Session>;
  /** Answers a handshake. */
  readonly offer: (link: Link, first: Uint8Array) => void;
}

/**
 * Meets peers at relays that know neither of the two (docs/protocol.md §8.7): both telescope to the relay and present the
 * same token; whoever was there first answers the handshake of the other one, end to end.
 */
export class Rendezvous {
  readonly #parts: RendezvousParts;
  /** Links on which somebody was met who begins the handshake. */
  readonly #awaited = new WeakMap<Link, (session: Session) => void>();
  /** Where the initiators of sessions that this node has answered may come again. */
  readonly #attending = new Map<Session, MeetingPlaces>();

  constructor(parts: RendezvousParts) {
    this.#parts = parts;
  }

  /** See `MatryoshkaNode.meet`. */
  async meet(token: Uint8Array, { relay, peer, anonymous = true, further = [], ...way }: MeetOptions): Promise<Session> {
    const first = { relay, token: checkedToken(token) };
    const demand = peer === undefined ? undefined : parsePeerId(peer);
    const places = new MeetingPlaces(further, (place) =>
      this.#parts.connect(place.relay, { ...way, ...(way.path === undefined && { circuit: way.circuit ?? {} }) }),
    );
    const gateway = await places.go(first);
    try {
      const session = await this.#meet(gateway, first.token, places, { demand, anonymous, signal: way.signal });
      if (session.role === 'responder' && further.length > 0) this.#attending.set(session, places);
      void session.closed.then(() => {
        this.#attending.delete(session);
        places.leave();
      });
      return session;
    } catch (error) {
      places.leave();
      throw error;
    }
  }

  /** A session has lost its link. If that was to where somebody was met, they may wait elsewhere. */
  suspended(session: Session): void {
    for (const [met, places] of this.#attending) if (met === session || places.isGateway(session)) void places.attend(met, this.#parts);
  }

  /** A session was opened by somebody; it may be who was awaited. */
  opened(session: Session): void {
    this.#awaited.get(session.link)?.(session);
  }

  async #meet(
    gateway: Session,
    token: Uint8Array,
    places: MeetingPlaces,
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
        if (made?.suspended === false && gateway.sending && !places.isLost(made, environment.clock.now()))
          throw new MatryoshkaError('relay.carrier-lost', 'the way to the relay is interrupted');
        // The token is used up, and so is the link.
        if (session !== undefined) return places.meetAgain(this.#parts, { first, ...(reason !== undefined && { reason }) }, attempt);
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
