import { type Random, randomBelow, randomBetween, randomItem } from '@matryoshka/session';
import { type PathConditions, seededRandom } from '@matryoshka/simulation';
import { type FaultPlan, drawFaults } from '../play/fault-plan.ts';
import { drawSide, shuffled } from '../play/plan.ts';
import type { SidePlan } from '../play/plan.ts';
import { type Edge, MAX_DENSE_NODES, type Shape, drawTopology } from './topology.ts';

const KIB = 1024;
const NEVER = Number.POSITIVE_INFINITY;
/** Requests and misdeeds begin within this time, in milliseconds. */
const ACTS_WITHIN_MS = 6000;
/** Streams are opened within this time over connections that are there already: faults find something to break. */
const STREAMS_WITHIN_MS = 12_000;
/** The last of what is planned has begun by then. */
export const LAST_ACT_MS: number = ACTS_WITHIN_MS + STREAMS_WITHIN_MS;
const MAX_HOPS = 15;
const MAX_FAULTS = 4;
/** Enough for a path beside the one that has failed. */
const MIN_CIRCUIT_NODES = 10;
const MAX_CIRCUIT_NODES = 16;
const MAX_CIRCUIT_HOPS = 5;
/** With little memory windows are small, and many bytes over many hops take long without anything being wrong. */
const LENGTH_SHARE = 16;

/** How one connection over relays is asked for, between nodes by their numbers. */
export interface RequestPlan {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly way:
    | { readonly kind: 'relayed'; readonly hops: number; readonly gateway?: number; readonly named: 'pinned' | 'peer' | 'unverified' }
    | { readonly kind: 'telescoped'; readonly path: readonly number[] }
    /** Over relays that the originator chooses from descriptors. */
    | { readonly kind: 'circuit'; readonly hops: number };
  readonly anonymous: boolean;
  /** What is sent over it, each by its own stream, that is opened so long after the connection was. */
  readonly transfers: readonly { readonly startMs: number; readonly opener: SidePlan; readonly server: SidePlan }[];
  /** Closed by its opener so many milliseconds after it was made, whatever is under way. */
  readonly closeAfterMs: number | undefined;
}

/** What a node does that it must not, or need not. */
export type Vice =
  /** Relay data is let go, from some byte on. */
  | 'drop'
  /** Relay data is passed on late. */
  | 'delay'
  /** Requests to go on are neither passed on nor answered. */
  | 'swallow'
  /** Relay data is passed on twice. */
  | 'duplicate'
  /** Relay data is passed on with another byte. */
  | 'alter'
  /** Requests far above every allowance. */
  | 'flood'
  /** Messages for ports that lead nowhere. */
  | 'stray'
  /** More relay data than the other side granted. */
  | 'overrun'
  /** Messages that no version allows. */
  | 'malformed'
  /** Over relay links of its own, to those at their ends: what is malformed, stray, or too much. */
  | 'behind'
  /** A circuit is extended to somebody else than was asked for. */
  | 'astray'
  /** Whoever has its descriptor expects another identity. */
  | 'impostor'
  /** A hello that promises relaying that is refused, endpoints of others, and any allowance. */
  | 'lie';

/** Vices of which a neighbour itself is told on its own session: what may cost reputation. */
export const BLAMED: ReadonlySet<Vice> = new Set<Vice>(['flood', 'stray', 'overrun', 'malformed']);
const VICES: readonly Vice[] = [
  'drop',
  'delay',
  'swallow',
  'duplicate',
  'alter',
  'flood',
  'stray',
  'overrun',
  'malformed',
  'behind',
  'lie',
];
/** What a hop of a circuit can do. */
const HOP_VICES: readonly Vice[] = ['drop', 'delay', 'swallow', 'duplicate', 'alter', 'astray', 'impostor'];

/** A node that misbehaves, from some time on. */
export interface RoguePlan {
  readonly node: number;
  readonly vices: readonly Vice[];
  readonly fromMs: number;
}

/** One's own doing: a node stops serving relay links, and begins again. */
export interface SwitchPlan {
  readonly node: number;
  readonly offMs: number;
  readonly onMs: number;
}

/** Everything about a world of relays that is decided before it begins. */
export interface RelayPlan {
  readonly seed: number;
  readonly nodes: number;
  readonly shape: Shape;
  /** Who is connected to whom from the beginning, the dialling node first. */
  readonly edges: readonly Edge[];
  /** The network of each node: those of one network exclude each other as next hops. */
  readonly networks: readonly number[];
  readonly conditions: PathConditions;
  readonly timersLateMs: number | undefined;
  /** Credit that each node may grant for relaying. */
  readonly relayMemoryBytes: readonly number[];
  /** Whether allowances are the defaults; without limits otherwise. */
  readonly allowances: boolean;
  /** Nodes that give the next hop of a relay link another port. */
  readonly perHopPorts: readonly number[];
  /** How many entry guards originators of circuits keep, builds they make at once, and circuits they keep ready. */
  readonly circuits: { readonly entryGuards: number; readonly parallelBuilds: 1 | 2; readonly ready: number };
  /** Nodes that serve no relay links at all. */
  readonly unwilling: readonly number[];
  readonly requests: readonly RequestPlan[];
  readonly rogues: readonly RoguePlan[];
  readonly switches: readonly SwitchPlan[];
  readonly faults: readonly FaultPlan[];
}

