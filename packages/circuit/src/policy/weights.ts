import type { PeerId, VerifiedDescriptor } from '@matryoshka/session';
import type { PathWeights } from './path-policy.ts';

/** What a relay says of itself counts for so many times the median at most, and so little of it at least. */
const MAX_CLAIM = 4;
const MIN_SHARE = 1 / 16;
/** What was measured counts for so many times the median at most. */
const MAX_MEASURED = 16;

/** What was seen to go through peers. */
export interface BandwidthKnowledge {
  /** In bytes per second, at least; undefined: nothing was measured. */
  bandwidthOf(peerId: PeerId): number | undefined;
  /** Goes up when something was learnt. */
  readonly version: number;
}

/**
 * Relays by what they can carry. What they say of themselves is a claim, so it draws four times as much as the median at
 * most; what was measured may draw sixteen times as much. Nobody is drawn less than a sixteenth as often as the median.
 * Tor lets bandwidth authorities measure instead (dir-spec §3.4.1); nobody is trusted to do that here.
 */
export function byBandwidth(knowledge?: BandwidthKnowledge): PathWeights {
  return {
    get version() {
      return knowledge?.version ?? 0;
    },
    weigh: (directory) => {
      const claims = directory.map(({ body }) => body.bandwidthBytesPerSecond);
      const median = medianOf(claims.filter((claim) => claim > 0)) ?? 1;
      return Float64Array.from(directory, ({ peerId }, i) => {
        const claimed = claims[i] === 0 ? median : Math.min(claims[i] as number, MAX_CLAIM * median);
        const measured = Math.min(knowledge?.bandwidthOf(peerId) ?? 0, MAX_MEASURED * median);
        return Math.max(claimed, measured, MIN_SHARE * median);
      });
    },
  };
}

/** All alike. */
export const uniformly: PathWeights = { weigh: (directory: readonly VerifiedDescriptor[]) => new Float64Array(directory.length).fill(1) };

function medianOf(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
