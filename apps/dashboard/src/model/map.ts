import type { ConnectionStatus, NeighbourStatus, NodeStatus, RelayLinkStatus } from '@matryoshka/node';
import type { Demo } from '../api/types.ts';
import { circuitHops } from './circuit-hops.ts';

/** Somebody on the map. */
export interface MapNode {
  /** A peer id where it is known; unique in any case. */
  readonly id: string;
  readonly peerId: string | undefined;
  /** `you`: this node; `peer`: shows who it is; `stranger`: one or more that do not. */
  readonly kind: 'you' | 'peer' | 'stranger';
  /** Hops from this node, on the shortest path that it knows. */
  readonly distance: number;
  /** Whether it announces that it relays, or does for one of our circuits. */
  readonly relays: boolean;
  /** `absent`: nothing that is known leads there now. */
  readonly state: 'present' | 'absent' | 'down';
  /** How many it stands for: strangers behind one neighbour are drawn as one. */
  readonly count: number;
  /** Of the neighbour that a stranger is behind. */
  readonly behind?: string;
}

/** Whose bytes they are. */
export type Purpose = 'own' | 'circuit' | 'forwarded';

/** What moves along an edge; by whose counters, its rates are looked up. */
export interface Flow {
  readonly purpose: Purpose;
  /** Key of the counters. */
  readonly counters: string;
  /** Whether what the counters call sent runs from source to target. */
  readonly along: boolean;
}

/** A line on the map, for everything of one kind between the same two. */
export interface MapEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** `direct`: a connection of this node; `hop`: part of its circuits; `veiled`: relays that it does not know. */
  readonly kind: 'direct' | 'hop' | 'veiled';
  readonly state: 'open' | 'waiting' | 'broken';
  readonly flows: readonly Flow[];
  /** Connections that run here, by id. */
  readonly connections: readonly string[];
}

export interface NetworkMap {
  readonly nodes: readonly MapNode[];
  readonly edges: readonly MapEdge[];
}

/** What a relay link is called on this page: its port is unique per session only. */
export function relayLinkKey({ port, previousHop }: RelayLinkStatus): string {
  return `link:${previousHop.peerId ?? previousHop.endpoint}:${port}`;
}

export function connectionKey(id: string): string {
  return `connection:${id}`;
}

export function hopKey(id: string, hop: number): string {
  return `hop:${id}:${hop}`;
}

/** Draws up the map of everything that this node tells. */
export function networkMap(status: NodeStatus, demo?: Demo): NetworkMap {
  return new Cartographer(status, demo).map();
}

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };
type DraftEdge = Omit<Draft<MapEdge>, 'flows' | 'connections'> & { flows: Flow[]; connections: string[] };

class Cartographer {
  readonly #status: NodeStatus;
  readonly #demo: Demo | undefined;
  readonly #nodes = new Map<string, Draft<MapNode>>();
  readonly #edges = new Map<string, DraftEdge>();
  /** Where a connection of this node ends. */
  readonly #endOf = new Map<string, string>();
  /** The line over which this node hears of somebody. */
  readonly #lineTo = new Map<string, DraftEdge>();

  constructor(status: NodeStatus, demo: Demo | undefined) {
    this.#status = status;
    this.#demo = demo;
  }

  map(): NetworkMap {
    const { connections, circuits, relayLinks, peerId } = this.#status;
    this.#node(peerId, { kind: 'you', peerId, distance: 0, relays: this.#status.relayEnabled });
    const hops = circuitHops(this.#status);
    // Those that others run over come first; hops of circuits are drawn with their circuit.
    for (const connection of connections.toSorted((a, b) => a.nesting - b.nesting))
      if (!hops.has(connection.id)) this.#connection(connection);
    for (const circuit of circuits) if (circuit.users === 0) this.#readyCircuit(circuit.hops.map((hop) => hop.peerId));
    for (const link of relayLinks) this.#relayLink(link);
    this.#demoRelays();
    return { nodes: [...this.#nodes.values()], edges: [...this.#edges.values()] };
  }

  #connection(connection: ConnectionStatus): void {
    if (connection.hops !== undefined) this.#circuit(connection, connection.hops);
    else if (connection.kind === 'direct') this.#direct(connection);
    else this.#veiled(connection);
  }

  #direct(connection: ConnectionStatus): void {
    const { id, peerId, relaying } = connection;
    const end = peerId ?? connectionKey(id);
    this.#endOf.set(id, end);
    this.#node(end, { kind: peerId === undefined ? 'stranger' : 'peer', peerId, distance: 1, relays: relaying === true });
    const edge = this.#edge(this.#status.peerId, end, 'direct', stateOf(connection), id);
    edge.flows.push({ purpose: 'own', counters: connectionKey(id), along: true });
  }

  /** Over relays that others have chosen: of those on the way the nearest one is known. */
  #veiled(connection: ConnectionStatus): void {
    const { id, peerId, carriers } = connection;
    const gateway = this.#endOf.get(carriers[0] ?? '') ?? this.#status.peerId;
    const distance = (this.#nodes.get(gateway)?.distance ?? 0) + 1;
    const end = peerId ?? `behind:${gateway}`;
    this.#endOf.set(id, end);
    if (peerId !== undefined) this.#node(end, { kind: 'peer', peerId, distance, relays: connection.relaying === true });
    else this.#stranger(end, gateway, distance);
    this.#edges.get(edgeId(this.#status.peerId, gateway, 'direct'))?.connections.push(id);
    const edge = this.#edge(gateway, end, 'veiled', stateOf(connection), id);
    edge.flows.push({ purpose: 'own', counters: connectionKey(id), along: true });
  }

  #circuit({ id }: ConnectionStatus, hops: NonNullable<ConnectionStatus['hops']>): void {
    let from = this.#status.peerId;
    for (const [index, { peerId, state }] of hops.entries()) {
      this.#node(peerId, { kind: 'peer', peerId, distance: index + 1, relays: index < hops.length - 1 });
      const edge = this.#edge(from, peerId, index === 0 ? 'direct' : 'hop', state === 'open' ? 'open' : 'broken', id);
      // The first hop is the ordinary connection, and drawn as such.
      if (index > 0) edge.flows.push({ purpose: 'circuit', counters: hopKey(id, index), along: edge.source === from });
      from = peerId;
    }
  }