/** Whether nothing in a world breaks, misbehaves or is switched off: then what is open stays open. */
export function isCalm({ rogues, switches, faults }: RelayPlan): boolean {
  return rogues.length + switches.length + faults.length === 0;
}

/**
 * Whether every stream has to survive: whatever breaks heals, there is always another way, and nobody misbehaves, refuses
 * or switches off.
 */
export function isSure({ allowances, faults, networks, nodes, requests, rogues, shape, switches, unwilling }: RelayPlan): boolean {
  const lifelines = lifelinesOf(requests);
  return (
    (shape === 'dense' || (requests.every(({ way }) => way.kind === 'circuit') && nodes >= MIN_CIRCUIT_NODES)) &&
    !allowances &&
    new Set(networks).size === nodes &&
    rogues.length + switches.length + unwilling.length === 0 &&
    requests.every(({ way }) => way.kind !== 'relayed' || way.hops <= nodes - 3) &&
    faults.every((fault) => fault.kind !== 'crash' || !lifelines.has(fault.node))
  );
}

/** Whether the relays of a circuit would need more networks than there are beside those of its ends: then there is no path. */
export function lacksNetworks({ networks, unwilling }: RelayPlan, { from, to, way }: RequestPlan): boolean {
  const others = networks.filter((network, node) => !unwilling.includes(node) && network !== networks[from] && network !== networks[to]);
  return way.kind === 'circuit' && new Set(others).size < way.hops - 1;
}

/** The plan of a seed: for requests of all kinds, or for circuits alone. */
export function drawRelayPlan(seed: number, of: 'anything' | 'circuits' = 'anything'): RelayPlan {
  const random = seededRandom(seed);
  const circuits = of === 'circuits';
  const nodes = circuits ? randomBetween(random, MIN_CIRCUIT_NODES, MAX_CIRCUIT_NODES) : drawNodes(random);
  // Nothing breaks; everything heals; anything happens.
  const mood = randomItem(random, ['calm', 'sure', 'wild', 'wild', 'wild', 'wild']) as 'calm' | 'sure' | 'wild';
  const wild = mood === 'wild';
  const topology = drawTopology(random, nodes, mood === 'sure' && nodes <= MAX_DENSE_NODES);
  const honest = shuffled(random, nodes);
  const rogues = wild ? drawRogues(random, honest, circuits ? HOP_VICES : VICES) : [];
  // Those that misbehave ask for nothing of their own, but may be asked for.
  const relayMemoryBytes = drawMemory(random, nodes);
  const maxLength = Math.min(...relayMemoryBytes) / LENGTH_SHARE;
  const requests = Array.from({ length: randomBetween(random, 1, 8) }, () => drawRequest(random, honest, { nodes, maxLength, circuits }));
  const spared = mood === 'sure' ? lifelinesOf(requests) : new Set<number>();
  const slow = randomBelow(random, 4) === 0;
  return {
    seed,
    nodes,
    ...topology,
    networks: drawNetworks(random, nodes, wild),
    conditions: {
      latencyMs: randomItem(random, [0, 2, [1, 30], [5, 100], 60]) as NonNullable<PathConditions['latencyMs']>,
      ...(slow && { bytesPerSecond: randomBetween(random, 100_000, 2_000_000) }),
    },
    timersLateMs: randomItem(random, [undefined, 0, 2, 20]),
    relayMemoryBytes,
    allowances: wild && randomBelow(random, 3) === 0,
    perHopPorts: randomBelow(random, 2) === 0 ? [] : honest.filter(() => randomBelow(random, 2) === 0),
    unwilling: honest.filter(() => wild && randomBelow(random, 12) === 0),
    requests,
    rogues,
    switches: wild ? drawSwitches(random, honest) : [],
    faults: mood === 'calm' || randomBelow(random, 4) === 0 ? [] : drawFaults(random, { nodes, spared, maxFaults: MAX_FAULTS }),
    circuits: {
      entryGuards: randomItem(random, [0, 1, 3]) as number,
      parallelBuilds: randomItem(random, [1, 2] as const) as 1,
      // What is kept ready is kept for minutes, which take their time.
      ready: randomBelow(random, 6) === 0 ? 2 : 0,
    },
  };
}

/** Connections live only as long as their ends, and as the hops of circuits. */
function lifelinesOf(requests: readonly RequestPlan[]): ReadonlySet<number> {
  return new Set(requests.flatMap(({ from, to, way }) => [from, to, ...(way.kind === 'telescoped' ? way.path : [])]));
}

function drawNodes(random: Random): number {
  const most = randomItem(random, [8, 8, 12, 12, 20, 40]) as number;
  return randomBetween(random, 5, most);
}

/** Most nodes are alone in their network. */
function drawNetworks(random: Random, nodes: number, wild: boolean): number[] {
  const crowded = wild && randomBelow(random, 4) === 0;
  return Array.from({ length: nodes }, (_, i) => (crowded ? randomBelow(random, nodes) : i));
}

