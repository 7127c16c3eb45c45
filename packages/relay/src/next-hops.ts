import type { Session } from '@matryoshka/peer';
import { type PeerId, randomItem } from '@matryoshka/session';
import { MatryoshkaError, type RelayDestination } from '@matryoshka/wire';
import { Exclusion, type Known, type Neighbours, isShared, peerIdOf, wouldLoop } from './neighbours.ts';
import type { RelayOptions } from './options.ts';
import type { RelayHost } from './relay-host.ts';
import { MAX_NESTING } from './relay-link.ts';
import type { Candidate, RelayRequest } from './routing-policy.ts';

/** What the choice of a next hop has to know of the links there are. */
export interface LinkCounts {
  /** Relay links on a session. */
  count(session: Session): number;
  /** Whether a link that came with `port` can go on over a session (R6). */
  free(session: Session, port: bigint): boolean;
  /** Whether the other side of a session allows another request now (R14). */
  room(session: Session): boolean;
}

/** A request that looks for its next hop. */
export interface NextHopRequest {
  readonly previous: Session;
  readonly destination: RelayDestination;
  readonly port: bigint;
  /** Hops after this node. */
  readonly hopsLeft: number;
  /** Those that were asked already. */
  readonly tried: ReadonlySet<Session>;
}

/** Chooses neighbours to carry relay links on, at random within the exclusions (R4, R18). */
export class NextHops {
  readonly #host: RelayHost;
  readonly #neighbours: Neighbours;
  readonly #options: RelayOptions;
  readonly #links: LinkCounts;

  constructor(host: RelayHost, neighbours: Neighbours, options: RelayOptions, links: LinkCounts) {
    this.#host = host;
    this.#neighbours = neighbours;
    this.#options = options;
    this.#links = links;
  }

  /**
   * The next hop for someone else's request.
   * @throws MatryoshkaError `relay.no-peers-available`; `relay.busy` where all that could be have got enough requests
   */
  next({ previous, destination, port, hopsLeft, tried }: NextHopRequest): Session {
    const neighbours = this.#neighbours;
    // Of an anonymous previous hop behind a relay, that relay is all that is known.
    const excluded = [neighbours.self(), neighbours.of(previous), neighbours.carriersOf(previous), ...neighbours.destination(destination)];
    const triedPeers = new Set([...tried].map(peerIdOf));
    const request: RelayRequest = { hopsLeft: hopsLeft - 1, destination, role: 'next-hop' };
    const usable = (session: Session): boolean =>
      !triedPeers.has(peerIdOf(session)) && !wouldLoop(session, previous) && this.#links.free(session, port);
    const chosen = this.#choose(request, excluded, (session) => usable(session) && this.#links.room(session));
    if (chosen !== undefined) return chosen;
    throw new MatryoshkaError(this.#choose(request, excluded, usable) === undefined ? 'relay.no-peers-available' : 'relay.busy');
  }

  /**
   * The originator's first relay (R18): the same exclusions, without a previous hop.
   * @param avoid - whom else not to choose (R13)
   * @throws MatryoshkaError `relay.no-peers-available`
   */
  gateway(destination: RelayDestination, hops: number, avoid: Iterable<PeerId> = []): Session {
    const avoided = Array.from(avoid, (peerId): Known => ({ peerId, endpoints: [] }));
    const excluded = [this.#neighbours.self(), ...this.#neighbours.destination(destination), ...avoided];
    const request: RelayRequest = { hopsLeft: hops - 1, destination, role: 'gateway' };
    // Where none has room for another request, its error says when there will be.
    const chosen = this.#choose(request, excluded, (session) => this.#links.room(session)) ?? this.#choose(request, excluded, () => true);
    if (chosen === undefined) throw new MatryoshkaError('relay.no-peers-available');
    return chosen;
  }

  /** Whether a peer that is not connected could be the first relay on the way to `destination`. */
  mayBeGateway(candidate: Known, destination: RelayDestination): boolean {
    return !this.#exclusion([this.#neighbours.self(), ...this.#neighbours.destination(destination)]).excludes(candidate);
  }

  #choose(request: RelayRequest, excluded: readonly Known[], usable: (session: Session) => boolean): Session | undefined {
    const exclusion = this.#exclusion(excluded);
    const sessions = new Map<Candidate, Session>();
    for (const [peerId, all] of this.#byPeer()) {
      // One that is itself relayed is judged by where it is and by where those are that carry it.
      const able = all.filter(
        (session) => mayRelay(session) && usable(session) && !exclusion.excludes(this.#neighbours.carriersOf(session)),
      );
      if (able.length === 0 || exclusion.excludes(this.#neighbours.peer(peerId, all))) continue;
      const session = this.#best(able);
      sessions.set(this.#candidate(session), session);
    }
    const chosen = this.#options.policy.selectNextHop(request, [...sessions.keys()], this.#host.random);
    return chosen === undefined ? undefined : sessions.get(chosen);
  }

  #exclusion(excluded: readonly Known[]): Exclusion {
    return new Exclusion(excluded, this.#options.networkBits);
  }

  /** One candidate per peer: who has many sessions is no more likely than others. Anonymous ones are none (R4). */
  #byPeer(): Map<PeerId, Session[]> {
    const byPeer = new Map<PeerId, Session[]>();
    for (const session of this.#host.sessions()) {
      const peerId = peerIdOf(session);
      if (peerId === undefined) continue;
      const others = byPeer.get(peerId);
      if (others === undefined) byPeer.set(peerId, [session]);
      else others.push(session);
    }
    return byPeer;
  }

  /** A direct session to a peer rather than a relayed one. */
  #best(sessions: readonly Session[]): Session {
    const direct = sessions.filter((session) => session.link.info.kind === 'direct');
    return randomItem(this.#host.random, direct.length > 0 ? direct : sessions) as Session;
  }

  #candidate(session: Session): Candidate {
    return {
      peerId: peerIdOf(session) as PeerId,
      endpoint: session.link.remote,
      links: this.#links.count(session),
      roundTripMs: session.roundTripMs,
      ageMs: this.#host.clock.now() - session.openedAtMs,
    };
  }
}

/** Whether a session's other side can be chosen at random at all: one that announces relaying. */
function mayRelay(session: Session): boolean {
  return isShared(session) && session.hello?.relaying === true && session.link.info.nesting < MAX_NESTING;
}
