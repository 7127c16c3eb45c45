import { type Random, randomBelow, randomBetween, randomItem } from '@matryoshka/session';
import type { CutOptions } from '@matryoshka/simulation';
import type { WireSide } from '@matryoshka/transport';

const NEVER = Number.POSITIVE_INFINITY;
/** Faults happen within this time from the beginning of the transfers, in milliseconds. */
const FAULTS_WITHIN_MS = 5000;
/** Bytes that a handshake takes in one direction (docs/protocol.md §3.2), about. */
const HANDSHAKE_BYTES = 1664;

/** Something that breaks. Which link it hits is a share, 0 to below 1, of those that are open then. */
export type FaultPlan =
  /** A link is cut at some time, or from then on when one side has sent so many more bytes: in the middle of a message. */
  | {
      readonly kind: 'cut';
      readonly atMs: number;
      readonly which: number;
      readonly after?: { readonly side: WireSide; readonly bytes: number };
      readonly cut: CutOptions;
    }
  /** The link of this number, in the order in which they were opened, is cut under a byte: in its handshake, or later. */
  | { readonly kind: 'cut-at-byte'; readonly wire: number; readonly cut: CutOptions }
  /** Nothing gets through in one or both directions any more, and nobody is told. */
  | { readonly kind: 'half-open'; readonly atMs: number; readonly which: number; readonly sides: readonly WireSide[] }
  /** A node crashes, and starts again after `downMs`; never after `Infinity`. */
  | { readonly kind: 'crash'; readonly atMs: number; readonly node: number; readonly downMs: number; readonly toldMs: number }
  /** The nodes named and the others do not hear each other for a while. */
  | { readonly kind: 'partition'; readonly atMs: number; readonly nodes: readonly number[]; readonly durationMs: number };

/** What faults can hit. */
export interface FaultTargets {
  readonly nodes: number;
  /** Nodes that never crash. */
  readonly spared: ReadonlySet<number>;
  readonly maxFaults: number;
}

/** One fault or more. */
export function drawFaults(random: Random, targets: FaultTargets): readonly FaultPlan[] {
  return Array.from({ length: randomBetween(random, 1, targets.maxFaults) }, () => drawFault(random, targets));
}

function drawFault(random: Random, { nodes, spared }: FaultTargets): FaultPlan {
  const atMs = randomBelow(random, FAULTS_WITHIN_MS);
  const which = randomBelow(random, 1000) / 1000;
  switch (randomBelow(random, 6)) {
    case 0:
      return { kind: 'cut', atMs, which, cut: drawCut(random) };
    case 1:
      return { kind: 'cut', atMs, which, after: { side: drawSide(random), bytes: randomBelow(random, 100_000) }, cut: drawCut(random) };
    case 2: {
      const byte = randomBelow(random, randomItem(random, [HANDSHAKE_BYTES, 20_000, 200_000]) as number);
      const side = drawSide(random);
      return { kind: 'cut-at-byte', wire: randomBetween(random, 1, 2 * nodes), cut: { ...drawCut(random), at: { side, byte } } };
    }
    case 3:
      return {
        kind: 'half-open',
        atMs,
        which,
        sides: randomItem(random, [['dialler'], ['listener'], ['dialler', 'listener']]) as WireSide[],
      };
    case 4: {
      const node = randomItem(
        random,
        Array.from({ length: nodes }, (_, i) => i).filter((i) => !spared.has(i)),
      );
      // Where every node is spared, a cut instead.
      if (node === undefined) return { kind: 'cut', atMs, which, cut: drawCut(random) };
      return { kind: 'crash', atMs, node, downMs: randomBelow(random, 5000), toldMs: drawToldMs(random) };
    }
    default: {
      const cutOff = Array.from({ length: nodes }, (_, i) => i).filter(() => randomBelow(random, 2) === 0);
      return { kind: 'partition', atMs, nodes: cutOff, durationMs: randomBetween(random, 100, 8000) };
    }
  }
}

function drawSide(random: Random): WireSide {
  return randomBelow(random, 2) === 0 ? 'dialler' : 'listener';
}

function drawCut(random: Random): CutOptions {
  return {
    inFlight: randomBelow(random, 2) === 0,
    toldMs: { dialler: drawToldMs(random), listener: drawToldMs(random) },
  };
}

function drawToldMs(random: Random): number {
  return randomItem(random, [0, randomBelow(random, 100), randomBelow(random, 5000), NEVER]) as number;
}
