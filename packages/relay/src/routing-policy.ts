import { type PeerId, type Random, randomItem } from '@matryoshka/session';
import type { Endpoint, RelayDestination } from '@matryoshka/wire';

/** A node as a policy sees it. */
export interface Party {
  /** Undefined where it has shown no identity, or none is demanded of it. */
  readonly peerId: PeerId | undefined;
  /** Networks of all endpoints that are known of it, as `203.0.0.0/16`: those that count for the exclusions of R4. */
  readonly networks: readonly string[];
  /** What this node's user says of it (`relay.tags`), and who runs it where that is known: `operator:NAME`. */
  readonly tags: readonly string[];
}

/**
 * A neighbour that may be asked to carry a relay link on: one per peer. The exclusions of R4 were applied already, and no
 * candidate leads in a circle. All that is measured is what this node has seen itself.
 */
export interface Candidate extends Party {
  readonly peerId: PeerId;
  /** Where its session comes from or goes to. */
  readonly endpoint: Endpoint;
  /** Its load as far as this node causes it: relay links that run over its session now. */
  readonly links: number;
  /** Of its session, in milliseconds, once measured. */
  readonly roundTripMs: number | undefined;
  /** Bytes that its session has carried in a second at most, of late, both directions together. 0: nothing to speak of yet. */
  readonly bytesPerSecond: number;
  /** How long its session has been open, in milliseconds. */
  readonly ageMs: number;
  /** Whether R4 excludes it by its network; such are offered only with `dangerouslyOfferExcluded`. */
  readonly excluded: boolean;
}

/** What a policy is asked to choose for. */
export interface RelayRequest {
  /** Hops that follow the one to choose. */
  readonly hopsLeft: number;
  /** Whom the link is for. */
  readonly destination: RelayDestination;
  /** `gateway`: this node is the originator and chooses its first relay (R18); `next-hop`: it serves someone else's request. */
  readonly role: 'gateway' | 'next-hop';
  /** Whom the next hop should have nothing in common with: this node, the previous hop and those who carry it, the destination. */
  readonly around: readonly Party[];
}

/**
 * Chooses who carries a relay link on: one of `candidates` itself, or undefined, which refuses with
 * `relay.no-peers-available`. It is synchronous, and takes its randomness from `random` alone. What it throws, or returns
 * besides, ends the request with `relay.policy-failed` and nothing else.
 */
export interface RoutingPolicy {
  /** One of `candidates`, or undefined where none will do. */
  selectNextHop(request: RelayRequest, candidates: readonly Candidate[], random: Random): Candidate | undefined;
}

/** Any candidate, each as likely as the others (R4). */
export const randomNextHop: RoutingPolicy = {
  selectNextHop: (_request, candidates, random) => randomItem(random, candidates),
};
