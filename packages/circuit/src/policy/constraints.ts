import type { PeerId, VerifiedDescriptor } from '@matryoshka/session';
import { type NetworkBits, networkOf } from '@matryoshka/transport';
import type { Endpoint } from '@matryoshka/wire';
import type { CircuitRequest, PathConstraint } from './path-policy.ts';

/** Leading bits that make two addresses one network (R4). */
export const DEFAULT_NETWORK_BITS: NetworkBits = { ipv4Bits: 16, ipv6Bits: 48 };

/** Forwards for others, and says where it is. */
export const relaysWithEndpoint: PathConstraint = {
  name: 'relays',
  admits: ({ body }) => body.relays && body.endpoints.length > 0,
};

/** This node can connect to the first hop. */
export const firstHopInReach: PathConstraint = {
  name: 'first hop in reach',
  admits: ({ body }, chosen, request) => chosen.length > 0 || body.endpoints.some((endpoint) => request.canDial(endpoint)),
};

/** Nobody twice, and neither this node nor the far end. */
export const distinctPeers: PathConstraint = {
  name: 'distinct peers',
  admits: ({ peerId }, chosen, { self, destination }) =>
    peerId !== self.peerId && peerId !== destination?.peerId && !chosen.some((hop) => hop.peerId === peerId),
};

/**
 * No two of the path, and neither end of it, in one network: whoever watches, or owns, a network sees one hop only. As in
 * Tor's path selection (path-spec §2.2, "we do not choose more than one router in a given /16").
 */
export function distinctNetworks(bits: NetworkBits = DEFAULT_NETWORK_BITS): PathConstraint {
  // Asked for again and again, of lists that do not change.
  const networks = new WeakMap<readonly Endpoint[], ReadonlySet<string>>();
  const of = (endpoints: readonly Endpoint[]): ReadonlySet<string> => {
    let known = networks.get(endpoints);
    if (known === undefined) networks.set(endpoints, (known = new Set(endpoints.map(({ host }) => networkOf(host, bits)))));
    return known;
  };
  return {
    name: 'distinct networks',
    admits: ({ body }, chosen, { self, destination }) => {
      const own = of(body.endpoints);
      const apart = (endpoints: readonly Endpoint[]): boolean => disjoint(own, of(endpoints));
      return (
        apart(self.endpoints) &&
        (destination === undefined || apart(destination.endpoints)) &&
        chosen.every((hop) => apart(hop.body.endpoints))
      );
    },
  };
}

function disjoint(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const each of a) if (b.has(each)) return false;
  return true;
}

/** No two of one operator, as far as they say who that is; cf. Tor's families (path-spec §2.2). */
export const distinctOperators: PathConstraint = {
  name: 'distinct operators',
  admits: ({ body: { operator } }, chosen, { destination }) =>
    operator === '' || (operator !== destination?.operator && !chosen.some((hop) => hop.body.operator === operator)),
};

/** None but these peers. */
export function only(peers: Iterable<PeerId>): PathConstraint {
  const allowed = new Set(peers);
  return { name: 'only named peers', admits: ({ peerId }) => allowed.has(peerId) };
}

/** None of these peers. */
export function except(peers: Iterable<PeerId>): PathConstraint {
  const excluded = new Set(peers);
  return { name: 'not excluded peers', admits: ({ peerId }) => !excluded.has(peerId) };
}

/** What is known of how long it takes between two hops. */
export interface LatencyKnowledge {
  /** Round trip from one to the next in milliseconds; undefined: never measured. `previous` undefined: from this node. */
  latencyMs(candidate: PeerId, previous: PeerId | undefined): number | undefined;
}

/** The round trips that were measured between the hops of the path add up to no more than that; those never measured count as 0. */
export function latencyBelow(maxMs: number, knowledge: LatencyKnowledge): PathConstraint {
  return {
    name: `latency below ${maxMs} ms`,
    admits: (candidate, chosen) => {
      let sumMs = 0;
      let previous: PeerId | undefined;
      for (const { peerId } of [...chosen, candidate]) {
        sumMs += knowledge.latencyMs(peerId, previous) ?? 0;
        previous = peerId;
      }
      return sumMs <= maxMs;
    },
  };
}

/** What always has to hold. */
export const NECESSARY: readonly PathConstraint[] = [relaysWithEndpoint, firstHopInReach, distinctPeers];

/** Whether a path is good for a request, one hop after the other. */
export function admitsPath(constraints: readonly PathConstraint[], path: readonly VerifiedDescriptor[], request: CircuitRequest): boolean {
  return path.every((hop, index) => constraints.every((constraint) => constraint.admits(hop, path.slice(0, index), request)));
}
