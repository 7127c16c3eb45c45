import type { CircuitPool, Directory, Hop } from '@matryoshka/circuit';
import { type ConnectSessionOptions, type Session, type SessionEnvironment, type TrafficSettings, connectSession } from '@matryoshka/peer';
import { type RelayService, peerIdOf } from '@matryoshka/relay';
import { type PeerId, parseStaticKey, peerHash } from '@matryoshka/session';
import type { Link, Transport } from '@matryoshka/transport';
import {
  type Destination,
  type Endpoint,
  MatryoshkaError,
  type RelayDestination,
  formatDestination,
  formatEndpoint,
} from '@matryoshka/wire';
import { Attempts } from './attempts.ts';
import type { AddressBook, Place, Resolved } from './address-book.ts';
import type { ConnectOptions, PathHop, RerouteOptions } from './connect-options.ts';
import type { Origin } from './connection.ts';
import { DirectSource } from './direct-source.ts';
import { Gateways } from './gateways.ts';
import { drawHops, hopRange } from './hops.ts';
import { RelayedPath } from './relayed-path.ts';
import type { SessionRegistry } from './registry.ts';
import type { SuiteChoice } from './suite.ts';
import { type CircuitSettings, MAX_TRIES, RELAYED_TIMEOUT_MS, Telescopes, toHop } from './telescopes.ts';
import { parseTraffic } from './traffic-options.ts';

export interface ConnectorParts {
  readonly environment: SessionEnvironment;
  readonly sessions: SessionRegistry;
  readonly relay: RelayService;
  readonly book: AddressBook;
  readonly transports: readonly Transport[];
  /** AEAD of a session that is opened and whose traffic looks so; by default as that of all. */
  readonly suiteFor: SuiteChoice;
  readonly circuits: CircuitSettings;
  readonly directory: () => Directory;
  /** Where this node is, as far as it knows. */
  readonly ownEndpoints: () => readonly Endpoint[];
}

/** Options of one connect, with a signal that also stands for the node. */
type Connecting = ConnectOptions & { readonly signal: AbortSignal; readonly settings?: TrafficSettings | undefined };

/** How a relayed session was asked for, and how it gets its links. */
interface Route {
  readonly to: Resolved;
  readonly name: string;
  readonly options: Omit<ConnectOptions, 'signal'>;
  readonly path: RelayedPath;
}

/** Makes connections: direct, relayed and telescoped. All three are the same session over different links. */
export class Connector {
  readonly #parts: ConnectorParts;
  readonly #gateways: Gateways;
  readonly #attempts = new Attempts();
  readonly #origins = new WeakMap<Link, Origin>();
  readonly #routes = new WeakMap<Session, Route>();
  readonly #telescopes: Telescopes;

