import type { Directory } from '@matryoshka/circuit';
import {
  Acceptor,
  type ProtocolHandler,
  Protocols,
  type Session,
  type SessionEnvironment,
  type Stream,
  type TrafficSettings,
} from '@matryoshka/peer';
import { DEFAULT_RELAY_OPTIONS, type RelayHost, type RelayPorts, RelayService, peerIdOf, randomNextHop } from '@matryoshka/relay';
import {
  type Identity,
  KeyPairReserve,
  type PeerId,
  type Random,
  SlabPool,
  freshKeyPairs,
  networkKeyPsk,
  parsePeerId,
  staticKeyOf,
} from '@matryoshka/session';
import { type Clock, type Link, type Listener, type Transport, systemClock } from '@matryoshka/transport';
import { type Destination, type Endpoint, MatryoshkaError, formatEndpoint, parseEndpoint } from '@matryoshka/wire';
import { platformProvider, resolveHost } from '#provider';
import { Access, type AccessStatus, allowanceSettings } from './access.ts';
import type { AccessUpdate } from './access-options.ts';
import { AddressBook } from './address-book.ts';
import { helloOn, ownEndpoints } from './announcement.ts';
import type { ConnectOptions } from './connect-options.ts';
import { Connection } from './connection.ts';
import { circuitSettings } from './circuits-options.ts';
import { Connector } from './connector.ts';
import { descriptorOf } from './directory/own-descriptor.ts';
import { NodeDirectory } from './directory/node-directory.ts';
import { Emitter } from './emitter.ts';
import { identityOf } from './identity-of.ts';
import { KeyPairsAhead } from './key-pairs-ahead.ts';
import type { NodeEvents } from './node-events.ts';
import { type NodeOptions, type ParsedOptions, parseNodeOptions } from './options.ts';
import { type MeetOptions, Rendezvous } from './rendezvous.ts';
import { Registrars } from './registrars.ts';
import { peerTags } from './peer-tags.ts';
import { SessionRegistry } from './registry.ts';
import { suiteChoice } from './suite.ts';
import { SystemRandom } from './system-random.ts';
import { type RelayLimitsOptions, updateRelayLimits } from './relay-limits-options.ts';
import { type NodeStatus, circuitStatus, connectionStatus, relayLinkStatus } from './status.ts';
import { type TrafficOption, parseTraffic, trafficSettings } from './traffic-options.ts';

/** How long goodbyes over relay links may take while a node closes, in milliseconds. */
const GOODBYE_TIMEOUT_MS = 1000;

/** Takes a stream that a peer opened; what it throws resets the stream. */
export type StreamServer = (stream: Stream, connection: Connection) => void | Promise<void>;

/** The local instance: everything composed from validated options. Made by {@link createNode}. */
export class MatryoshkaNode implements AsyncDisposable {
  readonly #options: ParsedOptions;
  readonly #environment: SessionEnvironment;
  readonly #clock: Clock;
  readonly #sessions = new SessionRegistry();
  readonly #connections = new WeakMap<Session, Connection>();
  /** Why sessions left the links that they had, and what those were. */
  readonly #left = new WeakMap<Session, { readonly reason: MatryoshkaError; readonly kind: 'direct' | 'relayed' }>();
  readonly #protocols = new Protocols();
  readonly #book: AddressBook;
  readonly #relay: RelayService;
  readonly #access: Access;
  /** How connections look from outside that were told nothing else. */
  readonly #traffic: { settings: TrafficSettings };
  readonly #acceptor: Acceptor;
  readonly #rendezvous: Rendezvous;
  readonly #connector: Connector;
  readonly #registrars: Registrars;
  readonly #transports: readonly Transport[];
  readonly #emitter = new Emitter<NodeEvents>();
  readonly #keyPairs: KeyPairsAhead;
  #listeners: Listener[] = [];
  #directory: NodeDirectory | undefined;
  #closed = false;
  #nextSessionId = 1;

