import { type Random, randomBelow, randomItem } from '@matryoshka/session';
import type { Candidate, RoutingPolicy } from '../routing-policy.ts';

/** A candidate is at most this many times as likely as another one, so that no single relay sees nearly everything. */
const MAX_WEIGHT = 1024;

/**
 * Any candidate, as likely as its session has carried much. One that has not carried anything yet counts as the median of
 * those that have: whoever is new has to be tried.
 */
export const weightedByBandwidth: RoutingPolicy = {
  selectNextHop: (_request, candidates, random) => {
    const measured = candidates.map(({ bytesPerSecond }) => bytesPerSecond).filter((rate) => rate > 0);
    if (measured.length === 0) return randomItem(random, candidates);
    const median = measured.toSorted((a, b) => a - b)[measured.length >> 1] as number;
    // What has faded away to less than a byte is as good as one.
    const rates = candidates.map(({ bytesPerSecond }) => Math.max(1, bytesPerSecond > 0 ? bytesPerSecond : median));
    const unit = Math.max(...rates) / MAX_WEIGHT;
    return drawn(
      candidates,
      rates.map((rate) => Math.max(1, Math.round(rate / unit))),
      random,
    );
  },
};

/** One of them, as likely as its weight, a whole number of 1 or more. */
function drawn(candidates: readonly Candidate[], weights: readonly number[], random: Random): Candidate | undefined {
  let at = randomBelow(
    random,
    weights.reduce((sum, weight) => sum + weight, 0),
  );
  return candidates.find((_candidate, i) => (at -= weights[i] as number) < 0);
}

/**
 * One of the `choices` candidates with the shortest measured round trip, each as likely; those without a measurement come
 * last. With 1, the default, whoever knows the latencies around a relay knows its choice.
 * @throws RangeError unless `choices` is a whole number of 1 or more
 */
export function lowestLatency({ choices = 1 }: { readonly choices?: number } = {}): RoutingPolicy {
  if (!Number.isInteger(choices) || choices < 1) throw new RangeError(`choices must be a whole number of 1 or more, not ${choices}`);
  const of = ({ roundTripMs = Number.POSITIVE_INFINITY }: Candidate): number => roundTripMs;
  return {
    selectNextHop: (_request, candidates, random) => {
      const sorted = candidates.toSorted((a, b) => (of(a) === of(b) ? 0 : of(a) - of(b)));
      const [last] = sorted.slice(0, choices).slice(-1);
      // Whoever is as near as the last of them has the same right to be one.
      return (
        last &&
        randomItem(
          random,
          sorted.filter((candidate) => of(candidate) <= of(last)),
        )
      );
    },
  };
}