function drawMemory(random: Random, nodes: number): number[] {
  const sizes = randomItem(random, [[64 * KIB], [64 * KIB, 1024 * KIB], [4096 * KIB], [256 * 1024 * KIB]]) as readonly number[];
  return Array.from({ length: nodes }, () => randomItem(random, sizes) as number);
}

/** Takes some of the honest nodes. */
function drawRogues(random: Random, honest: number[], kinds: readonly Vice[]): RoguePlan[] {
  const count = randomBelow(random, 3) === 0 ? 0 : randomBetween(random, 1, Math.max(1, Math.floor(honest.length / 5)));
  return honest.splice(0, count).map((node) => ({
    node,
    vices: shuffled(random, kinds.length)
      .slice(0, randomItem(random, [1, 1, 1, 2, 3]) as number)
      .map((i) => kinds[i] as Vice),
    fromMs: randomBelow(random, 2) === 0 ? 0 : randomBelow(random, ACTS_WITHIN_MS),
  }));
}

function drawSwitches(random: Random, honest: readonly number[]): SwitchPlan[] {
  return Array.from({ length: Math.max(0, randomBelow(random, 4) - 1) }, () => {
    const offMs = randomBelow(random, ACTS_WITHIN_MS);
    return { node: randomItem(random, honest) as number, offMs, onMs: offMs + randomBelow(random, 5000) };
  });
}

function drawRequest(
  random: Random,
  honest: readonly number[],
  { nodes, maxLength, circuits }: { readonly nodes: number; readonly maxLength: number; readonly circuits: boolean },
): RequestPlan {
  const from = randomItem(random, honest) as number;
  const others = shuffled(random, nodes).filter((node) => node !== from);
  const to = others.pop() as number;
  const path = others.slice(0, randomBetween(random, 1, 4));
  return {
    atMs: randomBelow(random, ACTS_WITHIN_MS),
    from,
    to,
    way: circuits ? { kind: 'circuit', hops: randomBetween(random, 2, MAX_CIRCUIT_HOPS) } : drawWay(random, others, path),
    anonymous: randomBelow(random, 3) === 0,
    transfers: Array.from({ length: randomBetween(random, 1, 2) }, () => ({
      startMs: randomBelow(random, 2) === 0 ? 0 : randomBelow(random, STREAMS_WITHIN_MS),
      opener: shortened(drawSide(random), maxLength),
      server: shortened(drawSide(random), maxLength),
    })),
    closeAfterMs: randomBelow(random, 5) === 0 ? randomBelow(random, STREAMS_WITHIN_MS) : undefined,
  };
}

function shortened(side: SidePlan, maxLength: number): SidePlan {
  return { ...side, length: Math.min(side.length, maxLength) };
}

function drawWay(random: Random, others: readonly number[], path: readonly number[]): RequestPlan['way'] {
  return randomBelow(random, 4) === 0 ? { kind: 'telescoped', path } : drawRelayed(random, others);
}

function drawRelayed(random: Random, others: readonly number[]): RequestPlan['way'] {
  const hops = randomBetween(random, 1, randomItem(random, [2, 4, 4, 4, MAX_HOPS]) as number);
  return {
    kind: 'relayed',
    hops,
    named: randomItem(random, ['pinned', 'pinned', 'pinned', 'peer', 'unverified'] as const) as 'pinned',
    ...(hops > 1 && randomBelow(random, 6) === 0 && { gateway: randomItem(random, others) as number }),
  };
}

/** A plan in few lines, for people. */
export function tellRelayPlan(plan: RelayPlan): string {
  const { nodes, shape, edges, requests, rogues, switches, faults, perHopPorts, unwilling } = plan;
  const told = ({ to, way }: RequestPlan): string => {
    if (way.kind === 'telescoped') return `telescoped ${[...way.path, to].join(' ')}`;
    if (way.kind === 'circuit') return `circuit of ${way.hops} hops`;
    return `${way.hops} hops, ${way.named}${way.gateway === undefined ? '' : `, gateway ${way.gateway}`}`;
  };
  return [
    `${nodes} nodes, ${shape}: ${edges.map(({ from, to }) => `${from}-${to}`).join(' ')}`,
    ...requests.map((request, i) => `request ${i} at ${request.atMs} ms: ${request.from} to ${request.to}, ${told(request)}`),
    ...rogues.map(({ node, vices, fromMs }) => `node ${node} from ${fromMs} ms on: ${vices.join(', ')}`),
    ...switches.map(({ node, offMs, onMs }) => `node ${node} does not relay from ${offMs} to ${onMs} ms`),
    ...(perHopPorts.length > 0 ? [`ports per hop: ${perHopPorts.join(' ')}`] : []),
    ...(unwilling.length > 0 ? [`never relaying: ${unwilling.join(' ')}`] : []),
    ...faults.map((fault) => JSON.stringify(fault, (_, value: unknown) => (value === NEVER ? 'never' : value))),
  ].join('\n    ');
}
