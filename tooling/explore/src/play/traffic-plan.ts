import type { TrafficOption } from '@matryoshka/node';
import { type Random, randomBelow, randomBetween, randomItem } from '@matryoshka/session';

/** Somebody's traffic looks different from some time on. */
export interface ReshapePlan {
  /** After the connections are made. */
  readonly atMs: number;
  /** Number of the connection, at the side that opened it; or of the node. */
  readonly of: { readonly connection: number } | { readonly node: number };
  readonly traffic: TrafficOption;
}

/** How traffic looks: by name most often, otherwise in detail. */
export function drawTraffic(random: Random): TrafficOption {
  const named = randomItem(random, ['plain', 'standard', 'private', 'private', undefined, undefined] as const);
  if (named !== undefined) return named;
  const recordBytes = randomItem(random, [2048, 2049, 4096, 4096, 16_384]) as number;
  // Seldom: so many records, all the time, take as many steps. Fast enough for what waits at each level of a circuit: a path on
  // which everything takes longer than an attempt to resume may take is given up, and rightly so.
  if (randomBelow(random, 12) === 0)
    return { padding: { recordBytes: Math.max(4096, recordBytes) }, cover: { intervalMs: randomBetween(random, 5, 20) } };
  return {
    padding:
      randomItem(random, ['none', 'padme', { maxBytes: randomBetween(random, 0, 2000) }, { recordBytes }, { recordBytes }] as const) ??
      'none',
    cover: randomBelow(random, 2) === 0 ? 'none' : { meanMs: randomBetween(random, 200, 5000) },
  };
}

/** A link bears so many constant rates of one connection: those of the levels of a circuit, and of connections beside it. */
const RATES_PER_LINK = 4;

/** Bytes per second of a constant rate; 0: there is none. */
export function constantRate(traffic: TrafficOption): number {
  if (typeof traffic === 'string') return 0;
  const { cover, padding } = traffic;
  if (typeof cover !== 'object' || !('intervalMs' in cover) || typeof padding !== 'object' || !('recordBytes' in padding)) return 0;
  return (padding.recordBytes * 1000) / cover.intervalMs;
}

/**
 * The same without a constant rate, if the slowest link of the world is too slow for it: then everything behind it is late,
 * resumes as well, and connections are given up without anything being wrong. A slower rate would be too slow for what it has
 * to carry.
 */
export function bearable(traffic: TrafficOption, slowestBytesPerSecond: number): TrafficOption {
  if (typeof traffic === 'string' || constantRate(traffic) * RATES_PER_LINK <= slowestBytesPerSecond) return traffic;
  return { ...traffic, cover: 'none' };
}

/** Changes while streams run. */
export function drawReshapes(random: Random, nodes: number, connections: number): ReshapePlan[] {
  const count = randomItem(random, [0, 0, 0, 1, 2]) as number;
  return Array.from({ length: count }, () => ({
    atMs: randomBelow(random, 3000),
    of: randomBelow(random, 2) === 0 ? { node: randomBelow(random, nodes) } : { connection: randomBelow(random, connections) },
    traffic: drawTraffic(random),
  }));
}
