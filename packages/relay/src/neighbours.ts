import type { Session } from '@matryoshka/peer';
import { type PeerId, peerIdFromHash } from '@matryoshka/session';
import { type NetworkBits, networkOf } from '@matryoshka/transport';
import { type Endpoint, type RelayDestination, parseAddress } from '@matryoshka/wire';
import type { RelayHost } from './relay-host.ts';

/** The identity of a session's other side, if it showed one. */
export function peerIdOf(session: Session): PeerId | undefined {
  return session.remote.authenticated ? session.remote.peerId : undefined;
}

/**
 * Where the other side of a session was seen: at its link's endpoint, and where this node dialled it. Of an accepted
 * relayed session the link's is that of the last relay, who is somebody else.
 */
export function seenEndpointsOf(session: Session): Endpoint[] {
  const endpoints = session.link.info.kind === 'relayed' && session.role === 'responder' ? [] : [session.link.remote];
  if (session.dialled !== undefined) endpoints.push(session.dialled);
  return endpoints;
}

/** Those, and where it claims to listen. */
export function endpointsOf(session: Session): Endpoint[] {
  return [...seenEndpointsOf(session), ...(session.hello?.listening ?? [])];
}

/** Whether sending over `session` would make `carried` carry itself (docs/protocol.md §8.1). */
export function wouldLoop(session: Session, carried: Session): boolean {
  return session === carried || session.link.info.carriers.includes(carried.id);
}

/**
 * Whether a session may serve others, and one's own links, as a way on. One on which this node shows no identity belongs
 * to a circuit, or to a user who wants to be nobody: never mixed with anything else.
 */
export function isShared(session: Session): boolean {
  return session.sending && !session.stalled && !session.anonymous;
}

/** The sessions that carry one; looks no further than to the last of them, which are older and so come first. */
export function carriersAmong(sessions: Iterable<Session>, { link }: Session): Session[] {
  const { carriers } = link.info;
  const found: Session[] = [];
  if (carriers.length === 0) return found;
  for (const session of sessions) {
    if (carriers.includes(session.id)) found.push(session);
    if (found.length === carriers.length) break;
  }
  return found;
}

/** A node by what is known of it: its identity and the places where it is. */
export interface Known {
  /** Undefined where it is not known. */
  readonly peerId?: PeerId | undefined;
  /** Everywhere it is known to be. */
  readonly endpoints: readonly Endpoint[];
}

/** Whom a next hop must neither be nor be near: by identity, and by the network of every endpoint known (R4, R5). */
export class Exclusion {
  readonly #bits: NetworkBits;
  readonly #peerIds: ReadonlySet<PeerId | undefined>;
  readonly #networks: ReadonlySet<string>;

  constructor(excluded: readonly Known[], bits: NetworkBits) {
    this.#bits = bits;
    this.#peerIds = new Set(excluded.map(({ peerId }) => peerId));
    this.#networks = new Set(excluded.flatMap(({ endpoints }) => networksOf(endpoints, bits)));
  }

  excludes(known: Known): boolean {
    return this.isOne(known) || this.isNear(known);
  }

  /** By identity. */
  isOne({ peerId }: Known): boolean {
    return peerId !== undefined && this.#peerIds.has(peerId);
  }

  /** By network. */
  isNear({ endpoints }: Known): boolean {
    return networksOf(endpoints, this.#bits).some((network) => this.#networks.has(network));
  }
}

/** Networks of endpoints; where a host name leads is not known here. */
export function networksOf(endpoints: readonly Endpoint[], bits: NetworkBits): string[] {
  return endpoints.filter(({ host }) => parseAddress(host) !== undefined).map(({ host }) => networkOf(host, bits));
}

/** What this node knows of itself and of those around it. */
export class Neighbours {
  readonly #host: RelayHost;

  constructor(host: RelayHost) {
    this.#host = host;
  }

  self(): Known {
    return { peerId: this.#host.peerId, endpoints: this.#host.ownEndpoints() };
  }

  /**
   * The previous hop, and those who carry its session. As of everybody around whom others are left out, only what was seen
   * of it counts: by what it claims, it could leave out all but those it likes.
   */
  previous(session: Session): Known[] {
    const peerId = peerIdOf(session);
    const sessions = peerId === undefined ? [session] : [session, ...this.#sessionsTo(peerId)];
    return [this.#seen(peerId, sessions), { endpoints: this.#carrying(session).flatMap(seenEndpointsOf) }];
  }

  /** The destination of a request, and the relay that it is at, if so: with a relay named, the endpoint is the relay's. */
  destination({ endpoint, peer, relay }: RelayDestination): Known[] {
    const place: Known = { endpoints: endpoint === undefined ? [] : [endpoint] };
    const named = [peer, relay].filter((hash) => hash !== undefined).map((hash) => peerIdFromHash(hash));
    return [place, ...named.map((peerId) => this.#seen(peerId, this.#sessionsTo(peerId)))];
  }

  /** A peer that may be left out, by all of its sessions and what else is known: what it claims counts against it. */
  peer(peerId: PeerId, sessions: readonly Session[]): Known {
    return { peerId, endpoints: [...sessions.flatMap((session) => this.#own(session, endpointsOf)), ...this.#host.endpointsOf(peerId)] };
  }

  /** Where those are that carry the session of such a peer; nowhere for a direct one. */
  carriersOf(session: Session): Known {
    return { endpoints: this.#carrying(session).flatMap(endpointsOf) };
  }

  #seen(peerId: PeerId | undefined, sessions: readonly Session[]): Known {
    const configured = peerId === undefined ? [] : this.#host.endpointsOf(peerId);
    return { peerId, endpoints: [...sessions.flatMap((session) => this.#own(session, seenEndpointsOf)), ...configured] };
  }

  /** Of a peer that was named by its id alone, the link has the place of the relay on the way, who is somebody else. */
  #own(session: Session, endpointsOfSession: (session: Session) => Endpoint[]): Endpoint[] {
    const way = this.#carrying(session).flatMap(endpointsOfSession);
    return endpointsOfSession(session).filter(({ host, port }) => !way.some((other) => other.host === host && other.port === port));
  }

  #carrying(session: Session): Session[] {
    return carriersAmong(this.#host.sessions(), session);
  }

  #sessionsTo(peerId: PeerId): Session[] {
    return [...this.#host.sessions()].filter((session) => peerIdOf(session) === peerId);
  }
}
