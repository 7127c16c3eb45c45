import { type Circuit, type CircuitHop, type Hop, buildCircuit } from '@matryoshka/circuit';
import { type ConnectSessionOptions, type Session, type SessionEnvironment, connectSession } from '@matryoshka/peer';
import { MAX_HOPS, type RelayService } from '@matryoshka/relay';
import { type PeerId, peerHash, randomBelow } from '@matryoshka/session';
import type { Transport } from '@matryoshka/transport';
import { type Destination, type Endpoint, MatryoshkaError, type RelayDestination, type SuiteName, formatDestination, formatEndpoint } from '@matryoshka/wire';
import type { AddressBook, Resolved } from './address-book.ts';
import type { SessionRegistry } from './registry.ts';

/** A relayed connect waits longer than a request may take (R15), in milliseconds. */
const RELAYED_TIMEOUT_MS = 35_000;
/** How long the choice of a first relay waits for hellos that are on their way, in milliseconds. */
const GREETING_TIMEOUT_MS = 2_000;

export interface ConnectOptions {
  /** Relayed over this many hops, 1 to 15; the relays choose the next ones (R2). 1: doubly encrypted, through the peer itself. */
  readonly hops?: number;
  /** The first relay: a peer id, or `peerId@host:port` to connect to it first (R18). At random by default. */
  readonly gateway?: string;
  /** Telescoped through these peers, `peerId@host:port` each, in this order. */
  readonly path?: readonly (string | PathHop)[];
  /** Shows no identity to the peer. Default: true for telescoped connections, false for others. */
  readonly anonymous?: boolean;
  /** Allows a relayed connection to an endpoint without a peer id; it then reports `authenticated: false` (R11). */
  readonly unverifiedDestination?: boolean;
  readonly signal?: AbortSignal;
}

/** A hop whose static key is known, which saves the proof of identity its round: `NKhfs` instead of `XXhfs`. */
export interface PathHop {
  /** `peerId@host:port`. */
  readonly peer: string;
  /** X25519 static key of a descriptor that was verified, 32 bytes. */
  readonly staticKey: Uint8Array;
}

export interface ConnectorParts {
  readonly environment: SessionEnvironment;
  readonly sessions: SessionRegistry;
  readonly relay: RelayService;
  readonly book: AddressBook;
  readonly transports: readonly Transport[];
  readonly suite: SuiteName;
}

/** Makes connections: direct, relayed and telescoped. All three are the same session over different links. */
export class Connector {
  readonly #parts: ConnectorParts;

  constructor(parts: ConnectorParts) {
    this.#parts = parts;
  }

  async connect(destination: string | Destination, options: ConnectOptions): Promise<{ readonly session: Session; readonly circuit?: Circuit }> {
    if (options.path !== undefined && options.hops !== undefined) throw new MatryoshkaError('config.invalid', 'hops and path exclude each other: with a path its peers are the hops');
    if (options.gateway !== undefined && options.hops === undefined) throw new MatryoshkaError('config.invalid', 'gateway needs hops');
    if (options.hops !== undefined && (!Number.isInteger(options.hops) || options.hops < 1 || options.hops > MAX_HOPS)) throw hopsInvalid(options.hops);
    const to = await this.#parts.book.resolve(destination);
    if (to.peerId === this.#parts.environment.identity.peerId) throw new MatryoshkaError('session.self', 'that peer id is this node itself');
    const name = typeof destination === 'string' ? destination : formatDestination(destination);
    if (options.path !== undefined) return this.#telescoped(to, name, options.path, options);
    if (options.hops !== undefined) return { session: await this.#relayed(to, name, options.hops, options) };
    return { session: await this.#toPeer(to, name, options) };
  }

  /** A new direct connection. */
  dial(endpoint: Endpoint, options: Pick<ConnectSessionOptions, 'demand' | 'anonymous' | 'signal'>): Promise<Session> {
    const transport = this.#parts.transports.find((candidate) => candidate.handles(endpoint));
    if (transport === undefined) return Promise.reject(new MatryoshkaError('node.no-transport', `no transport of this node can dial ${formatEndpoint(endpoint)}`));
    return connectSession(
      this.#parts.environment,
      { next: ({ first }, signal) => transport.dial(endpoint, first, { signal }) },
      { suite: this.#parts.suite, dialled: endpoint, ...options },
    );
  }

  /** The direct connection to a peer: the one there is, or a new one. */
  async #toPeer(to: Resolved, name: string, options: ConnectOptions): Promise<Session> {
    const existing = to.peerId === undefined || options.anonymous === true ? undefined : this.#parts.sessions.direct(to.peerId);
    if (existing !== undefined) return existing;
    if (to.endpoint === undefined || to.relay !== undefined) throw new MatryoshkaError('node.peer-unknown', `no way to ${name} is known: name it as peerId@host:port, or configure it as a peer`);
    return this.dial(to.endpoint, { ...(to.peerId && { demand: to.peerId }), ...(options.anonymous && { anonymous: true }), ...(options.signal && { signal: options.signal }) });
  }

  async #relayed(to: Resolved, name: string, hops: number, options: ConnectOptions): Promise<Session> {
    const { environment, relay, suite } = this.#parts;
    if (to.peerId === undefined && options.unverifiedDestination !== true) {
      throw new MatryoshkaError('relay.destination-unpinned', `${name} names no peer id: whoever the last relay likes could answer; use peerId@${name}, or unverifiedDestination`);
    }
    const destination: RelayDestination = {
      ...(to.endpoint !== undefined && { endpoint: to.endpoint }),
      ...(to.peerId !== undefined && { peer: peerHash(to.peerId) }),
      ...(to.relay !== undefined && { relay: peerHash(to.relay) }),
    };
    const gateway = hops === 1 ? await this.#toPeer(to, name, { ...(options.signal && { signal: options.signal }) }) : await this.#gateway(destination, hops, options);
    // Of a peer named by its id alone, nothing is known but the way there.
    const remote = to.relay === undefined ? (to.endpoint ?? gateway.link.remote) : gateway.link.remote;
    return connectSession(
      environment,
      { next: ({ first }, signal) => relay.open({ gateway, destination, remote, hops }, first, signal) },
      { suite, timeoutMs: RELAYED_TIMEOUT_MS, ...(to.peerId && { demand: to.peerId }), ...(options.anonymous && { anonymous: true }), ...(options.signal && { signal: options.signal }) },
    );
  }

  /** The first relay (R18). */
  async #gateway(destination: RelayDestination, hops: number, options: ConnectOptions): Promise<Session> {
    const { book, relay, sessions } = this.#parts;
    if (options.gateway !== undefined) {
      const to = await book.resolve(options.gateway);
      const session = to.peerId === undefined ? to.endpoint && sessions.dialled(to.endpoint) : sessions.find((each) => each.remote.authenticated && each.remote.peerId === to.peerId);
      if (session !== undefined) return session;
      if (to.endpoint === undefined) throw new MatryoshkaError('relay.gateway-unknown', `no connection to the gateway ${options.gateway}, and no endpoint of it is known`);
      return this.dial(to.endpoint, { ...(to.peerId && { demand: to.peerId }), ...(options.signal && { signal: options.signal }) });
    }
    await this.#greetings([...sessions]);
    try {
      return relay.chooseGateway(destination, hops);
    } catch (error) {
      const session = await this.#connectToKnownPeer(options.signal);
      if (session === undefined) throw error;
      await this.#greetings([session]);
      return relay.chooseGateway(destination, hops);
    }
  }

  /** Connects to one more of the configured peers, in random order; undefined when all fail or are connected. */
  async #connectToKnownPeer(signal: AbortSignal | undefined): Promise<Session | undefined> {
    const { book, environment, sessions } = this.#parts;
    const candidates = [...book].filter(({ peerId }) => peerId !== environment.identity.peerId && sessions.direct(peerId) === undefined);
    while (candidates.length > 0) {
      const [{ peerId, endpoint }] = candidates.splice(randomBelow(environment.random, candidates.length), 1) as [{ peerId: PeerId; endpoint: Endpoint }];
      try {
        // One after the other: the first that works is enough.
        // oxlint-disable-next-line no-await-in-loop
        return await this.dial(endpoint, { demand: peerId, ...(signal && { signal }) });
      } catch (error) {
        if (signal?.aborted === true) throw error;
      }
    }
    return undefined;
  }

