import type { Random } from '@matryoshka/session';
import { MatryoshkaError } from '@matryoshka/wire';
import type { Candidate, Party, RelayRequest, RoutingPolicy } from '../routing-policy.ts';

/**
 * Asks a policy, whoever wrote it: what it is shown cannot be changed, and only what it was offered is taken from it.
 * @param request - and `candidates`: made for this question, and frozen here
 * @throws MatryoshkaError `relay.policy-failed` where it throws, or returns anything but one of the candidates
 */
export function checkedChoice(
  policy: RoutingPolicy,
  request: RelayRequest,
  candidates: readonly Candidate[],
  random: Random,
): Candidate | undefined {
  for (const party of [...candidates, ...request.around]) freeze(party);
  Object.freeze(request.around);
  let chosen: unknown;
  try {
    chosen = policy.selectNextHop(Object.freeze(request), Object.freeze(candidates), random);
  } catch (error) {
    const message = error instanceof Error ? error.message : `a ${typeof error}`;
    throw new MatryoshkaError('relay.policy-failed', `the routing policy threw: ${message}`, { cause: error });
  }
  if (chosen === undefined) return undefined;
  const found = candidates.find((candidate) => candidate === chosen);
  if (found !== undefined) return found;
  throw new MatryoshkaError(
    'relay.policy-failed',
    `the routing policy must return one of the candidates it was given, or undefined, not ${described(chosen)}`,
  );
}

function freeze(party: Party): void {
  Object.freeze(party.networks);
  Object.freeze(party.tags);
  Object.freeze(party);
}

function described(value: unknown): string {
  if (value instanceof Promise) return 'a Promise: it has to decide at once';
  return value === null ? 'null' : `another ${typeof value}`;
}
