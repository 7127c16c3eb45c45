import { type PeerId, parsePeerId, parseStaticKey } from '@matryoshka/session';
import { type Destination, type Endpoint, MatryoshkaError, parseAddress, parseDestination } from '@matryoshka/wire';

/** A destination with its peer ids checked and its host name resolved. */
export interface Resolved {
  readonly peerId?: PeerId;
  /** X25519 key that handshakes with the peer are made to, 32 bytes, where that is known. */
  readonly staticKey?: Uint8Array;
  /** Where the peer is, or with `relay` where its relay is. */
  readonly endpoint?: Endpoint;
  /** The same with the host name that was given, where a direct dial needs it: the certificate of a `wss` endpoint names it. */
  readonly named?: Endpoint;
  /** The relay that the peer is registered with. */
  readonly relay?: PeerId;
}

/** A peer known beforehand, and where it is. */
export interface KnownPeer {
  readonly peerId: PeerId;
  readonly endpoint: Endpoint;
  readonly staticKey?: Uint8Array;
}

/** What a node knows of where peers are: the configured ones. */
export class AddressBook {
  readonly #peers = new Map<PeerId, KnownPeer>();
  readonly #resolveHost: ((host: string) => Promise<string>) | undefined;

  /** @param peers - `peerId[+staticKey]@host:port` each, validated with the options */
  constructor(peers: readonly string[], resolveHost: ((host: string) => Promise<string>) | undefined) {
    this.#resolveHost = resolveHost;
    for (const text of peers) {
      const peer = parseDestination(text);
      if (peer.type !== 'endpoint' || peer.peerId === undefined) continue;
      const peerId = parsePeerId(peer.peerId);
      this.#peers.set(peerId, { peerId, endpoint: peer.endpoint, ...staticKeyOf(peer) });
    }
  }

  /** Who is known beforehand. */
  get peerIds(): PeerId[] {
    return [...this.#peers.keys()];
  }

  /** Every peer known beforehand whose host name resolves now. */
  async peers(): Promise<KnownPeer[]> {
    const resolved = await Promise.allSettled(
      [...this.#peers.values()].map(async (peer) => ({ ...peer, endpoint: await this.#address(peer.endpoint) })),
    );
    return resolved.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  }

  /** Where a peer was configured to be, as it was named. */
  endpointOf(peerId: PeerId): Endpoint | undefined {
    return this.#peers.get(peerId)?.endpoint;
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
        return known === undefined ? peer : { ...peer, ...(await this.#place(known.endpoint)) };
      }
      case 'registered': {
        const relay = parsePeerId(parsed.relayPeerId);
        const at = parsed.relayEndpoint ?? this.#peers.get(relay)?.endpoint;
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

  async #place(endpoint: Endpoint): Promise<{ readonly endpoint: Endpoint; readonly named?: Endpoint }> {
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
