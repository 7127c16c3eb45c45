import { Acceptor, Protocols, type Session, type SessionEnvironment, connectSession } from '@matryoshka/peer';
import { SlabPool, createIdentity, networkKeyPsk, peerHash, portableProvider, randomBytes } from '@matryoshka/session';
import { type World, createWorld, seededRandom } from '@matryoshka/simulation';
import type { Link, Transport } from '@matryoshka/transport';
import {
  type Allowance,
  type Endpoint,
  HANDSHAKE_ANSWER_LENGTH,
  HANDSHAKE_REQUEST_LENGTH,
  type RelayDestination,
  type Message,
  parseEndpoint,
} from '@matryoshka/wire';
import {
  type AllowanceSettings,
  DEFAULT_ALLOWANCE_SETTINGS,
  type RelayOptions,
  RelayService,
  type ServedLink,
  peerIdOf,
} from '../src/index.ts';

const UNLIMITED: Allowance = { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 };
/** Tests of anything else ask as often as they like. */
const UNLIMITED_ALLOWANCES: AllowanceSettings = {
  ...DEFAULT_ALLOWANCE_SETTINGS,
  unknown: UNLIMITED,
  known: UNLIMITED,
  relayed: UNLIMITED,
};

/** One who speaks the protocol up to relay links and no further: what ends here is kept as it comes. */
export class Party {
  readonly world: World;
  readonly host: string;
  readonly sessions = new Set<Session>();
  readonly environment: SessionEnvironment;
  readonly relay: RelayService;
  /** Relay links that ended here, with their first messages. */
  readonly arrived: { readonly link: Link; readonly first: Uint8Array }[] = [];
  readonly served: (readonly [string, ServedLink])[] = [];
  readonly refused: string[] = [];
  readonly #transport: Transport;
  #nextId = 1;

  constructor(world: World, host: string, seed: number, options: Partial<RelayOptions> = {}) {
    this.world = world;
    this.host = host;
    const { clock, network } = world;
    const random = seededRandom(seed);
    const provider = portableProvider;
    const identity = createIdentity(provider, random);
    this.#transport = network.host(host)({ clock });
    this.relay = new RelayService(
      {
        clock,
        random,
        peerId: identity.peerId,
        sessions: () => this.sessions,
        ownEndpoints: () => [this.endpoint],
        endpointsOf: () => [],
        dial: (endpoint) => this.dial(endpoint),
        accept: (link, first) => this.arrived.push({ link, first: first.slice() }),
        onServed: (event, link) => this.served.push([event, link]),
        onRefused: (reason) => this.refused.push(reason),
      },
      { enabled: true, allowDial: ['private'], allowances: UNLIMITED_ALLOWANCES, ...options },
    );
    this.environment = {
      provider,
      random,
      clock,
      slabs: new SlabPool(),
      identity,
      staticKey: provider.dhKeyPair(randomBytes(random, 32)),
      psk: networkKeyPsk(provider),
      protocols: new Protocols(),
      relay: this.relay,
      acceptAnonymous: true,
      handshakeTimeoutMs: 10_000,
      maxHandshakes: 256,
      nextSessionId: () => `${host}#${this.#nextId++}`,
      hello: (session) => ({
        type: 'hello',
        relaying: this.relay.enabled,
        allowance: this.relay.allowances.of(session),
        listening: [],
      }),
      onHello: () => {},
      onOpened: (session) => this.sessions.add(session),
      onClosed: (session) => this.sessions.delete(session),
      onMisbehaved: (session) => this.relay.did(session, 'malformed'),
    };
  }

  get endpoint(): Endpoint {
    return parseEndpoint(`${this.host}:999`);
  }

  get destination(): RelayDestination {
    return { endpoint: this.endpoint, peer: peerHash(this.environment.identity.peerId) };
  }

  async listen(): Promise<void> {
    const acceptor = new Acceptor(this.environment);
    await this.#transport.listen?.(this.endpoint, (link, first) => acceptor.offer(link, first));
  }

  dial(endpoint: Endpoint): Promise<Session> {
    return connectSession(
      this.environment,
      { next: ({ first }, signal) => this.#transport.dial(endpoint, first, { signal }) },
      { dialled: endpoint },
    );
  }

  /** The session to another party. */
  to(other: Party): Session {
    const found = [...this.sessions].find((session) => peerIdOf(session) === other.environment.identity.peerId);
    if (found === undefined) throw new RangeError(`${this.host} has no session to ${other.host}`);
    return found;
  }

  /** Opens a relay link to `destination`, which need not answer yet. */
  open(gateway: Party, destination: Party, hops: number, first: Uint8Array = someRequest(), signal?: AbortSignal): Promise<Link> {
    return this.relay.open(
      { gateway: this.to(gateway), destination: destination.destination, remote: destination.endpoint, hops },
      first,
      signal,
    );
  }

  /** Sends relay messages of one's own making. */
  send(to: Party, ...messages: readonly Message[]): void {
    for (const message of messages) this.to(to).send(message);
  }
}

export interface RelayWorld {
  readonly world: World;
  readonly parties: readonly Party[];
}

/** Parties in a row, each connected to the next one, in networks of their own. */
export async function row(
  length: number,
  seed: number,
  options: readonly Partial<RelayOptions>[] = [],
  latencyMs = 5,
): Promise<RelayWorld> {
  const world = createWorld({ seed, latencyMs });
  const parties = Array.from({ length }, (_, i) => new Party(world, `10.${i + 1}.0.1`, seed * 100 + i, options[i]));
  for (const party of parties) await party.listen();
  for (const [i, party] of parties.entries()) if (i + 1 < length) await world.run(party.dial((parties[i + 1] as Party).endpoint));
  await world.clock.advance(100);
  return { world, parties };
}

/** Both ends of a relay link, and the first message of the originator. */
export interface OpenedLink {
  readonly near: Link;
  readonly far: Link;
  readonly first: Uint8Array;
}

/** Both ends of a relay link from the first party to the last, open: the destination has answered with zeros. */
export async function openLink({ world, parties }: RelayWorld, first?: Uint8Array): Promise<OpenedLink> {
  const [a, next, ...rest] = parties as [Party, Party, ...Party[]];
  const destination = rest.at(-1) ?? next;
  const count = destination.arrived.length;
  const opening = a.open(next, destination, parties.length - 1, first);
  await world.clock.run({ until: () => destination.arrived.length > count, untilMs: world.clock.now() + 10_000 });
  const { link: far, first: got } = destination.arrived.at(-1) as { link: Link; first: Uint8Array };
  far.send([new Uint8Array(HANDSHAKE_ANSWER_LENGTH)]);
  const near = await world.run(opening);
  return { near, far, first: got };
}

let requests = 0;

/** A first handshake message that begins with a key of its own, as all do. */
export function someRequest(): Uint8Array {
  const request = new Uint8Array(HANDSHAKE_REQUEST_LENGTH);
  new DataView(request.buffer).setUint32(3, ++requests);
  return request;
}

/** What nobody may hold once all links are closed. */
export function holdings(parties: readonly Party[]): { readonly takenBytes: number; readonly linkEnds: number; readonly served: number }[] {
  return parties.map(({ relay }) => ({ takenBytes: relay.pool.takenBytes, linkEnds: relay.linkEnds, served: [...relay.served].length }));
}

/** `holdings` of parties that hold nothing. */
export function nothing(parties: readonly Party[]): ReturnType<typeof holdings> {
  return parties.map(() => ({ takenBytes: 0, linkEnds: 0, served: 0 }));
}
