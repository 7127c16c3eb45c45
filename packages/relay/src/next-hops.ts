import type { Session } from '@matryoshka/peer';
import { type PeerId, peerIdFromHash, randomItem } from '@matryoshka/session';
import { MatryoshkaError, type RelayCreate, type RelayDestination, formatEndpoint, sameEndpoint } from '@matryoshka/wire';

import { checkDial } from './dial-policy.ts';
import { type Excluded, endpointsOf, isExcluded, mayRelay, peerIdOf, wouldLoop } from './neighbours.ts';
import type { RelayOptions } from './options.ts';
import { MAX_NESTING } from './relay-link.ts';
import type { RelayHost } from './relay-service.ts';
import type { Candidate } from './routing-policy.ts';

/** Finds the session over which a relay link goes on: a random neighbour (R4), or the way to its destination (R9). */
export class NextHops {
  readonly #host: RelayHost;
  readonly #options: RelayOptions;
  readonly #portTaken: (session: Session, port: bigint) => boolean;
  readonly #linksOn: (session: Session) => number;
  /** Connections made only to serve relay links. */
  readonly #made = new Set<Session>();

  constructor(host: RelayHost, options: RelayOptions, portTaken: (session: Session, port: bigint) => boolean, linksOn: (session: Session) => number) {
    this.#host = host;
    this.#options = options;
    this.#portTaken = portTaken;
    this.#linksOn = linksOn;
  }

  /**
   * The next hop for a request that came on `previous`.
   * @throws MatryoshkaError `relay.no-peers-available`, `relay.destination-unreachable`, `relay.destination-forbidden`
   */
  async next(previous: Session, request: RelayCreate, tried: ReadonlySet<Session>): Promise<Session> {
    const { destination, hopsLeft } = request;
    if (hopsLeft === 1) return this.#toDestination(previous, destination, request.budgetMs);
    // The peer is at a relay, and one hop is left before it: that relay is the last hop (R3).
    if (hopsLeft === 2 && destination.relay !== undefined) {
      const { relay, endpoint } = destination;
      return this.#toDestination(previous, { peer: relay, ...(endpoint && { endpoint }) }, request.budgetMs);
    }
    const excluded = [this.#self(), { peerId: peerIdOf(previous), endpoints: endpointsOf(previous) }, this.#excludedDestination(destination)];
    const usable = (session: Session): boolean =>
      session !== previous && !tried.has(session) && !wouldLoop(session, previous) && !this.#portTaken(session, request.port) && !isExcluded(session, excluded, this.#options.networkBits);
    return this.#choose({ hopsLeft: hopsLeft - 1, destination, role: 'next-hop' }, usable);
  }

  /** The originator's first relay (R18): the same exclusions, without a previous hop. For one hop: the destination itself (R2). */
  gateway(destination: RelayDestination, hops: number): Session {
    if (hops === 1) {
      const session = this.#existing(undefined, destination);
      if (session === undefined) throw new MatryoshkaError('relay.destination-unreachable', 'one hop needs a connection to the destination itself');
      return session;
    }
    const excluded = [this.#self(), this.#excludedDestination(destination)];
    return this.#choose({ hopsLeft: hops - 1, destination, role: 'gateway' }, (session) => !isExcluded(session, excluded, this.#options.networkBits));
  }

  /** A session without relay links: if it was made only for them it closes after the idle grace (R9). */
  idle(session: Session, still: () => boolean): void {
    if (!this.#made.has(session)) return;
    this.#host.clock.after(this.#options.idleMs, () => {
      if (!still() || !session.sending || [...session.streams].length > 0) return;
      this.#made.delete(session);
      session.close(new MatryoshkaError('closed'));
    });
  }

  #choose(request: Parameters<RelayOptions['policy']['selectNextHop']>[0], usable: (session: Session) => boolean): Session {
    const sessions = new Map<Candidate, Session>();
    for (const session of this.#host.sessions()) {
      if (session.sending && mayRelay(session) && session.link.info.nesting < MAX_NESTING && usable(session)) sessions.set(this.#candidate(session), session);
    }
    const chosen = this.#options.policy.selectNextHop(request, [...sessions.keys()], this.#host.random);
    const session = chosen === undefined ? undefined : sessions.get(chosen);
    if (session === undefined) throw new MatryoshkaError('relay.no-peers-available');
    return session;
  }

  #candidate(session: Session): Candidate {
    return {
      peerId: peerIdOf(session),
      endpoint: session.link.remote,
      links: this.#linksOn(session),
      roundTripMs: session.roundTripMs,
      ageMs: this.#host.clock.now() - session.openedAtMs,
    };
  }

  /** The last hop (R9): a connection there is to the destination, also one that is itself relayed; else a new direct one. */
  async #toDestination(previous: Session, destination: RelayDestination, budgetMs: number): Promise<Session> {
    if (destination.peer !== undefined && peerIdFromHash(destination.peer) === this.#host.peerId) throw new MatryoshkaError('relay.loop', 'this relay is the destination itself');
    const existing = this.#existing(previous, destination);
    if (existing !== undefined) return existing;
    const { endpoint } = destination;
    if (endpoint === undefined || destination.relay !== undefined) throw new MatryoshkaError('relay.destination-unreachable', 'no connection to the destination here');
    checkDial(endpoint, this.#options.allowDial);
    const controller = new AbortController();
    const timer = this.#host.clock.after(budgetMs, () => controller.abort());
    try {
      const session = await this.#host.dial(endpoint, destination.peer && peerIdFromHash(destination.peer), controller.signal);
      this.#made.add(session);
      void session.closed.then(() => this.#made.delete(session));
      return session;
    } catch (error) {
      // What exactly failed is nobody's business further away (R17).
      throw new MatryoshkaError('relay.destination-unreachable', `${formatEndpoint(endpoint)} could not be reached`, { cause: error });
    } finally {
      timer.cancel();
    }
  }

  /** A session that counts as one to the destination: dialled there, or authenticated as the peer; claims never count (R9). */
  #existing(previous: Session | undefined, { endpoint, peer, relay }: RelayDestination): Session | undefined {
    const peerId = peer && peerIdFromHash(peer);
    // With a relay named, the endpoint is the relay's.
    const dialled = relay === undefined ? endpoint : undefined;
    const found = [...this.#host.sessions()].filter(
      (session) =>
        session.sending &&
        session !== previous &&
        !wouldLoop(session, previous) &&
        session.link.info.nesting < MAX_NESTING &&
        (peerId === undefined ? dialled !== undefined && session.dialled !== undefined && sameEndpoint(session.dialled, dialled) : peerIdOf(session) === peerId),
    );
    const direct = found.filter((session) => session.link.info.kind === 'direct');
    return randomItem(this.#host.random, direct.length > 0 ? direct : found);
  }

  #self(): Excluded {
    return { peerId: this.#host.peerId, endpoints: this.#host.ownEndpoints() };
  }

  #excludedDestination({ endpoint, peer }: RelayDestination): Excluded {
    const peerId: PeerId | undefined = peer && peerIdFromHash(peer);
    const known = peerId === undefined ? [] : [...this.#host.sessions()].filter((session) => peerIdOf(session) === peerId).flatMap(endpointsOf);
    return { peerId, endpoints: endpoint === undefined ? known : [endpoint, ...known] };
  }
}
