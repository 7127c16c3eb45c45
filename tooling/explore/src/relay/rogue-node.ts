import {
  Acceptor,
  DEFAULT_RESUME_SETTINGS,
  type LinkSource,
  Protocols,
  type Session,
  type SessionEnvironment,
  connectSession,
} from '@matryoshka/peer';
import { type RelayOptions, RelayService, peerIdOf } from '@matryoshka/relay';
import {
  type CryptoProvider,
  type Identity,
  type PeerId,
  type Random,
  SlabPool,
  VerifiedDescriptor,
  createIdentity,
  descriptorNetworkId,
  identityFromSeed,
  networkKeyPsk,
  parsePeerId,
  peerHash,
  randomBelow,
  randomBytes,
  randomItem,
  signDescriptor,
} from '@matryoshka/session';
import type { Machine } from '@matryoshka/simulation';
import type { Clock, Listener, Transport } from '@matryoshka/transport';
import { type Endpoint, type Hello, MatryoshkaError, parseDestination, parseEndpoint } from '@matryoshka/wire';
import type { Vice } from './relay-plan.ts';
import { Misdeeds, type Prey } from './misdeeds.ts';
import { ViciousRelay } from './vicious-relay.ts';

const DAY_MS = 24 * 3_600_000;

/** What a node that misbehaves is made of. */
export interface RogueParts {
  readonly identity: Uint8Array;
  readonly provider: CryptoProvider;
  readonly clock: Clock;
  readonly random: Random;
  readonly machine: Machine;
  readonly port: number;
  readonly relay: Partial<RelayOptions>;
  readonly vices: readonly Vice[];
  /** It behaves until then, in milliseconds from its start. */
  readonly fromMs: number;
  /** Everybody else, whom it asks for and pretends to be. */
  readonly prey: readonly Prey[];
}

/**
 * A node that speaks the protocol and misbehaves: made of the same parts as an honest one, but for what stands between
 * its sessions and its relay service, and for what it sends of its own accord. It asks for no connections itself.
 */
export class RogueNode {
  readonly sessions = new Set<Session>();
  readonly #environment: SessionEnvironment;
  readonly #relay: RelayService;
  readonly #misdeeds: Misdeeds;
  readonly #transport: Transport;
  readonly #endpoint: Endpoint;
  readonly #acceptor: Acceptor;
  #listener: Listener | undefined;
  readonly #ghost: Identity | undefined;
  #nextId = 1;
  #closed = false;