  async #greetings(sessions: readonly Session[]): Promise<void> {
    const waiting = sessions.filter((session) => session.hello === undefined);
    if (waiting.length === 0) return;
    let timer: { cancel(): void } | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = this.#parts.environment.clock.after(GREETING_TIMEOUT_MS, resolve);
    });
    await Promise.race([Promise.all(waiting.map((session) => session.greeted)), timeout]);
    timer?.cancel();
  }

  async #telescoped(to: Resolved, name: string, path: readonly (string | PathHop)[], options: ConnectOptions): Promise<{ readonly session: Session; readonly circuit: Circuit }> {
    const { environment, relay, suite } = this.#parts;
    if (path.length === 0) throw new MatryoshkaError('circuit.path-invalid', 'a path has at least one peer');
    if (path.length + 1 > MAX_HOPS) throw hopsInvalid(path.length + 1);
    const hops = await Promise.all(path.map((hop) => this.#hop(hop)));
    const end = toHop(to, name, {});
    const [first, ...rest] = hops as [Hop, ...Hop[]];
    const session = await this.#toPeer(first, first.peerId, { ...(options.signal && { signal: options.signal }) });
    const firstHop: CircuitHop = { ...first, session };
    const circuit = await buildCircuit(
      {
        // Two hops: the last peer of the circuit, and the next one, to which it connects itself.
        openLink: (gateway, { endpoint, peer }, request, signal) => relay.open({ gateway, destination: { endpoint, peer }, remote: endpoint, hops: 2 }, request, signal),
        connectSession: (source, sessionOptions) => connectSession(environment, source, { suite, timeoutMs: RELAYED_TIMEOUT_MS, ...sessionOptions }),
      },
      firstHop,
      [...rest, end],
      { anonymous: options.anonymous ?? true, ...(options.signal && { signal: options.signal }) },
    );
    return { session: circuit.session, circuit };
  }

  async #hop(hop: string | PathHop): Promise<Hop> {
    const name = typeof hop === 'string' ? hop : hop.peer;
    return toHop(await this.#parts.book.resolve(name), name, typeof hop === 'string' ? {} : { staticKey: hop.staticKey });
  }
}

function toHop({ peerId, endpoint, relay }: Resolved, name: string, more: { readonly staticKey?: Uint8Array }): Hop {
  if (peerId === undefined || endpoint === undefined || relay !== undefined) throw new MatryoshkaError('circuit.path-invalid', `${name} cannot be a hop: each needs a peer id and an endpoint, peerId@host:port`);
  return { peerId, endpoint, ...more };
}

function hopsInvalid(hops: number): MatryoshkaError {
  return new MatryoshkaError('relay.hops-invalid', `hops must be a whole number from 1 to ${MAX_HOPS}, not ${hops}`);
}
