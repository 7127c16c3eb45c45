import type { PeerId } from '@matryoshka/session';
import type { Candidate, RelayRequest } from '../routing-policy.ts';

/** Whether a candidate may be the next hop of a request; what choices are narrowed by. */
export type CandidateRule = (candidate: Candidate, request: RelayRequest) => boolean;

const OPERATOR = 'operator:';

/** Those of whom a rule does not hold. */
export function exclude(rule: CandidateRule): CandidateRule {
  return (candidate, request) => !rule(candidate, request);
}

/** Nobody but these peers. */
export function allowPeers(peers: Iterable<PeerId>): CandidateRule {
  const allowed = new Set(peers);
  return ({ peerId }) => allowed.has(peerId);
}

/** All but these peers. */
export function denyPeers(peers: Iterable<PeerId>): CandidateRule {
  return exclude(allowPeers(peers));
}

/** Peers that have this tag. */
export function tagged(tag: string): CandidateRule {
  return ({ tags }) => tags.includes(tag);
}

/**
 * Peers that are not run by whoever runs this node, the previous hop or the destination, as their tags `operator:NAME` say.
 * Of whom it is not known, it is taken to be somebody else.
 */
export const distinctOperators: CandidateRule = ({ tags }, { around }) => {
  const theirs = new Set(tags.filter((tag) => tag.startsWith(OPERATOR)));
  return theirs.size === 0 || !around.some((party) => party.tags.some((tag) => theirs.has(tag)));
};

/** The tag that says who runs a node. */
export function operatorTag(operator: string): string {
  return `${OPERATOR}${operator}`;
}