  constructor(parts: RogueParts) {
    const { clock, machine, provider, random, vices } = parts;
    const identity = identityFromSeed(provider, parts.identity);
    this.#ghost = vices.includes('impostor') ? createIdentity(provider, random) : undefined;
    this.#endpoint = parseEndpoint(`${machine.address}:${parts.port}`);
    this.#transport = machine.transport({ clock });
    this.#relay = new RelayService(
      {
        clock,
        random,
        peerId: identity.peerId,
        sessions: () => this.sessions,
        ownEndpoints: () => [this.#endpoint],
        endpointsOf: () => [],
        dial: (endpoint) => this.#dial(endpoint),
        accept: (link, first) => this.#acceptor.offer(link, first),
        onServed: () => {},
      },
      // Who only pretends to relay refuses when asked.
      { ...parts.relay, ...(vices.includes('lie') && { enabled: false }) },
    );
    this.#misdeeds = new Misdeeds({
      ...parts,
      sessions: this.sessions,
      relay: this.#relay,
      hide: (destination) => this.#hide(destination),
    });
    const relay = new ViciousRelay(this.#relay, { ...parts, bad: () => this.#misdeeds.begun });
    this.#environment = {
      provider,
      random,
      clock,
      slabs: new SlabPool(),
      identity,
      staticKey: provider.dhKeyPair(randomBytes(random, 32)),
      psk: networkKeyPsk(provider),
      protocols: new Protocols(),
      relay,
      acceptAnonymous: true,
      handshakeTimeoutMs: 10_000,
      maxHandshakes: 256,
      resume: DEFAULT_RESUME_SETTINGS,
      nextSessionId: () => `rogue${this.#nextId++}`,
      hello: (session) => this.#hello(session),
      onHello: () => {},
      onOpened: (session) => this.#opened(session),
      onClosed: (session) => this.sessions.delete(session),
      onMisbehaved: (session) => this.#relay.did(session, 'malformed'),
    };
    this.#acceptor = new Acceptor(this.#environment);
  }

  get peerId(): PeerId {
    return this.#environment.identity.peerId;
  }

  /** What it says of itself; an impostor says it of somebody whom nobody will meet there. */
  descriptor(): VerifiedDescriptor {
    const { clock, identity, provider, psk, staticKey } = this.#environment;
    const networkId = descriptorNetworkId(provider, psk);
    const unixMs = clock.unixMs();
    const expiresUnixMs = unixMs + DAY_MS;
    const bytes = signDescriptor(this.#ghost ?? identity, {
      version: unixMs,
      expiresUnixMs,
      networkId,
      staticKey: staticKey.publicKey,
      staticKeyExpiresUnixMs: expiresUnixMs,
      relays: true,
      bandwidthBytesPerSecond: 0,
      limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
      operator: '',
      software: '',
      endpoints: [this.#endpoint],
    });
    return VerifiedDescriptor.verify(provider, bytes, { networkId, unixMs });
  }

  async start(): Promise<void> {
    this.#listener = await this.#transport.listen?.(this.#endpoint, (link, first) => this.#acceptor.offer(link, first));
    this.#misdeeds.start();
  }

  /** Connects directly to `peerId@host:port`, unless it is connected to that peer. */
  async connect(place: string): Promise<void> {
    const destination = parseDestination(place);
    if (destination.type !== 'endpoint' || destination.peerId === undefined) throw new TypeError(`${place} is not peerId@host:port`);
    const peerId = parsePeerId(destination.peerId);
    if ([...this.sessions].some((session) => session.link.info.kind === 'direct' && peerIdOf(session) === peerId)) return;
    await this.#dial(destination.endpoint);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#misdeeds.stop();
    const reason = new MatryoshkaError('shutdown');
    this.#relay.shut(reason);
    const sessions = [...this.sessions].sort((a, b) => b.link.info.nesting - a.link.info.nesting);
    for (const session of sessions) session.close(reason);
    await Promise.all([this.#listener?.close(), ...sessions.map((session) => session.closed)]);
  }

  #dial(endpoint: Endpoint): Promise<Session> {
    return connectSession(
      this.#environment,
      { next: ({ first }, signal) => this.#transport.dial(endpoint, first, { signal }) },
      { dialled: endpoint },
    );
  }

  /** A session over a relay link of two hops, through any neighbour. */
  #hide({ host, peerId }: Prey): Promise<Session> {
    const { random } = this.#environment;
    const remote = parseEndpoint(`${host}:${this.#endpoint.port}`);
    const destination = { endpoint: remote, peer: peerHash(peerId) };
    const next: LinkSource['next'] = async ({ first }, signal) => {
      const direct = [...this.sessions].filter(({ link }) => link.info.kind === 'direct');
      const gateway = randomItem(random, direct);
      if (gateway === undefined) throw new MatryoshkaError('relay.no-peers-available');
      return this.#relay.open({ gateway, destination, remote, hops: 2 }, first, signal);
    };
    const anonymous = randomBelow(random, 2) === 0;
    return connectSession(this.#environment, { next }, { demand: peerId, timeoutMs: 45_000, ...(anonymous && { anonymous }) });
  }

  #opened(session: Session): void {
    if (this.#closed) session.close(new MatryoshkaError('shutdown'));
    else this.sessions.add(session);
  }

  #hello(session: Session): Hello {
    const honest: Hello = {
      type: 'hello',
      relaying: this.#relay.enabled,
      allowance: this.#relay.allowances.of(session),
      listening: session.link.info.kind === 'direct' ? [this.#endpoint] : [],
    };
    return this.#misdeeds.hello(honest, session);
  }
}
