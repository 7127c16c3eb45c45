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
 * Every endpoint a session tells of its other side: its link's, the one dialled, and those it announces. Of an accepted
 * relayed session the link's is that of the last relay, who is somebody else.
 */
export function endpointsOf(session: Session): Endpoint[] {
  const endpoints = session.link.info.kind === 'relayed' && session.role === 'responder' ? [] : [session.link.remote];
  if (session.dialled !== undefined) endpoints.push(session.dialled);
  if (session.hello !== undefined) endpoints.push(...session.hello.listening);
  return endpoints;
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

/** A node by what is known of it: its identity and the places where it is. */
export interface Known {
  readonly peerId?: PeerId | undefined;
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

  /** The other side of a session. */
  of(session: Session): Known {
    const peerId = peerIdOf(session);
    return peerId === undefined ? { endpoints: this.#endpointsOf(session) } : this.peer(peerId, [session, ...this.#sessionsTo(peerId)]);
  }

  /** Where those are that carry a session; nowhere for a direct one. */
  carriersOf(session: Session): Known {
    const { carriers } = session.link.info;
    const carrying = carriers.length === 0 ? [] : [...this.#host.sessions()].filter(({ id }) => carriers.includes(id));
    return { endpoints: carrying.flatMap(endpointsOf) };
  }

  /** The destination of a request, and the relay that it is at, if so: with a relay named, the endpoint is the relay's. */
  destination({ endpoint, peer, relay }: RelayDestination): Known[] {
    const place: Known = { endpoints: endpoint === undefined ? [] : [endpoint] };
    const named = [peer, relay].filter((hash) => hash !== undefined).map((hash) => peerIdFromHash(hash));
    return [place, ...named.map((peerId) => this.peer(peerId, this.#sessionsTo(peerId)))];
  }

  /** A peer, by all of its sessions and what else is known. */
  peer(peerId: PeerId, sessions: readonly Session[]): Known {
    return { peerId, endpoints: [...sessions.flatMap((session) => this.#endpointsOf(session)), ...this.#host.endpointsOf(peerId)] };
  }

  /** Of a peer that was named by its id alone, the link has the place of the relay on the way, who is somebody else. */
  #endpointsOf(session: Session): Endpoint[] {
    const way = this.carriersOf(session).endpoints;
    return endpointsOf(session).filter(({ host, port }) => !way.some((other) => other.host === host && other.port === port));
  }

  #sessionsTo(peerId: PeerId): Session[] {
    return [...this.#host.sessions()].filter((session) => peerIdOf(session) === peerId);
  }
}
