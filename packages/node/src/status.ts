import type { CircuitPool } from '@matryoshka/circuit';
import { type ServedLink, type ServedSide, peerIdOf } from '@matryoshka/relay';
import { peerIdFromHash } from '@matryoshka/session';
import { type RelayDestination, type RelayLimits, formatEndpoint } from '@matryoshka/wire';
import { type Connection, type HopStatus, hopStatus } from './connection.ts';
import type { RegistrationStatus } from './registrars.ts';
import type { TrafficStatus } from './traffic-options.ts';

/** A neighbour of a relay link that is forwarded, as this node knows it. */
export interface NeighbourStatus {
  /** Undefined where it showed no identity. */
  readonly peerId: string | undefined;
  /** Where it is, as its link shows that. */
  readonly endpoint: string;
}

/** A relay link this node forwards: everything it knows about it (R12). */
export interface RelayLinkStatus {
  /** Decimal: on the side of the previous hop. */
  readonly port: string;
  /** On the side of the next hop: another one where relay ports are per hop (R6). */
  readonly nextPort: string | undefined;
  /** From `choosing` a next hop on to `closed`. */
  readonly state: ServedLink['state'];
  /** Who asked for it. */
  readonly previousHop: NeighbourStatus;
  /** Undefined until it is chosen. */
  readonly nextHop: NeighbourStatus | undefined;
  /** Hops after this node. */
  readonly hopsLeft: number;
  /** Whom it is for, as far as a relay is told. */
  readonly destination: string;
  /** Away from the originator, relay data alone. */
  readonly bytesForward: number;
  /** Toward the originator. */
  readonly bytesBackward: number;
}

/** A connection, ready for JSON; times in milliseconds, endpoints as text. */
export interface ConnectionStatus {
  /** Names it within this node. */
  readonly id: string;
  /** What its link is made of. */
  readonly kind: Connection['kind'];
  /** Whether this node opened it. */
  readonly role: Connection['role'];
  /** `open`, `suspended` or `closed`. */
  readonly state: Connection['state'];
  /** Undefined where the other side showed no identity. */
  readonly peerId: string | undefined;
  /** Whether the other side has proven to be `peerId`. */
  readonly authenticated: boolean;
  /** This end of its link. */
  readonly local: string;
  /** The other end of its link. */
  readonly remote: string;
  /** Relay links below it: 0 for a direct one. */
  readonly nesting: number;
  /** Ids of the connections that it runs over, the nearest first. */
  readonly carriers: readonly string[];
  /** Whether this side has shown no identity. */
  readonly anonymous: boolean;
  /** Whether the other side says that it serves relay links; undefined until its hello has come. */
  readonly relaying: boolean | undefined;
  /** Of all records, cover and padding included. */
  readonly bytesSent: number;
  /** The same of what came. */
  readonly bytesReceived: number;
  /** Streams that are open on it, of both sides. */
  readonly streams: number;
  /** Of the last liveness probe, once there was one. */
  readonly roundTripMs: number | undefined;
  /** How it looks to those who see its bytes. */
  readonly traffic: TrafficStatus;
  /** What the relays on its way allow it, each part 0 where they have no limit (R16); of relayed connections that were opened here. */
  readonly limits?: RelayLimits;
  /** Of a telescoped connection, the far end last. */
  readonly hops?: readonly CircuitHopStatus[];
}

/** A hop, ready for JSON. */
export interface CircuitHopStatus extends Omit<HopStatus, 'endpoint'> {
  /** Where the hop before it reaches it. */
  readonly endpoint: string;
}

/** A circuit whose relays were chosen here, in use or ready. */
export interface CircuitStatus {
  /** Its relays. */
  readonly hops: readonly CircuitHopStatus[];
  /** Connections that go through it; 0: it waits for one. */
  readonly users: number;
}

/** All that a node tells of itself, ready for JSON; it names peers and addresses. */
export interface NodeStatus {
  /** Name of this node. */
  readonly peerId: string;
  /** Where it listens, with the ports the system chose. */
  readonly listening: readonly string[];
  /** Whether it serves relay links. */
  readonly relayEnabled: boolean;
  /** All that are open or suspended. */
  readonly connections: readonly ConnectionStatus[];
  /** Those whose relays were chosen from the directory. */
  readonly circuits: readonly CircuitStatus[];
  /** Links forwarded for others. */
  readonly relayLinks: readonly RelayLinkStatus[];
  /** Ends of relay links on all connections: one's own, accepted ones, and both sides of those forwarded. */
  readonly relayLinkEnds: number;
  /** Relays that this node is reached through, or wants to be. */
  readonly registrations: readonly RegistrationStatus[];
  /** Peers that are reached through this node because they registered with it. */
  readonly registeredPeers: readonly string[];
  /** Credit granted for relaying, of what may be. */
  readonly relayMemory: { readonly takenBytes: number; readonly totalBytes: number };
}

/** What there is to say of a connection, ready for JSON. */
export function connectionStatus(connection: Connection): ConnectionStatus {
  const {
    id,
    kind,
    role,
    state,
    peerId,
    authenticated,
    nesting,
    carriers,
    anonymous,
    relaying,
    bytesSent,
    bytesReceived,
    streams,
    roundTripMs,
    traffic,
    hops,
    limits,
  } = connection;
  return {
    id,
    kind,
    role,
    state,
    peerId,
    authenticated,
    nesting,
    carriers,
    anonymous,
    relaying,
    bytesSent,
    bytesReceived,
    streams,
    roundTripMs,
    traffic,
    local: formatEndpoint(connection.local),
    remote: formatEndpoint(connection.remote),
    ...(limits !== undefined && { limits }),
    ...(hops !== undefined && { hops: hops.map(ready) }),
  };
}

export function circuitStatus({ circuit, users }: CircuitPool['circuits'][number]): CircuitStatus {
  return { users, hops: circuit.hops.map((hop) => ready(hopStatus(hop.session, hop.peerId, hop.endpoint, hop.handshakeMs))) };
}

function ready({ endpoint, ...hop }: HopStatus): CircuitHopStatus {
  return { ...hop, endpoint: formatEndpoint(endpoint) };
}

export function relayLinkStatus(link: ServedLink): RelayLinkStatus {
  const { request, upstream, downstream, state } = link;
  return {
    port: String(request.port),
    nextPort: downstream && String(downstream.port),
    state,
    previousHop: neighbour(upstream),
    nextHop: downstream && neighbour(downstream),
    hopsLeft: request.hopsLeft,
    destination: destinationText(request.destination),
    bytesForward: downstream?.egress.sentBytes ?? 0,
    bytesBackward: upstream.egress.sentBytes,
  };
}

function neighbour({ session }: ServedSide): NeighbourStatus {
  return { peerId: peerIdOf(session), endpoint: formatEndpoint(session.link.remote) };
}

function destinationText({ endpoint, peer, relay }: RelayDestination): string {
  return [peer && peerIdFromHash(peer), relay && peerIdFromHash(relay), endpoint && formatEndpoint(endpoint)]
    .filter((part) => part !== undefined)
    .join('@');
}