  #readyCircuit(hops: readonly string[]): void {
    let from = this.#status.peerId;
    for (const [index, peerId] of hops.entries()) {
      this.#node(peerId, { kind: 'peer', peerId, distance: index + 1, relays: true });
      if (index > 0) this.#edge(from, peerId, 'hop', 'waiting');
      from = peerId;
    }
  }

  /** Bytes that are passed on come in on the one side and go out on the other. */
  #relayLink(link: RelayLinkStatus): void {
    const counters = relayLinkKey(link);
    this.#forwarded(link.previousHop, counters, false);
    if (link.nextHop !== undefined) this.#forwarded(link.nextHop, counters, true);
  }

  #forwarded(neighbour: NeighbourStatus, counters: string, along: boolean): void {
    const end = this.#neighbour(neighbour);
    this.#lineTo.get(end ?? '')?.flows.push({ purpose: 'forwarded', counters, along });
  }

  #neighbour({ peerId, endpoint }: NeighbourStatus): string | undefined {
    if (peerId !== undefined && this.#nodes.has(peerId)) return peerId;
    const connection = this.#status.connections.find(({ remote }) => remote === endpoint);
    return connection && this.#endOf.get(connection.id);
  }

  /** Those of the demo that nothing leads to now have their place on the map all the same. */
  #demoRelays(): void {
    for (const { peerId, state } of this.#demo?.relays ?? []) {
      const known = this.#nodes.get(peerId);
      if (known === undefined) this.#node(peerId, { kind: 'peer', peerId, distance: 2, relays: true, state: 'absent' });
      if (state === 'down') (this.#nodes.get(peerId) as Draft<MapNode>).state = 'down';
    }
  }

  #node(id: string, node: Pick<MapNode, 'kind' | 'peerId' | 'distance' | 'relays'> & { readonly state?: MapNode['state'] }): void {
    const known = this.#nodes.get(id);
    if (known === undefined) {
      this.#nodes.set(id, { id, state: 'present', count: 1, ...node });
      return;
    }
    known.distance = Math.min(known.distance, node.distance);
    known.relays ||= node.relays;
  }

  #stranger(id: string, behind: string, distance: number): void {
    const known = this.#nodes.get(id);
    if (known === undefined) {
      this.#nodes.set(id, { id, kind: 'stranger', peerId: undefined, distance, relays: false, state: 'present', count: 1, behind });
    } else known.count++;
  }

  #edge(source: string, target: string, kind: MapEdge['kind'], state: MapEdge['state'], connection?: string): DraftEdge {
    const id = edgeId(source, target, kind);
    let edge = this.#edges.get(id);
    if (edge === undefined) {
      edge = { id, source, target, kind, state, flows: [], connections: [] };
      this.#edges.set(id, edge);
    }
    // What works counts for more than what waits, and that for more than what is broken.
    if (STATES.indexOf(state) > STATES.indexOf(edge.state)) edge.state = state;
    if (connection !== undefined) edge.connections.push(connection);
    if (kind !== 'hop' && !this.#lineTo.has(target)) this.#lineTo.set(target, edge);
    return edge;
  }
}

const STATES: readonly MapEdge['state'][] = ['broken', 'waiting', 'open'];

function stateOf({ state }: ConnectionStatus): MapEdge['state'] {
  return state === 'open' ? 'open' : 'broken';
}

/** The same for both directions. */
function edgeId(source: string, target: string, kind: MapEdge['kind']): string {
  return `${kind}:${[source, target].toSorted().join('>')}`;
}