  constructor(parts: ConnectorParts) {
    this.#parts = parts;
    const dial = (to: Resolved, signal: AbortSignal): Promise<Session> => this.#dialPeer(to, { signal });
    this.#gateways = new Gateways({ environment: parts.environment, sessions: parts.sessions, relay: parts.relay, book: parts.book, dial });
    this.#telescopes = new Telescopes({
      ...parts,
      toFirst: (first, signal) => {
        const open = first.staticKey === undefined ? parts.sessions.direct(first.peerId) : undefined;
        return open?.stalled === false ? Promise.resolve(open) : this.#dialPeer(first, { signal });
      },
      setOrigin: (link, origin) => void this.#origins.set(link, origin),
    });
  }

  /** The circuits whose relays were chosen, in use or ready. */
  get circuits(): CircuitPool['circuits'] {
    return this.#telescopes.circuits;
  }

  /** Ends all that is in progress. No circuit is kept or built any more. */
  close(reason: MatryoshkaError): void {
    this.#attempts.close(reason);
    this.#telescopes.close();
  }

  /**
   * A session is over. What is known of it would go with it, but not before the whole heap is collected: where the keys of
   * a weak map are young and the map is old, its values hold them.
   */
  ended(session: Session): void {
    this.#routes.delete(session);
    this.#origins.delete(session.link);
  }

  /** How the connection over `link` was made, where that says more than the link itself. */
  origin(link: Link): Origin | undefined {
    return this.#origins.get(link);
  }

  async connect(destination: string | Destination, options: ConnectOptions): Promise<Session> {
    checkOptions(options);
    const settings = options.traffic === undefined ? undefined : parseTraffic(options.traffic);
    return this.#attempts.run(options.signal, (signal) => this.#connect(destination, { ...options, signal, settings }));
  }

  async #connect(destination: string | Destination, options: Connecting): Promise<Session> {
    const { environment } = this.#parts;
    const { settings } = options;
    const to = await this.#resolve(destination, options.staticKey);
    if (to.peerId === environment.identity.peerId) throw new MatryoshkaError('session.self', 'that peer id is this node itself');
    const name = typeof destination === 'string' ? destination : formatDestination(destination);
    // One hop: nothing to telescope through.
    if (options.circuit?.hops === 1) return this.#toPeer(to, name, { anonymous: true, ...options }, settings);
    if (options.path !== undefined || options.circuit !== undefined) return this.#telescoped(to, name, options);
    // A peer at a relay is reached through that relay, unless there is a connection to it.
    const through = to.relay !== undefined && (to.peerId === undefined || this.#parts.sessions.to(to.peerId) === undefined);
    const hops = options.hops ?? (through ? 2 : undefined);
    if (hops !== undefined) return this.#relayed(to, name, { ...options, hops });
    const session = await this.#toPeer(to, name, options, settings);
    // Where there was one already.
    if (settings !== undefined) session.traffic.update(settings);
    this.#parts.relay.keep(session);
    return session;
  }

  /**
   * Moves a session that is not telescoped to another path.
   * @throws MatryoshkaError `session.not-reroutable`, `relay.no-peers-available`, or what the attempt failed with
   */
  async reroute(session: Session, { signal, ...changes }: RerouteOptions): Promise<void> {
    const before = this.#routes.get(session);
    const options = { ...before?.options, ...changes };
    checkOptions(options);
    // Directly: to the same endpoint once more.
    if (options.hops === undefined || session.role === 'responder') return session.reroute(undefined, signal);
    const to = before?.to ?? placeOf(session);
    const name = before?.name ?? String(to.peerId);
    const path = this.#path(to, name, options, before?.path);
    await session.reroute(path, signal);
    path.settled();
    this.#routes.set(session, { to, name, options, path });
  }

  /** A session has its next link. */
  resumed(session: Session): void {
    this.#routes.get(session)?.path.changed();
    this.#origins.get(session.link)?.circuit?.route.use(session.link);
  }

  /** A new direct connection to an endpoint, whoever is there. */
  dial(endpoint: Endpoint): Promise<Session> {
    return this.#attempts.run(undefined, (signal) => this.#dialPeer({ endpoint }, { signal }));
  }

  /** At its places one after the other, until one works. */
  async #dialPeer(to: Resolved, options: Pick<ConnectSessionOptions, 'anonymous' | 'signal' | 'traffic'>): Promise<Session> {
    const { endpoint, named, others: [next, ...others] = [], ...peer } = to;
    if (endpoint === undefined) throw new MatryoshkaError('node.peer-unknown');
    try {
      return await this.#dialPlace({ endpoint, ...(named && { named }) }, peer, options);
    } catch (error) {
      if (next === undefined || options.signal?.aborted === true) throw error;
      return this.#dialPeer({ ...peer, ...next, others }, options);
    }
  }

  #dialPlace(
    { endpoint, named = endpoint }: Place,
    { peerId, staticKey }: Resolved,
    options: Pick<ConnectSessionOptions, 'anonymous' | 'signal' | 'traffic'>,
  ): Promise<Session> {
    const { book, environment } = this.#parts;
    const source = new DirectSource({
      dialled: named,
      known: () => (peerId === undefined ? [] : book.endpointsOf(peerId)),
      dial: async (at, first, signal) => this.#transport(at).dial(at, first, { signal }),
    });
    return connectSession(environment, source, {
      suite: this.#parts.suiteFor(options.traffic),
      dialled: endpoint,
      ...(peerId && { demand: peerId }),
      ...(staticKey && { remoteStatic: staticKey }),
      ...options,
    });
  }

  /** @throws MatryoshkaError `node.no-transport` */
  #transport(endpoint: Endpoint): Transport {
    const transport = this.#parts.transports.find((candidate) => candidate.handles(endpoint));
    if (transport === undefined)
      throw new MatryoshkaError('node.no-transport', `no transport of this node can dial ${formatEndpoint(endpoint)}`);
    return transport;
  }

  /** Checks and resolves what the user named; where a connected peer was dialled is known as well. */
  async #resolve(destination: string | Destination, staticKey?: string | Uint8Array): Promise<Resolved> {
    const named = await this.#parts.book.resolve(destination);
    const key = typeof staticKey === 'string' ? parseStaticKey(staticKey) : staticKey;
    const to = key === undefined ? named : { ...named, staticKey: key };
    if (to.peerId === undefined || to.endpoint !== undefined || to.relay !== undefined) return to;
    const endpoint = this.#parts.sessions.endpointOf(to.peerId);
    return endpoint === undefined ? to : { ...to, endpoint };
  }

  /** The direct connection to a peer: the one there is, or a new one; a relayed one where there is no other way. */
  async #toPeer(
    to: Resolved,
    name: string,
    options: Pick<Connecting, 'anonymous' | 'signal'>,
    traffic?: TrafficSettings,
  ): Promise<Session> {
    const { sessions } = this.#parts;
    const { anonymous = false, signal } = options;
    const reusable = to.peerId !== undefined && !anonymous && to.staticKey === undefined;
    const direct = reusable ? sessions.direct(to.peerId) : undefined;
    if (direct !== undefined) return direct;
    if (to.endpoint !== undefined && to.relay === undefined) {
      return this.#dialPeer(to, { signal, ...(anonymous && { anonymous }), ...(traffic && { traffic }) });
    }
    const relayed = reusable ? sessions.to(to.peerId) : undefined;
    if (relayed !== undefined) return relayed;
    throw new MatryoshkaError('node.peer-unknown', `no way to ${name} is known: name it as peerId@host:port, or configure it as a peer`);
  }

  async #relayed(to: Resolved, name: string, { signal, ...options }: Connecting): Promise<Session> {
    const { clock } = this.#parts.environment;
    const path = this.#path(to, name, options);
    const untilMs = clock.now() + RELAYED_TIMEOUT_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other: the first that works is enough
        const session = await this.#openRelayed(path, to, { ...options, signal }, untilMs - clock.now());
        path.settled();
        this.#routes.set(session, { to, name, options, path });
        return session;
      } catch (error) {
        if (signal.aborted || attempt === MAX_TRIES || clock.now() >= untilMs || !path.failed(error)) throw error;
      }
    }
  }

  #openRelayed(path: RelayedPath, to: Resolved, { signal, ...options }: Connecting, timeoutMs: number): Promise<Session> {
    return connectSession(this.#parts.environment, path, {
      suite: this.#parts.suiteFor(options.settings),
      timeoutMs,
      signal,
      ...(to.peerId && { demand: to.peerId }),
      ...(options.anonymous && { anonymous: true }),
      ...(to.staticKey && { remoteStatic: to.staticKey }),
      ...(options.settings && { traffic: options.settings }),
    });
  }

  /**
   * A path over relays.
   * @param left - the one that a session moves from
   */
  #path(to: Resolved, name: string, options: Omit<ConnectOptions, 'signal'>, left?: RelayedPath): RelayedPath {
    if (to.peerId === undefined && options.unverifiedDestination !== true) {
      throw new MatryoshkaError(
        'relay.destination-unpinned',
        `${name} names no peer id: whoever the last relay likes could answer; use peerId@${name}, or unverifiedDestination`,
      );
    }
    const { environment, relay } = this.#parts;
    const destination: RelayDestination = {
      ...(to.endpoint !== undefined && { endpoint: to.endpoint }),
      ...(to.peerId !== undefined && { peer: peerHash(to.peerId) }),
      ...(to.relay !== undefined && { relay: peerHash(to.relay) }),
    };
    const leftGateway = left?.gateway && peerIdOf(left.gateway);
    return new RelayedPath({
      clock: environment.clock,
      hops: drawHops(options.hops ?? 1, environment.random),
      named: options.gateway !== undefined,
      avoid: leftGateway === undefined ? [] : [leftGateway],
      gateway: (hops, avoid, signal) => this.#gateway(to, name, destination, hops, avoid, { ...options, signal }),
      open: async (gateway, hops, { first, reason, session }, signal) => {
        // With a hop behind it or more, other relays will be chosen there.
        if (reason === undefined && hops < 3 && hops === left?.hops && gateway === left.gateway)
          throw new MatryoshkaError('relay.no-peers-available', 'there is no other path');
        // Of a peer named by its id alone, nothing is known but the way there.
        const remote = to.relay === undefined ? (to.endpoint ?? gateway.link.remote) : gateway.link.remote;
        const link = await relay.open({ gateway, destination, remote, hops, ...(session && { carried: session }) }, first, signal);
        if (to.peerId === undefined) this.#origins.set(link, { unverified: true });
        return link;
      },
    });
  }

  /** The first relay (R18). */
  async #gateway(
    to: Resolved,
    name: string,
    destination: RelayDestination,
    hops: number,
    avoid: ReadonlySet<PeerId>,
    options: Connecting,
  ): Promise<Session> {
    // One hop: through the destination itself (R2).
    if (hops === 1) {
      const dialled =
        to.peerId === undefined && to.endpoint !== undefined && options.anonymous !== true
          ? this.#parts.sessions.dialled(to.endpoint)
          : undefined;
      return dialled ?? this.#toPeer(to, name, options);
    }
    if (options.gateway !== undefined) return this.#gateways.named(options.gateway, options.signal);
    // Two hops to a peer at a relay: that relay is the only one on the way (R3).
    if (hops === 2 && to.relay !== undefined) {
      return this.#toPeer({ peerId: to.relay, ...(to.endpoint && { endpoint: to.endpoint }) }, to.relay, { signal: options.signal });
    }
    return this.#gateways.random(destination, hops, avoid, options.signal);
  }

  /** Telescoped, over a path that was named or is chosen. */
  async #telescoped(to: Resolved, name: string, { path, circuit, ...options }: Connecting): Promise<Session> {
    if (path === undefined) return this.#telescopes.chosen(to, name, circuit ?? {}, options);
    return this.#telescopes.over(await Promise.all(path.map((hop) => this.#hop(hop))), to, name, options);
  }

  async #hop(hop: string | PathHop): Promise<Hop> {
    const name = typeof hop === 'string' ? hop : hop.peer;
    return toHop(await this.#resolve(name, typeof hop === 'string' ? undefined : hop.staticKey), name);
  }
}

