import type { TrafficOption } from '@matryoshka/node';
import { type Random, randomBelow, randomBetween, randomItem } from '@matryoshka/session';
import { type PathConditions, randomReal, seededRandom } from '@matryoshka/simulation';
import { type FaultPlan, drawFaults } from './fault-plan.ts';
import { type ReshapePlan, bearable, drawReshapes, drawTraffic } from './traffic-plan.ts';

const KIB = 1024;
const MAX_NODES = 5;
/** One world in so many runs on real cryptography. */
const REAL_CRYPTO_SHARE = 64;

/** How one connection is made, between nodes by their numbers. */
export interface ConnectionPlan {
  readonly from: number;
  readonly to: number;
  readonly way:
    | { readonly kind: 'direct' }
    | { readonly kind: 'relayed'; readonly hops: number }
    | { readonly kind: 'telescoped'; readonly path: readonly number[] };
  /** How its traffic looks; undefined: as all of its opener. */
  readonly traffic: TrafficOption | undefined;
}

/** How one side of a stream behaves. */
export interface SidePlan {
  /** Bytes it sends before it ends. */
  readonly length: number;
  /** Bytes of one write, at most. */
  readonly maxChunk: number;
  /** Chance of a pause after a write, how many there are and how long one is, at most. */
  readonly pauseChance: number;
  readonly maxPauses: number;
  readonly maxPauseMs: number;
  /** Chance that it stops reading for a while after bytes have come; these are pauses, too. */
  readonly stopChance: number;
}

/** One stream over one of the connections. */
export interface TransferPlan {
  readonly connection: number;
  /** Opened by who accepted the connection. */
  readonly reverse: boolean;
  readonly startMs: number;
  readonly opener: SidePlan;
  readonly server: SidePlan;
}

/** Everything about a world that is decided before it begins. */
export interface Plan {
  readonly seed: number;
  readonly nodes: number;
  /** What ways between two nodes are like, by the numbers of the nodes. */
  readonly paths: readonly { readonly a: number; readonly b: number; readonly conditions: PathConditions }[];
  readonly timersLateMs: number | undefined;
  readonly suite: 'chacha20poly1305' | 'aes256gcm';
  readonly realCrypto: boolean;
  readonly relayMemoryBytes: number;
  /** How the traffic of each node looks. */
  readonly traffic: readonly TrafficOption[];
  readonly reshapes: readonly ReshapePlan[];
  readonly connections: readonly ConnectionPlan[];
  readonly transfers: readonly TransferPlan[];
  readonly faults: readonly FaultPlan[];
}

/** How much of what happens in a world. */
export interface Knobs {
  /** Most faults of one world. */
  readonly maxFaults: number;
}

/** The plan of a seed. */
export function drawPlan(seed: number, { maxFaults }: Knobs): Plan {
  const random = seededRandom(seed);
  const nodes = randomBetween(random, 2, MAX_NODES);
  const connections = Array.from({ length: randomBetween(random, 1, 3) }, () => ({
    ...drawConnection(random, nodes),
    traffic: randomBelow(random, 3) === 0 ? drawTraffic(random) : undefined,
  }));
  const transfers = connections.flatMap((_, connection) => drawTransfers(random, connection));
  const paths = drawPaths(random, nodes);
  const slowest = Math.min(...paths.map(({ conditions }) => conditions.bytesPerSecond ?? Number.POSITIVE_INFINITY));
  return {
    seed,
    nodes,
    paths,
    timersLateMs: randomItem(random, [undefined, 0, 2, 20]),
    suite: randomBelow(random, 2) === 0 ? 'chacha20poly1305' : 'aes256gcm',
    realCrypto: randomBelow(random, REAL_CRYPTO_SHARE) === 0,
    relayMemoryBytes: randomItem(random, [4 * KIB * KIB, 16 * KIB * KIB, 256 * KIB * KIB]) as number,
    traffic: Array.from({ length: nodes }, () => bearable(drawTraffic(random), slowest)),
    reshapes: drawReshapes(random, nodes, connections.length).map((reshape) => ({
      ...reshape,
      traffic: bearable(reshape.traffic, slowest),
    })),
    connections: connections.map((each) => ({ ...each, traffic: each.traffic && bearable(each.traffic, slowest) })),
    transfers,
    faults: maxFaults === 0 ? [] : drawFaults(random, { nodes, spared: lifelines(connections), maxFaults }),
  };
}

/** The nodes that connections live only as long as: their ends, and the hops of circuits. */
function lifelines(connections: readonly ConnectionPlan[]): ReadonlySet<number> {
  return new Set(connections.flatMap(({ from, to, way }) => [from, to, ...(way.kind === 'telescoped' ? way.path : [])]));
}

function drawPaths(random: Random, nodes: number): Plan['paths'] {
  const slow = randomBelow(random, 4) === 0;
  const paths = [];
  for (let a = 0; a < nodes; a++) {
    for (let b = a + 1; b < nodes; b++) {
      const minMs = randomItem(random, [0, 1, 10, 80]) as number;
      const conditions: PathConditions = {
        latencyMs: randomBelow(random, 2) === 0 ? minMs : [minMs, minMs + randomBelow(random, 60)],
        ...(slow && randomBelow(random, 2) === 0 ? { bytesPerSecond: randomBetween(random, 100_000, 2_000_000) } : {}),
      };
      paths.push({ a, b, conditions });
    }
  }
  return paths;
}

function drawConnection(random: Random, nodes: number): Omit<ConnectionPlan, 'traffic'> {
  const [from, to, ...others] = shuffled(random, nodes) as [number, number, ...number[]];
  switch (randomBelow(random, 5)) {
    case 0:
      return { from, to, way: { kind: 'direct' } };
    case 1:
    case 2: {
      // One hop is the peer itself; each of the others makes one more possible.
      return { from, to, way: { kind: 'relayed', hops: randomBetween(random, 1, nodes - 1) } };
    }
    default: {
      if (others.length === 0) return { from, to, way: { kind: 'relayed', hops: 1 } };
      return { from, to, way: { kind: 'telescoped', path: others.slice(0, randomBetween(random, 1, others.length)) } };
    }
  }
}

function drawTransfers(random: Random, connection: number): TransferPlan[] {
  return Array.from({ length: randomBetween(random, 1, 3) }, (_, i) => ({
    connection,
    // Who accepts a connection gets to know it by its first stream.
    reverse: i > 0 && randomBelow(random, 2) === 0,
    startMs: randomBelow(random, 2) === 0 ? 0 : randomBelow(random, 2000),
    opener: drawSide(random),
    server: drawSide(random),
  }));
}

/** How much one side of a stream sends, and how. */
export function drawSide(random: Random): SidePlan {
  // Most are small, so that many worlds can be tried; some are larger than every window.
  const largest = randomItem(random, [2, 2, 2, 2, 2, 2, 40, 40, 40, 400]) as number;
  return {
    length: randomBelow(random, largest * KIB),
    maxChunk: randomItem(random, [100, 5000, 70_000]) as number,
    pauseChance: randomBelow(random, 3) === 0 ? randomReal(random) / 2 : 0,
    maxPauses: 20,
    maxPauseMs: randomItem(random, [5, 100, 1000]) as number,
    stopChance: randomBelow(random, 4) === 0 ? randomReal(random) / 2 : 0,
  };
}

/** The numbers from 0 to below `count` in random order. */
export function shuffled(random: Random, count: number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = randomBelow(random, i + 1);
    [numbers[i], numbers[j]] = [numbers[j] as number, numbers[i] as number];
  }
  return numbers;
}
