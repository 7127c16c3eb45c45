/** One of the demo's nodes. */
export interface Role {
  readonly name: string;
  /** Its own loopback address, on a network of its own. */
  readonly host: string;
  /** Whether it is one of those that are connected to each other beforehand. */
  readonly meshed: boolean;
  readonly receives: boolean;
}

/** A, who sends. */
export const ORIGINATOR: Role = { name: 'A', host: '127.11.0.1', meshed: false, receives: false };

/** All the others; each relays. */
export const OTHERS: readonly Role[] = [
  { name: 'B', host: '127.22.0.1', meshed: true, receives: false },
  { name: 'C', host: '127.33.0.1', meshed: true, receives: false },
  { name: 'D', host: '127.44.0.1', meshed: false, receives: true },
  { name: 'E', host: '127.55.0.1', meshed: false, receives: true },
  { name: 'F', host: '127.66.0.1', meshed: true, receives: false },
  { name: 'G', host: '127.77.0.1', meshed: true, receives: false },
  { name: 'H', host: '127.88.0.1', meshed: true, receives: false },
];

/** Puts names for what nodes say: a peer id, an endpoint, or both. */
export class Names {
  readonly #byPeerId = new Map<string, string>();
  readonly #byHost = new Map<string, string>([ORIGINATOR, ...OTHERS].map(({ name, host }) => [host, name]));

  /** A node has told who it is. */
  add(name: string, peerId: string): void {
    this.#byPeerId.set(peerId, name);
  }

  /** The name behind a peer id; the id itself where it is nobody's here. */
  ofPeer(peerId: string): string {
    return this.#byPeerId.get(peerId) ?? peerId;
  }

  /** The name behind `[peerId@]host:port[:relayPort]`. */
  ofEndpoint(text: string): string {
    const [first, second] = text.split('@');
    if (second !== undefined) return this.ofPeer(first as string);
    return this.#byPeerId.get(text) ?? this.#byHost.get(text.split(':')[0] as string) ?? text;
  }

  /** Who a neighbour is, as the node that speaks of it can know it. */
  ofNeighbour({ peerId, endpoint }: { readonly peerId?: string | null | undefined; readonly endpoint: string }): string {
    if (peerId !== null && peerId !== undefined) return this.ofPeer(peerId);
    // With a relay port: whoever it is speaks through the node at that address.
    return endpoint.split(':').length > 2 ? `someone behind ${this.ofEndpoint(endpoint)}` : `someone at ${this.ofEndpoint(endpoint)}`;
  }
}
