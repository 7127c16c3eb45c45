import { type Candidate, type RelayRequest, type RoutingPolicy, randomNextHop } from '../routing-policy.ts';
import type { CandidateRule } from './rules.ts';

/** Rules, and in the end a policy that chooses among those they leave; without one each is as likely as the others. */
export type PolicyParts = readonly [...CandidateRule[], CandidateRule | RoutingPolicy];

/**
 * Chooses among those of whom all rules hold, e.g. `all(distinctOperators, denyPeers(those), lowestLatency())`.
 * @throws TypeError for a part that is neither a rule nor a policy, and for a policy that is not the last part
 */
export function all(...parts: PolicyParts): RoutingPolicy {
  const { rules, policy } = taken(parts);
  return {
    selectNextHop: (request, candidates, random) =>
      policy.selectNextHop(
        request,
        rules.reduce((left, rule) => those(left, rule, request), candidates),
        random,
      ),
  };
}

/**
 * Chooses among those of whom as many rules hold as leave somebody: the first rule goes first, and one that would leave
 * nobody is left out, e.g. `prefer(tagged('nearby'), weightedByBandwidth)`.
 * @throws TypeError as `all`
 */
export function prefer(...parts: PolicyParts): RoutingPolicy {
  const { rules, policy } = taken(parts);
  const narrow = (left: readonly Candidate[], rule: CandidateRule, request: RelayRequest): readonly Candidate[] => {
    const preferred = those(left, rule, request);
    return preferred.length === 0 ? left : preferred;
  };
  return {
    selectNextHop: (request, candidates, random) =>
      policy.selectNextHop(
        request,
        rules.reduce((left, rule) => narrow(left, rule, request), candidates),
        random,
      ),
  };
}

function those(candidates: readonly Candidate[], rule: CandidateRule, request: RelayRequest): readonly Candidate[] {
  return candidates.filter((candidate) => rule(candidate, request));
}

function taken(parts: readonly unknown[]): { readonly rules: readonly CandidateRule[]; readonly policy: RoutingPolicy } {
  const last = parts.at(-1);
  const policy = isPolicy(last) ? last : randomNextHop;
  const rules = isPolicy(last) ? parts.slice(0, -1) : parts;
  for (const [i, rule] of rules.entries()) {
    if (typeof rule !== 'function')
      throw new TypeError(
        `part ${i + 1} of ${parts.length} must be a rule: a function of a candidate; only the last may be a RoutingPolicy`,
      );
  }
  return { rules: rules as readonly CandidateRule[], policy };
}

function isPolicy(part: unknown): part is RoutingPolicy {
  return typeof part === 'object' && part !== null && 'selectNextHop' in part && typeof part.selectNextHop === 'function';
}