/** @throws MatryoshkaError `config.invalid`, `relay.hops-invalid` */
function checkOptions({ circuit, gateway, hops, path, staticKey }: ConnectOptions): void {
  if (staticKey !== undefined && typeof staticKey !== 'string' && !(staticKey instanceof Uint8Array && staticKey.length === 32))
    throw new MatryoshkaError('config.invalid', 'staticKey must be 32 bytes, a Uint8Array, or their text, mts1…');
  if (circuit !== undefined && (path !== undefined || hops !== undefined))
    throw new MatryoshkaError(
      'config.invalid',
      'circuit excludes hops and path: its hops are chosen here, and their number is circuit.hops',
    );
  if (path !== undefined && hops !== undefined)
    throw new MatryoshkaError('config.invalid', 'hops and path exclude each other: with a path its peers are the hops');
  const range = hops === undefined ? undefined : hopRange(hops);
  if (gateway !== undefined && (range === undefined || range.min < 2))
    throw new MatryoshkaError('config.invalid', 'gateway needs hops of 2 or more: with fewer there is no relay to choose');
}

/** Where a session leads that this node has dialled: its responder has shown who it is. */
function placeOf({ dialled, remote }: Session): Resolved {
  return { ...(dialled && { endpoint: dialled }), ...(remote.authenticated && { peerId: remote.peerId }) };
}
