import type { CircuitRoute } from '@matryoshka/circuit';
import type { Session, Stream, TrafficSettings } from '@matryoshka/peer';
import { peerIdOf } from '@matryoshka/relay';
import type { PeerId } from '@matryoshka/session';
import { type Endpoint, MatryoshkaError, type ReasonCode, type RelayLimits, statedReason } from '@matryoshka/wire';
import type { RerouteOptions } from './connect-options.ts';
import { type TrafficOption, type TrafficStatus, parseTraffic, presetOf } from './traffic-options.ts';

/** How a connection gets to its peer. */
export type ConnectionKind = 'direct' | 'relayed' | 'telescoped';

/** What is known of a connection from how it was made here. */
export interface Origin {
  /** Relayed to an endpoint without a peer id (R11). */
  readonly unverified?: true;
  /** The far end of a circuit. */
  readonly telescoped?: true;
  /** What it goes through. */
  circuit?: {
    readonly route: CircuitRoute;
    readonly end: { readonly peerId: PeerId; readonly remote?: Endpoint };
    /** How long its first handshake took, in milliseconds. */
    handshakeMs: number | undefined;
    /** How its traffic looks, where that is not as on all connections. */
    settings: TrafficSettings | undefined;
  };
}

/** One hop of a telescoped connection, as this node knows it. */
export interface HopStatus {
  /** Who it has proven to be. */
  readonly peerId: PeerId;
  /** Where the hop before it reaches it; of a far end at a relay, where that relay is. */
  readonly endpoint: Endpoint;
  /** Of the session that ends there; `open` is what it should be. */
  readonly state: 'open' | 'stalled' | 'suspended' | 'closed';
  /** Through all hops before it, in milliseconds: of its last ping, else of its handshake. */
  readonly roundTripMs: number | undefined;
  /** Of all records of its session, what it carries included. */
  readonly bytesSent: number;
  /** The same of what came. */
  readonly bytesReceived: number;
  /** Of those that were sent, what nobody needed: all of cover, and padding, that of cover included. */
  readonly coverBytesSent: number;
  /** The padding alone, in bytes. */
  readonly paddingBytesSent: number;
  /** How long the key it is sent to with has been in use, in milliseconds. */
  readonly keyAgeMs: number;
}

/** Moves the session of a connection. */
export type Reroute = (session: Session, options: RerouteOptions) => Promise<void>;

/** What the user holds: a session and its current link. */
export class Connection implements AsyncDisposable {
  readonly #session: Session;
  readonly #origin: Origin;
  readonly #reroute: Reroute;

  /** @internal Made by a node. */
  constructor(session: Session, reroute: Reroute, origin: Origin = {}) {
    this.#session = session;
    this.#reroute = reroute;
    this.#origin = origin;
  }

  /** Names the connection within this node. */
  get id(): string {
    return this.#session.id;
  }

  /** What its link is made of: `direct`, `relayed`, or `telescoped`. */
  get kind(): ConnectionKind {
    return this.#origin.telescoped === true ? 'telescoped' : this.#session.link.info.kind;
  }

  /** Who opened it. */
  get role(): 'initiator' | 'responder' {
    return this.#session.role;
  }

  /** Whether the other side is proven to be who it should be: false for one without identity, and for an unverified destination (R11). */
  get authenticated(): boolean {
    return this.#session.remote.authenticated && this.#origin.unverified !== true;
  }

