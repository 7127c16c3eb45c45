import type { CircuitHopStatus, ConnectionStatus, NodeStatus, RelayLinkStatus } from '@matryoshka/node';

// What a node tells, for tests: each with what does not matter there.

export function connection(some: Partial<ConnectionStatus> = {}): ConnectionStatus {
  return {
    id: '1',
    kind: 'direct',
    role: 'initiator',
    state: 'open',
    peerId: 'b',
    authenticated: true,
    local: '127.1.0.1:1',
    remote: '127.2.0.1:1',
    nesting: some.kind === undefined || some.kind === 'direct' ? 0 : 1,
    carriers: [],
    anonymous: false,
    relaying: true,
    bytesSent: 0,
    bytesReceived: 0,
    streams: 0,
    roundTripMs: undefined,
    traffic: {} as ConnectionStatus['traffic'],
    ...some,
  };
}

export function hop(some: Partial<Omit<CircuitHopStatus, 'peerId'>> & { readonly peerId: string }): CircuitHopStatus {
  return {
    endpoint: '127.2.0.1:1',
    state: 'open',
    roundTripMs: 5,
    bytesSent: 0,
    bytesReceived: 0,
    coverBytesSent: 0,
    paddingBytesSent: 0,
    keyAgeMs: 0,
    ...some,
  } as CircuitHopStatus;
}

export function relayLink(some: Partial<RelayLinkStatus> = {}): RelayLinkStatus {
  return {
    port: '5',
    nextPort: undefined,
    state: 'open',
    previousHop: { peerId: 'b', endpoint: '127.2.0.1:1' },
    nextHop: { peerId: 'c', endpoint: '127.3.0.1:1' },
    hopsLeft: 2,
    destination: 'mtk1d@127.4.0.1:1',
    bytesForward: 0,
    bytesBackward: 0,
    ...some,
  };
}

export function nodeStatus(some: Partial<NodeStatus> = {}): NodeStatus {
  return {
    peerId: 'a',
    listening: [],
    relayEnabled: true,
    connections: [],
    circuits: [],
    relayLinks: [],
    relayLinkEnds: 0,
    registrations: [],
    registeredPeers: [],
    relayMemory: { takenBytes: 0, totalBytes: 1 },
    ...some,
  };
}
