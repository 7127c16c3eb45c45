import { type PeerId, parsePeerId } from '@matryoshka/session';
import { type Destination, type Endpoint, MatryoshkaError, parseAddress, parseDestination } from '@matryoshka/wire';

/** A destination with its peer ids checked and its host name resolved. */
export interface Resolved {
  readonly peerId?: PeerId;
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
}

/** What a node knows of where peers are: the configured ones. */
export class AddressBook {
  readonly #endpoints = new Map<PeerId, Endpoint>();
  readonly #resolveHost: ((host: string) => Promise<string>) | undefined;

  /** @param peers - `peerId@host:port` each, validated with the options */
  constructor(peers: readonly string[], resolveHost: ((host: string) => Promise<string>) | undefined) {
    this.#resolveHost = resolveHost;
    for (const text of peers) {
      const peer = parseDestination(text);
      if (peer.type === 'endpoint' && peer.peerId !== undefined) this.#endpoints.set(parsePeerId(peer.peerId), peer.endpoint);
    }
  }

  /** Every peer known beforehand whose host name resolves now. */
  async peers(): Promise<KnownPeer[]> {
    const resolved = await Promise.allSettled(
      [...this.#endpoints].map(async ([peerId, endpoint]) => ({ peerId, endpoint: await this.#address(endpoint) })),
    );
    return resolved.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  }

  /** Where a peer was configured to be, as it was named. */
  endpointOf(peerId: PeerId): Endpoint | undefined {
    return this.#endpoints.get(peerId);
  }

  /**
   * Checks and resolves what the user named.
   * @throws MatryoshkaError `wire.endpoint-syntax`, `session.identity-invalid`, `node.peer-unknown` for a name that does not resolve
   */
  async resolve(destination: string | Destination): Promise<Resolved> {
    const parsed = typeof destination === 'string' ? parseDestination(destination) : destination;
    switch (parsed.type) {
      case 'endpoint': {
        const place = await this.#place(parsed.endpoint);
        return parsed.peerId === undefined ? place : { peerId: parsePeerId(parsed.peerId), ...place };
      }
      case 'peer': {
        const peerId = parsePeerId(parsed.peerId);
        const known = this.#endpoints.get(peerId);
        return known === undefined ? { peerId } : { peerId, ...(await this.#place(known)) };
      }
      case 'registered': {
        const relay = parsePeerId(parsed.relayPeerId);
        const at = parsed.relayEndpoint ?? this.#endpoints.get(relay);
        return { peerId: parsePeerId(parsed.peerId), relay, ...(at !== undefined && { endpoint: await this.#address(at) }) };
      }
      default:
        return parsed satisfies never;
    }
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