  /** The identity that the other side has proven, if it has shown one. Of an unverified destination: of whoever answered. */
  get peerId(): PeerId | undefined {
    return peerIdOf(this.#session);
  }

  /** This end; with a relay port where the connection is relayed (R7). */
  get local(): Endpoint {
    return this.#session.link.local;
  }

  /** The other end as this side sees it: of an accepted relayed connection, the last relay and the relay port (R11). */
  get remote(): Endpoint {
    return this.#session.link.remote;
  }

  /** Relay links below this connection. */
  get nesting(): number {
    return this.#session.link.info.nesting;
  }

  /** Names of the connections that it runs over, the nearest first. Empty for a direct one. */
  get carriers(): readonly string[] {
    return this.#session.link.info.carriers;
  }

  /** Whether this side has shown no identity. */
  get anonymous(): boolean {
    return this.#session.anonymous;
  }

  /** Whether the other side announces that it serves relay links; undefined until its hello has come. */
  get relaying(): boolean | undefined {
    return this.#session.hello?.relaying;
  }

  /** The hops of a telescoped connection as they are now, the far end last; undefined for others. */
  get hops(): readonly HopStatus[] | undefined {
    const { circuit: made } = this.#origin;
    const circuit = made?.route.circuit;
    if (made === undefined || circuit === undefined) return undefined;
    const { peerId, remote } = made.end;
    const hops = circuit.hops.map((hop) => hopStatus(hop.session, hop.peerId, hop.endpoint, hop.handshakeMs));
    return [...hops, hopStatus(this.#session, peerId, remote ?? this.#session.link.remote, made.handshakeMs)];
  }

  /** What the relays on its way allow it (R16), each part 0 where they have no limit; of relayed connections opened here, else undefined. */
  get limits(): RelayLimits | undefined {
    return this.role === 'initiator' ? this.#session.link.info.limits : undefined;
  }

  /** Bytes of records that went out on it, those of its handshakes not counted. */
  get bytesSent(): number {
    return this.#session.bytesSent;
  }

  /** Bytes of records that came in on it, those of its handshakes not counted. */
  get bytesReceived(): number {
    return this.#session.bytesReceived;
  }

  /** Streams that are open on it, of both sides. */
  get streams(): number {
    return [...this.#session.streams].length;
  }

  /** Round-trip time of the last liveness probe in milliseconds, once there was one. */
  get roundTripMs(): number | undefined {
    return this.#session.roundTripMs;
  }

  /** How it looks to those who see its bytes. */
  get traffic(): TrafficStatus {
    const { settings, recordLength } = this.#session.traffic;
    return { preset: presetOf(settings), ...settings, recordBytes: recordLength };
  }

  /**
   * Changes how it looks to those who see its bytes, from the next record on; undefined: as all connections of this node. Of
   * a telescoped one it holds for every hop but the first.
   * @throws MatryoshkaError `config.invalid` that names what is wrong; then nothing changes
   */
  updateTraffic(traffic: TrafficOption | undefined): void {
    const settings = traffic === undefined ? undefined : parseTraffic(traffic);
    const { circuit } = this.#origin;
    if (circuit !== undefined) circuit.settings = settings;
    for (const { session } of circuit?.route.circuit?.hops.slice(1) ?? []) session.traffic.update(settings);
    this.#session.traffic.update(settings);
  }

  /** Whether it is not over; it may be suspended. */
  get open(): boolean {
    return this.#session.sending;
  }

  /** `suspended`: its link is gone and it waits for the next one; streams go on where they were once it has it. */
  get state(): 'open' | 'suspended' | 'closed' {
    if (!this.#session.sending) return 'closed';
    return this.#session.suspended ? 'suspended' : 'open';
  }

  /** Resolves with the reason when the connection is over; never rejects. */
  get closed(): Promise<MatryoshkaError> {
    return this.#session.closed;
  }

  /**
   * Opens a stream; resolves when the other side serves `protocol`.
   * @throws MatryoshkaError `stream.unknown-protocol`, `stream.limit`, `aborted`, or why the connection ended
   */
  openStream(protocol: string, options: { readonly signal?: AbortSignal } = {}): Promise<Stream> {
    return this.#session.openStream(protocol, options);
  }

  /**
   * Moves it to another path while it lives: the new one is made before the old one is left, and streams notice nothing
   * (docs/protocol.md §5.2). Relayed, over other relays; telescoped, through another circuit; with `hops`, a direct
   * connection becomes a relayed one; else it is dialled once more.
   * @throws MatryoshkaError `relay.no-peers-available` where there is no other path, such as over a circuit whose path was
   * named; `session.not-reroutable` for a connection that the other side has opened; or what else went wrong. The old path
   * goes on then
   */
  async reroute(options: RerouteOptions = {}): Promise<void> {
    const { gateway, hops, signal } = options;
    if (this.kind !== 'telescoped') await this.#reroute(this.#session, options);
    else if (gateway === undefined && hops === undefined) await this.#session.reroute(undefined, signal);
    else throw new MatryoshkaError('session.not-reroutable', 'hops and gateway say nothing of a telescoped connection: its circuit does');
  }

  /** Closes it, and with it the hops of its circuit. What streams have not sent yet is lost: end them first. */
  async close(reason: ReasonCode = 'closed'): Promise<void> {
    this.#session.close(statedReason(reason));
    await this.closed;
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** What is known of the hop at the other end of a session. */
export function hopStatus(session: Session, peerId: PeerId, endpoint: Endpoint, handshakeMs: number | undefined): HopStatus {
  const { bytesReceived, bytesSent, keyAgeMs, roundTripMs, sending, stalled, suspended } = session;
  const { coverBytesSent, paddingBytesSent } = session.traffic;
  const state = !sending ? 'closed' : suspended ? 'suspended' : stalled ? 'stalled' : 'open';
  return {
    peerId,
    endpoint,
    state,
    roundTripMs: roundTripMs ?? handshakeMs,
    bytesSent,
    bytesReceived,
    coverBytesSent,
    paddingBytesSent,
    keyAgeMs,
  };
}
