import type { PeerId, Random, VerifiedDescriptor } from '@matryoshka/session';
import type { Endpoint } from '@matryoshka/wire';

/** Somebody who is at an end of the circuit, and so must not be in its middle. */
export interface PathEnd {
  /** Who it is, where it shows that. */
  readonly peerId?: PeerId;
  /** Where it is, as far as that is known. */
  readonly endpoints: readonly Endpoint[];
  /** Who runs it, where it says so. */
  readonly operator?: string;
}

/** What a path is asked for. */
export interface CircuitRequest {
  /** Relays between the node and the far end, 1 to 14: a circuit of n hops has n - 1. */
  readonly relays: number;
  /** This node. */
  readonly self: PathEnd;
  /** The far end, where it is known already. */
  readonly destination?: PathEnd;
  /** Whether this node has a transport for an endpoint, which its first hop needs. */
  canDial(endpoint: Endpoint): boolean;
}

/** Chooses the relays of a circuit. */
export interface PathPolicy {
  /**
   * The relays in order, the one that this node connects to first; the same for the same arguments and randomness.
   * @throws MatryoshkaError `circuit.no-path` that says which constraint left nobody
   */
  selectPath(request: CircuitRequest, directory: readonly VerifiedDescriptor[], random: Random): readonly VerifiedDescriptor[];
  /**
   * Whether a path that was selected without a destination is good for one. Without it no circuit is built ahead of its
   * need.
   */
  admits?(path: readonly VerifiedDescriptor[], request: CircuitRequest): boolean;
}

/** What one relay has to be like, given those that are on the path already. */
export interface PathConstraint {
  /** Names it in errors, e.g. `distinct operators`. */
  readonly name: string;
  /**
   * Whether `candidate` may be behind the hops in `chosen`. For two relays it must not matter which of them was chosen first.
   */
  admits(candidate: VerifiedDescriptor, chosen: readonly VerifiedDescriptor[], request: CircuitRequest): boolean;
}

/** How much more often one relay is drawn than another. */
export interface PathWeights {
  /** Of all of a directory, in its order: above 0, in any unit. Called again when the list or `version` has changed. */
  weigh(directory: readonly VerifiedDescriptor[]): Float64Array;
  /** Goes up when what `weigh` returns has changed for the same list. */
  readonly version?: number;
}

/** Makes some relays rarer, by what happened to them where they were used. */
export interface PathPenalty {
  /** From 0 (excluded) to 1 for `candidate` behind `previous`; undefined: behind this node. */
  factor(candidate: VerifiedDescriptor, previous: VerifiedDescriptor | undefined): number;
}

/** Who may be the first hop, and in which order they are tried. */
export interface EntryPolicy {
  /**
   * Those that may be the first hop now, the preferred one first.
   * @param find - the descriptor of a peer, if it may be the first hop of this path
   * @param draw - one of those that may be chosen as a new one, at random by weight; undefined when there is none
   */
  entries(
    find: (peerId: PeerId) => VerifiedDescriptor | undefined,
    draw: (without: ReadonlySet<PeerId>) => VerifiedDescriptor | undefined,
    random: Random,
  ): readonly VerifiedDescriptor[];
}