  /** @internal Made by {@link createNode}. */
  constructor(options: ParsedOptions) {
    this.#options = options;
    const provider = options.provider ?? platformProvider;
    const random = options.random ?? new SystemRandom();
    const identity = identityOf(options.identity, provider, random);
    this.#clock = options.clock ?? systemClock;
    const access = new Access({ clock: this.#clock, relay: () => this.#relay }, options);
    this.#access = access;
    const traffic = { settings: trafficSettings(options.traffic) };
    this.#traffic = traffic;
    this.#transports = options.transports.map((factory) =>
      factory({ clock: this.#clock, random, provider, networkKey: options.networkKey, admission: access.admission }),
    );
    this.#book = new AddressBook(options.peers, resolveHost);
    this.#relay = new RelayService(this.#relayHost(random, identity), {
      enabled: options.relay.enabled,
      forward: options.relay.forward,
      relayPorts: this.#relayPorts,
      networkBits: {
        ipv4Bits: options.relay.ipv4ExcludedNetworksCidrLeadingBits,
        ipv6Bits: options.relay.ipv6ExcludedNetworksCidrLeadingBits,
      },
      allowDial: options.relay.allowDial,
      policy: options.relay.policy ?? randomNextHop,
      dangerouslyOfferExcluded: options.relay.dangerouslyOfferExcluded,
      accept: options.relay.accept,
      registrations: { ...DEFAULT_RELAY_OPTIONS.registrations, maxRegistrations: options.relay.maxRegistrations },
      relayMemoryBytes: options.relay.relayMemoryBytes,
      limits: options.relay.limits,
      allowances: allowanceSettings(options),
      reputation: options.access.reputation,
    });
    this.#keyPairs = new KeyPairsAhead(this.#clock, new KeyPairReserve(freshKeyPairs(provider, random)));
    this.#environment = {
      provider,
      random,
      keyPairs: this.#keyPairs,
      clock: this.#clock,
      slabs: new SlabPool(),
      identity,
      staticKey: options.staticKey === undefined ? staticKeyOf(provider, identity) : provider.dhKeyPair(options.staticKey),
      psk: networkKeyPsk(provider, options.networkKey),
      protocols: this.#protocols,
      relay: this.#relay,
      door: access.door,
      get acceptAnonymous() {
        return access.settings.acceptAnonymous;
      },
      handshakeTimeoutMs: options.handshakeTimeoutMs,
      get maxHandshakes() {
        return access.settings.maxHandshakes;
      },
      resume: options.resume,
      get traffic() {
        return traffic.settings;
      },
      nextSessionId: () => `s${this.#nextSessionId++}`,
      hello: (session) =>
        helloOn(session, { relaying: this.#announcesRelaying, allowance: this.#relay.allowances.of(session), listening: this.listening }),
      onHello: () => {},
      onOpened: (session) => this.#opened(session),
      onSuspended: (session, reason) => {
        this.#left.set(session, { reason, kind: session.link.info.kind });
        this.#rendezvous.suspended(session);
        if (this.#sessions.has(session)) this.#emitter.emit('suspended', { connection: this.#connection(session), reason });
      },
      onResumed: (session) => {
        this.#connector.resumed(session);
        if (this.#sessions.has(session)) this.#resumed(session);
      },
      onClosed: (session, reason) => this.#ended(session, reason),
      onMisbehaved: (session) => this.#relay.did(session, 'malformed'),
    };
    const suiteFor = suiteChoice(options.suite, provider.preferredSuite, () => traffic.settings);
    const acceptor = new Acceptor(this.#environment);
    this.#acceptor = acceptor;
    this.#rendezvous = new Rendezvous({
      environment: this.#environment,
      relay: this.#relay,
      suiteFor,
      connect: (name, way) => this.#connector.connect(name, way),
      offer: (link, first) => acceptor.offer(link, first),
    });
    this.#connector = new Connector({
      environment: this.#environment,
      sessions: this.#sessions,
      relay: this.#relay,
      book: this.#book,
      transports: this.#transports,
      suiteFor,
      circuits: circuitSettings(options),
      directory: () => this.directory,
      ownEndpoints: () => ownEndpoints(this.#sessions, this.listening),
    });
    this.#registrars = new Registrars(options.relay.registerWith, {
      self: identity.peerId,
      clock: this.#clock,
      random,
      connect: (name, signal) => this.#connector.connect(name, { signal }),
      changed: (registration) => this.#emitter.emit('registration', registration),
    });
  }

