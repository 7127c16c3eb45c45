import type { PeerId, VerifiedDescriptor } from '@matryoshka/session';
import type { Clock } from '@matryoshka/transport';
import type { PathPenalty } from './path-policy.ts';

/** What each failure leaves of how often a pair is drawn, and of each of its two. */
const PAIR_FACTOR = 1 / 16;
const PEER_FACTOR = 1 / 2;
/** After this time half of it is forgiven, in milliseconds. */
const HALF_LIFE_MS = 300_000;
/** Pairs and peers that are remembered, each; above it the one that failed longest ago is forgotten. */
const MAX_REMEMBERED = 4_096;
/** Failures beyond that make nothing worse. */
const MAX_WORTH = 8;

/** Failures that fade: how many, as of when. */
interface Faded {
  worth: number;
  atMs: number;
}

/**
 * Remembers between which two hops circuits failed. Either may be to blame, or what is between them: so both are weighted
 * down, and the two together most of all; nobody is banned, and all is forgiven with time. A peer that fails in many pairs
 * becomes rare by that.
 */
export class PairFailures implements PathPenalty {
  readonly #clock: Clock;
  readonly #pairs = new Map<string, Faded>();
  readonly #peers = new Map<PeerId, Faded>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something failed between `a` and `b`; `a` undefined: between this node and `b`. */
  failed(a: PeerId | undefined, b: PeerId): void {
    this.#add(this.#pairs, pairKey(a, b));
    for (const peerId of [a, b]) if (peerId !== undefined) this.#add(this.#peers, peerId);
  }

  /** They have worked together: what was remembered of the pair is halved. */
  succeeded(a: PeerId | undefined, b: PeerId): void {
    const pair = this.#pairs.get(pairKey(a, b));
    if (pair !== undefined) pair.worth /= 2;
  }

  /** What is left of how often `b` is drawn behind `a`, from 0 to 1. */
  between(a: PeerId | undefined, b: PeerId): number {
    const pair = PAIR_FACTOR ** this.#worth(this.#pairs.get(pairKey(a, b)));
    return pair * PEER_FACTOR ** this.#worth(this.#peers.get(b));
  }

  factor(candidate: VerifiedDescriptor, previous: VerifiedDescriptor | undefined): number {
    if (this.#peers.size === 0) return 1;
    return this.between(previous?.peerId, candidate.peerId);
  }

  #add<Key>(map: Map<Key, Faded>, key: Key): void {
    const worth = Math.min(MAX_WORTH, this.#worth(map.get(key)) + 1);
    // Again at the end, where the newest ones are.
    map.delete(key);
    map.set(key, { worth, atMs: this.#clock.now() });
    if (map.size <= MAX_REMEMBERED) return;
    for (const oldest of map.keys()) {
      map.delete(oldest);
      return;
    }
  }

  #worth(faded: Faded | undefined): number {
    return faded === undefined ? 0 : faded.worth * 0.5 ** ((this.#clock.now() - faded.atMs) / HALF_LIFE_MS);
  }
}

/** The same for both orders. */
function pairKey(a: PeerId | undefined, b: PeerId): string {
  return a === undefined || a < b ? `${a ?? ''} ${b}` : `${b} ${a}`;
}
