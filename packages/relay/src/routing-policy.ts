import { type PeerId, type Random, randomItem } from '@matryoshka/session';
import type { Endpoint, RelayDestination } from '@matryoshka/wire';

/** A neighbour that may be asked to carry a relay link on: one per peer. The exclusions of R4 were applied already. */
export interface Candidate {
  readonly peerId: PeerId;
  /** Where its session comes from or goes to. */
  readonly endpoint: Endpoint;
  /** Relay links that run over its session now. */
  readonly links: number;
  /** Of its session, once measured. */
  readonly roundTripMs: number | undefined;
  /** How long its session has been open, in milliseconds. */
  readonly ageMs: number;
}

/** What a policy is asked to choose for. */
export interface RelayRequest {
  /** Hops that follow the one to choose. */
  readonly hopsLeft: number;
  readonly destination: RelayDestination;
  /** `gateway`: this node is the originator and chooses its first relay (R18); `next-hop`: it serves someone else's request. */
  readonly role: 'gateway' | 'next-hop';
}

/** Chooses who carries a relay link on. Undefined refuses with `relay.no-peers-available`. */
export interface RoutingPolicy {
  selectNextHop(request: RelayRequest, candidates: readonly Candidate[], random: Random): Candidate | undefined;
}

/** Any candidate, each as likely as the others (R4). */
export const randomNextHop: RoutingPolicy = {
  selectNextHop: (_request, candidates, random) => randomItem(random, candidates),
};
