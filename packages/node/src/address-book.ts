import { type PeerId, parsePeerId, parseStaticKey } from '@matryoshka/session';
import { type Destination, type Endpoint, MatryoshkaError, parseAddress, parseDestination } from '@matryoshka/wire';

/** Where a peer is. */
export interface Place {
  readonly endpoint: Endpoint;
  /** The same with the host name that was given, where a direct dial needs it: the certificate of a `wss` endpoint names it. */
  readonly named?: Endpoint;
}

/** A destination with its peer ids checked and its host name resolved: where the peer is, or with `relay` where its relay is. */
export interface Resolved extends Partial<Place> {
  readonly peerId?: PeerId;
  /** X25519 key that handshakes with the peer are made to, 32 bytes, where that is known. */
  readonly staticKey?: Uint8Array;
  /** Where else the peer may be, where it was named by its id alone. */
  readonly others?: readonly Place[];
  /** The relay that the peer is registered with. */
  readonly relay?: PeerId;
}

/** A peer known beforehand, and where it is, host names resolved. */
export interface KnownPeer extends Place {
  readonly peerId: PeerId;
  readonly staticKey?: Uint8Array;
  readonly others?: readonly Place[];
}

/** A peer as it was configured: more than once where it can be reached in several ways. */
interface ConfiguredPeer {
  readonly peerId: PeerId;
  readonly endpoints: readonly Endpoint[];
  readonly staticKey?: Uint8Array;
}

/** What a node knows of where peers are: the configured ones. */
export class AddressBook {
  readonly #peers = new Map<PeerId, ConfiguredPeer>();
  readonly #resolveHost: ((host: string) => Promise<string>) | undefined;

  /** @param peers - `peerId[+staticKey]@host:port` each, validated with the options */
  constructor(peers: readonly string[], resolveHost: ((host: string) => Promise<string>) | undefined) {
    this.#resolveHost = resolveHost;
    for (const text of peers) {
      const peer = parseDestination(text);
      if (peer.type !== 'endpoint' || peer.peerId === undefined) continue;
      const peerId = parsePeerId(peer.peerId);
      const { endpoints = [], ...known } = this.#peers.get(peerId) ?? { peerId };
      this.#peers.set(peerId, { ...known, endpoints: [...endpoints, peer.endpoint], ...staticKeyOf(peer) });
    }
  }

  /** Who is known beforehand. */
  get peerIds(): PeerId[] {
    return [...this.#peers.keys()];
  }

  /** Every peer known beforehand whose host name resolves now. */
  async peers(): Promise<KnownPeer[]> {
    const resolved = await Promise.allSettled(
      [...this.#peers.values()].map(async ({ endpoints, ...peer }) => ({ ...peer, ...(await this.#places(endpoints)) })),
    );
    return resolved.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  }

  /** Whether a peer is known beforehand. */
  has(peerId: PeerId): boolean {
    return this.#peers.has(peerId);
  }

  /** Where a peer was configured to be, as it was named. */
  endpointsOf(peerId: PeerId): readonly Endpoint[] {
    return this.#peers.get(peerId)?.endpoints ?? [];
  }

  /**
   * Checks and resolves what the user named.
   * @throws MatryoshkaError `wire.endpoint-syntax`, `session.identity-invalid`, `node.peer-unknown` for a name that does not resolve
   */
  async resolve(destination: string | Destination): Promise<Resolved> {
    const parsed = typeof destination === 'string' ? parseDestination(destination) : destination;
    switch (parsed.type) {
      case 'endpoint': {
        if (parsed.peerId === undefined) return this.#place(parsed.endpoint);
        const peer = this.#named(parsed.peerId, parsed);
        return { ...peer, ...(await this.#place(parsed.endpoint)) };
      }
      case 'peer': {
        const peer = this.#named(parsed.peerId, parsed);
        const known = this.#peers.get(peer.peerId);
        return known === undefined ? peer : { ...peer, ...(await this.#places(known.endpoints)) };
      }
      case 'registered': {
        const relay = parsePeerId(parsed.relayPeerId);
        const at = parsed.relayEndpoint ?? this.#peers.get(relay)?.endpoints[0];
        return { ...this.#named(parsed.peerId, parsed), relay, ...(at !== undefined && { endpoint: await this.#address(at) }) };
      }
      default:
        return parsed satisfies never;
    }
  }

  /** The static key that was named with a peer goes before the one it was configured with. */
  #named(text: string, destination: { readonly staticKey?: string }): Pick<KnownPeer, 'peerId' | 'staticKey'> {
    const peerId = parsePeerId(text);
    const configured = this.#peers.get(peerId)?.staticKey;
    return { peerId, ...(configured !== undefined && { staticKey: configured }), ...staticKeyOf(destination) };
  }

  /** The first one whose name resolves, and the others. @throws MatryoshkaError `node.peer-unknown` where none does */
  async #places(endpoints: readonly Endpoint[]): Promise<Pick<KnownPeer, 'endpoint' | 'named' | 'others'>> {
    const results = await Promise.allSettled(endpoints.map((endpoint) => this.#place(endpoint)));
    const [first, ...others] = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    if (first === undefined) throw (results[0] as PromiseRejectedResult).reason;
    return others.length === 0 ? first : { ...first, others };
  }

  async #place(endpoint: Endpoint): Promise<Place> {
    const address = await this.#address(endpoint);
    return endpoint.transport === 'tcp' || address.host === endpoint.host ? { endpoint: address } : { endpoint: address, named: endpoint };
  }

  /** Host names are the originator's to resolve: only addresses travel (R7). */
  async #address(endpoint: Endpoint): Promise<Endpoint> {
    if (parseAddress(endpoint.host) !== undefined) return endpoint;
    // A platform that does not resolve names dials them itself.
    if (this.#resolveHost === undefined && endpoint.transport !== 'tcp') return endpoint;
    try {
      if (this.#resolveHost === undefined) throw new TypeError('host names cannot be resolved on this platform');
      return { ...endpoint, host: await this.#resolveHost(endpoint.host) };
    } catch (error) {
      throw new MatryoshkaError(
        'node.peer-unknown',
        `the host name ${endpoint.host} does not resolve: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }
}

function staticKeyOf({ staticKey }: { readonly staticKey?: string }): { readonly staticKey?: Uint8Array } {
  return staticKey === undefined ? {} : { staticKey: parseStaticKey(staticKey) };
}