  /** Name of this node: `mtk1…`. */
  get peerId(): PeerId {
    return this.#environment.identity.peerId;
  }

  /** Who this node is: its Ed25519 key. */
  get identity(): Identity {
    return this.#environment.identity;
  }

  /** X25519 key that handshakes of pattern NK are made to, 32 bytes; text of it by `formatStaticKey`. */
  get staticKey(): Uint8Array {
    return this.#environment.staticKey.publicKey;
  }

  /** Where this node listens, with the ports the system chose. */
  get listening(): readonly Endpoint[] {
    return this.#listeners.map(({ endpoint }) => endpoint);
  }

  /** All that are open or suspended, accepted ones included. */
  get connections(): readonly Connection[] {
    return [...this.#sessions].map((session) => this.#connection(session));
  }

  /** The descriptors of peers that circuits are built from; there once the node has started. */
  get directory(): Directory {
    if (this.#directory === undefined) throw new MatryoshkaError('node.closed', 'the node has not started');
    return this.#directory.directory;
  }

  /** Whether relay links are served (R1). */
  get relayEnabled(): boolean {
    return this.#relay.enabled;
  }

  /** Switches serving relay links on or off while running; off ends those that are served with `relay.disabled` (R1). */
  setRelayEnabled(enabled: boolean): void {
    this.#relay.setEnabled(enabled);
    if (enabled) this.#registrars.start();
    else this.#registrars.stop();
    this.#announce();
  }

  /** Who may connect, what neighbours may ask, and how often each was refused; ready for JSON. */
  access(): AccessStatus {
    return this.#access.status();
  }

  /**
   * Changes who may connect and what neighbours may ask, while running; what is not named stays as it is. Connections
   * that others have opened and could not open any more end with `session.refused`.
   * @throws MatryoshkaError `config.invalid` that names each wrong option; then nothing changes
   */
  updateAccess(update: AccessUpdate): void {
    this.#access.update(update, this.#sessions);
    this.#announce();
  }

  /**
   * Changes what relay links that are forwarded are held to (R16), those that are open as well; what is not named stays as it
   * is. Whoever opened one was told what counted then.
   * @throws MatryoshkaError `config.invalid` that names each wrong option; then nothing changes
   */
  updateRelayLimits(update: RelayLimitsOptions): void {
    this.#relay.updateLimits(updateRelayLimits(this.#relay.limiter.settings, update));
    this.#directory?.publish();
  }

  /**
   * Changes how connections look to those who see their bytes, from the next record on: all but those that were told otherwise
   * by `connect` or `Connection.updateTraffic`.
   * @throws MatryoshkaError `config.invalid` that names what is wrong; then nothing changes
   */
  updateTraffic(traffic: TrafficOption): void {
    this.#traffic.settings = parseTraffic(traffic);
    this.#relay.setRelayPorts(this.#relayPorts);
    for (const session of this.#sessions) session.traffic.apply();
  }

  /**
   * Connects to a peer: directly, relayed (`hops`) or telescoped (`path`).
   * @param destination - `[peerId@]host:port`, a peer id, or `peerId@relayPeerId[@host:port]`
   * @throws MatryoshkaError with a typed reason, e.g. `session.wrong-peer`, `relay.no-peers-available`
   */
  async connect(destination: string | Destination, options: ConnectOptions = {}): Promise<Connection> {
    if (this.#closed) throw new MatryoshkaError('node.closed');
    try {
      return this.#connection(await this.#connector.connect(destination, options));
    } catch (error) {
      throw this.#closed ? new MatryoshkaError('node.closed', 'the node was closed while it connected', { cause: error }) : error;
    }
  }

  /**
   * Meets whoever presents the same token at the same relay, to which both telescope: it learns neither of the two, and
   * neither learns where the other one is. The token is good once, for 60 s. When the relay is lost the connection ends.
   * @param token - 32 random bytes that both have exchanged beforehand
   * @throws MatryoshkaError `relay.nobody-met`, `session.wrong-peer`, `aborted`, or what connecting to the relay failed with
   */
  async meet(token: Uint8Array, options: MeetOptions): Promise<Connection> {
    if (this.#closed) throw new MatryoshkaError('node.closed');
    return this.#connection(await this.#rendezvous.meet(token, options));
  }

  /** Serves `protocol` on streams of all connections until the returned function is called. @throws RangeError */
  serve(protocol: string, server: StreamServer): () => void {
    const handler: ProtocolHandler = (stream, session) => server(stream, this.#connection(session));
    return this.#protocols.serve(protocol, handler);
  }

  /** Listens until the returned function is called. */
  on<Name extends keyof NodeEvents & string>(name: Name, listener: (event: NodeEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /** Everything this node knows of its connections and of the relay links it forwards, ready for JSON. */
  status(): NodeStatus {
    return {
      peerId: this.peerId,
      listening: this.listening.map(formatEndpoint),
      relayEnabled: this.relayEnabled,
      connections: this.connections.map(connectionStatus),
      circuits: this.#connector.circuits.map(circuitStatus),
      relayLinks: [...this.#relay.served].map(relayLinkStatus),
      relayLinkEnds: this.#relay.linkEnds,
      registrations: this.#registrars.status,
      registeredPeers: this.#relay.registrations.peers,
      relayMemory: { takenBytes: this.#relay.pool.takenBytes, totalBytes: this.#relay.pool.totalBytes },
    };
  }

  /** Begins to listen on what the options name. Called by {@link createNode}. */
  async start(): Promise<void> {
    try {
      this.#directory = await this.#openDirectory();
      for (const text of this.#options.listen) {
        const endpoint = parseEndpoint(text);
        const transport = this.#transports.find((candidate) => candidate.listen !== undefined && candidate.handles(endpoint));
        if (transport?.listen === undefined)
          throw new MatryoshkaError('node.no-transport', `no transport of this node can listen on ${text}`);
        // In order, so that an error names the first that failed.
        // oxlint-disable-next-line no-await-in-loop
        this.#listeners.push(await transport.listen(endpoint, (link, first) => this.#arrived(link, first)));
      }
      this.#directory.publish();
      if (this.relayEnabled) this.#registrars.start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Tells every peer, closes everything. Idempotent. */
  async close(): Promise<void> {
    const reason = new MatryoshkaError('shutdown');
    this.#closed = true;
    this.#connector.close(reason);
    this.#keyPairs.close();
    this.#registrars.stop();
    this.#relay.shut(reason);
    this.#acceptor.close(reason);
    // Those that are carried by others first, so that their goodbyes still find a way, and the credit for it.
    const sessions = [...this.#sessions].sort((a, b) => b.link.info.nesting - a.link.info.nesting);
    for (const session of sessions) if (session.link.info.nesting > 0) session.close(reason);
    await this.#relay.linkless(GOODBYE_TIMEOUT_MS);
    for (const session of this.#sessions) session.close(reason);
    const listeners = this.#listeners;
    this.#listeners = [];
    await Promise.all([...listeners.map((listener) => listener.close()), ...sessions.map((session) => session.closed)]);
    await this.#directory?.close();
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #openDirectory(): Promise<NodeDirectory> {
    const { exchangeWith, lifetimeMs, intervalMs, store } = this.#options.directory;
    return NodeDirectory.open({
      environment: this.#environment,
      protocols: this.#protocols,
      store,
      lifetimeMs,
      intervalMs,
      trusted: new Set(exchangeWith?.map(parsePeerId) ?? this.#book.peerIds),
      announcement: () =>
        descriptorOf(this.#options.directory, {
          relaying: this.#announcesRelaying,
          hidden: this.#access.settings.access.hidden,
          limits: this.#relay.limiter.told,
          listening: this.listening,
        }),
      misbehaved: (session, reason) => {
        if (session.remote.authenticated) this.#emitter.emit('descriptor-refused', { peerId: session.remote.peerId, reason });
        this.#relay.did(session, 'malformed');
      },
    });
  }

  /** Tells what has changed to all who may know. */
  #announce(): void {
    this.#directory?.publish();
    for (const session of this.#sessions) {
      // Where this node is anonymous nothing of that is said, nor when it happens.
      if (!session.anonymous) session.send(this.#environment.hello(session));
    }
  }

  /** Where all records look alike one number on every hop would tell which links are one (R6). */
  get #relayPorts(): RelayPorts {
    return this.#options.relay.relayPorts ?? (this.#traffic.settings.padding.kind === 'constant' ? 'per-hop' : 'end-to-end');
  }

  get #announcesRelaying(): boolean {
    return this.relayEnabled && this.#options.relay.forward;
  }

  #relayHost(random: Random, identity: Identity): RelayHost {
    return {
      clock: this.#clock,
      random,
      peerId: identity.peerId,
      sessions: () => this.#sessions,
      ownEndpoints: () => ownEndpoints(this.#sessions, this.listening),
      endpointsOf: (peerId) => this.#book.endpointsOf(peerId),
      isKnown: (peerId) => this.#book.has(peerId),
      tagsOf: peerTags({
        configured: this.#options.relay.tags,
        self: identity.peerId,
        operator: this.#options.directory.operator,
        directory: () => this.#directory?.directory,
      }),
      onPolicyFailed: (error) => this.#emitter.emit('policyFailed', { error }),
      dial: (endpoint) => this.#connector.dial(endpoint),
      accept: (link, first) => this.#acceptor.offer(link, first),
      onServed: (event, link) => {
        if (this.#emitter.heard('relay')) this.#emitter.emit('relay', { event, link: relayLinkStatus(link) });
      },
      onRefused: this.#access.refused,
      onRegistration: (session, message) => this.#registrars.answered(session, message),
    };
  }

  /** A transport that asks nobody about its connections lets in those whom the lists do not. */
  #arrived(link: Link, first: Uint8Array): void {
    if (this.#access.admission.admits(link.remote.host)) this.#acceptor.offer(link, first);
    else link.close(new MatryoshkaError('session.refused'));
  }

  #opened(session: Session): void {
    // A handshake that was in progress when the node was closed.
    if (this.#closed) {
      session.close(new MatryoshkaError('shutdown'));
      return;
    }
    this.#sessions.add(session);
    this.#rendezvous.opened(session);
    this.#directory?.opened(session);
    this.#emitter.emit('connection', this.#connection(session));
  }

  #resumed(session: Session): void {
    const connection = this.#connection(session);
    this.#emitter.emit('resumed', { connection });
    const left = this.#left.get(session);
    const { carriers, kind } = session.link.info;
    if (left === undefined || (kind === 'direct' && left.kind === 'direct')) return;
    const carrier = [...this.#sessions].find(({ id }) => id === carriers[0]);
    this.#emitter.emit('path-changed', { connection, gateway: carrier && peerIdOf(carrier), reason: left.reason });
  }

  #ended(session: Session, reason: MatryoshkaError): void {
    this.#directory?.ended(session);
    if (this.#sessions.delete(session)) this.#emitter.emit('disconnected', { connection: this.#connection(session), reason });
    // As in `Connector.ended`.
    this.#connections.delete(session);
    this.#connector.ended(session);
  }

  #connection(session: Session): Connection {
    let connection = this.#connections.get(session);
    if (connection === undefined) {
      connection = new Connection(session, (each, options) => this.#connector.reroute(each, options), this.#connector.origin(session.link));
      this.#connections.set(session, connection);
    }
    return connection;
  }
}

/**
 * Makes a node and begins to listen.
 * @throws MatryoshkaError `config.invalid` that names the option; `transport.listen-failed`; `node.no-transport`
 */
export async function createNode(options: NodeOptions): Promise<MatryoshkaNode> {
  const node = new MatryoshkaNode(parseNodeOptions(options));
  await node.start();
  return node;
}
