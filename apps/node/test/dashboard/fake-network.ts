import { createHash } from 'node:crypto';
import type { CircuitHopStatus, ConnectionStatus, NodeStatus, RelayLinkStatus } from '@matryoshka/node';

/** How much there is around a node. */
export interface Plan {
  readonly peers: number;
  readonly circuits: number;
  readonly relayLinks: number;
  readonly relayed: number;
}

/** Something that looks like the id of a peer, always the same for a name. */
export function fakeId(name: string): string {
  return `mtk1${createHash('sha256').update(name).digest('hex')}`;
}

/** The network around a node, as large as a test needs it: what the node would tell, with counters that go up. */
export class FakeNetwork {
  readonly #plan: Plan;
  readonly #peers: readonly string[];
  readonly #startedMs = Date.now();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#peers = Array.from({ length: plan.peers }, (_, index) => fakeId(`peer ${index}`));
  }

  readonly self: string = fakeId('self');
  /** What a peer is called in its address, where it has one that nobody should have. */
  hostileEndpoint: string | undefined;
  /** Peers that nothing leads to or through any more. */
  readonly gone: Set<string> = new Set();

  get peers(): readonly string[] {
    return this.#peers;
  }

  /** What the node would tell now. */
  status(): NodeStatus {
    const { circuits, relayLinks, relayed } = this.#plan;
    const direct = this.#peers.filter((peerId) => !this.gone.has(peerId)).map((peerId) => this.#direct(peerId));
    return {
      peerId: this.self,
      listening: ['127.0.0.1:9700'],
      relayEnabled: true,
      connections: [
        ...direct,
        ...this.#times(circuits, (index) => this.#circuit(index)),
        ...this.#times(relayed, (index) => this.#relayed(index)),
      ],
      circuits: circuits === 0 ? [] : [{ users: 0, hops: this.#path(7, 3).map((peerId) => this.#hop(peerId, 7)) }],
      relayLinks: this.#times(relayLinks, (index) => this.#relayLink(index)),
      relayLinkEnds: relayLinks * 2,
      registrations: [],
      registeredPeers: [],
      relayMemory: { takenBytes: relayLinks * 524_288, totalBytes: 268_435_456 },
    };
  }

  #times<T>(count: number, make: (index: number) => T): T[] {
    return Array.from({ length: count }, (_, index) => make(index));
  }

  /** Bytes so far at a rate that is different for each. */
  #bytes(seed: number): number {
    const perSecond = 10 ** (2 + ((seed * 7) % 5));
    return Math.round(((Date.now() - this.#startedMs) / 1000) * perSecond);
  }

  /** Peers that are there, another choice for each seed. */
  #path(seed: number, length: number): readonly string[] {
    const there = this.#peers.filter((peerId) => !this.gone.has(peerId));
    const path = new Set<string>();
    for (let at = seed * 3; path.size < Math.min(length, there.length); at += 5 + seed) {
      let next = at % there.length;
      while (path.has(there[next] as string)) next = (next + 1) % there.length;
      path.add(there[next] as string);
    }
    return [...path];
  }

  #direct(peerId: string): ConnectionStatus {
    const index = this.#peers.indexOf(peerId);
    const remote = index === 0 && this.hostileEndpoint !== undefined ? this.hostileEndpoint : endpointOf(index);
    return { ...this.#connection(`d${index}`, index), kind: 'direct', peerId, remote, roundTripMs: 4 + (index % 40) };
  }

  #circuit(index: number): ConnectionStatus {
    const path = this.#path(index, 4);
    const hops = path.map((peerId, hop) => this.#hop(peerId, index + hop));
    return {
      ...this.#connection(`c${index}`, index + 1),
      kind: 'telescoped',
      nesting: path.length - 1,
      anonymous: true,
      peerId: path.at(-1),
      hops,
    };
  }

  #relayed(index: number): ConnectionStatus {
    const [gateway = '', end = ''] = this.#path(index + 11, 2);
    return {
      ...this.#connection(`r${index}`, index + 2),
      kind: 'relayed',
      nesting: 1,
      carriers: [`d${this.#peers.indexOf(gateway)}`],
      peerId: end,
    };
  }

  #relayLink(index: number): RelayLinkStatus {
    const [previous = '', next = ''] = this.#path(index + 1, 2);
    const neighbour = (peerId: string) => ({ peerId, endpoint: endpointOf(this.#peers.indexOf(peerId)) });
    return {
      port: String(1_000_000 + index),
      nextPort: String(1_000_000 + index),
      state: 'open',
      previousHop: neighbour(previous),
      nextHop: neighbour(next),
      hopsLeft: 1 + (index % 3),
      destination: `${fakeId(`far ${index}`)}@198.51.100.${index % 250}:9700`,
      bytesForward: this.#bytes(index),
      bytesBackward: this.#bytes(index + 3),
    };
  }

  #hop(peerId: string, seed: number): CircuitHopStatus {
    return {
      peerId: peerId as CircuitHopStatus['peerId'],
      endpoint: endpointOf(this.#peers.indexOf(peerId)),
      state: 'open',
      roundTripMs: 9 + (seed % 30),
      bytesSent: this.#bytes(seed),
      bytesReceived: this.#bytes(seed + 1),
      coverBytesSent: 0,
      paddingBytesSent: 0,
      keyAgeMs: 60_000,
    };
  }

  #connection(id: string, seed: number): ConnectionStatus {
    return {
      id,
      kind: 'direct',
      role: 'initiator',
      state: 'open',
      peerId: undefined,
      authenticated: true,
      local: '127.0.0.1:9700',
      remote: '127.0.0.1:1',
      nesting: 0,
      carriers: [],
      anonymous: false,
      relaying: seed % 3 !== 0,
      bytesSent: this.#bytes(seed),
      bytesReceived: this.#bytes(seed + 2),
      streams: 1,
      roundTripMs: undefined,
      traffic: { preset: 'standard', recordBytes: 0 } as ConnectionStatus['traffic'],
    };
  }
}

function endpointOf(index: number): string {
  return `10.${index >> 8}.${index & 255}.1:9700`;
}
