import { type NodePeer, type Shape, chainFor } from '../matryoshka/chains.ts';
import type { ProcessGroup } from '../processes/process-group.ts';
import type { Contender, Sample, Setting } from '../scenario.ts';
import { withCpu } from '../workloads.ts';
import type { Builds } from './builds.ts';

/** Builds of one round, and how many handshakes they took. */
export interface CountedBuilds extends Builds {
  readonly handshakes?: number;
}

/** What the value of a sample is: how long one build takes, in ms, or how many there are in a second. */
export type BuildMeasure = 'time' | 'rate';

/** How many builds are in progress at once where their rate is measured. */
export const PARALLEL_BUILDS = 32;

/** One round of builds, with CPU time (of all processes) and handshakes per build. */
export async function sampleBuilds(group: ProcessGroup, measure: BuildMeasure, run: () => Promise<CountedBuilds>): Promise<Sample> {
  let count = 0;
  const sample = await withCpu(group, async () => {
    const builds = await run();
    count = builds.count;
    const { medianMs, p99Ms, seconds, handshakes } = builds;
    const perBuild = handshakes === undefined ? {} : { handshakesPerBuild: handshakes / count };
    return { value: measure === 'time' ? medianMs : count / seconds, seconds, details: { medianMs, p99Ms, builds: count, ...perBuild } };
  });
  const cpuSeconds = Object.values(sample.cpuSeconds).reduce((sum, seconds) => sum + seconds, 0);
  return { ...sample, details: { ...sample.details, cpuMsPerBuild: (cpuSeconds * 1000) / count } };
}

/**
 * Before code is compiled a build takes several times as long; how many there are in a given time depends on what else the
 * machine does.
 */
const WARM_UP_BUILDS = 1000;
const WARM_UP_TIMEOUT_MS = 120_000;

/**
 * A circuit that was used a second time is no build.
 * @throws Error for fewer handshakes than it takes to build that many circuits, the connection to the first hop being open
 */
export function checkHandshakes({ count, handshakes = 0 }: CountedBuilds, hops: number): void {
  const least = count * (hops - 1);
  if (handshakes < least) throw new Error(`${count} circuits of ${hops} hops take ${least} handshakes, there were ${handshakes}`);
}

/** Builds of ours through a chain that is ready. */
export async function buildContender(
  setting: Setting,
  { shape, hops, measure = 'time' }: { readonly shape: Shape; readonly hops: number; readonly measure?: BuildMeasure },
): Promise<Contender> {
  const { group, nodes, originator, destination, options } = await chainFor(setting, shape, hops);
  const parallel = measure === 'time' ? 1 : PARALLEL_BUILDS;
  // A direct connection that there is would be used again.
  const together = shape === 'direct' ? 1 : PARALLEL_BUILDS;
  const warmUp = async (): Promise<void> => {
    await originator.callFor(WARM_UP_TIMEOUT_MS, 'builds', 0, destination, options, together, WARM_UP_BUILDS);
  };
  return {
    group,
    ...(!setting.quick && { warmUp }),
    measure: (durationMs) =>
      sampleBuilds(group, measure, async () => {
        const before = await handshakesOf(nodes);
        const builds = await originator.callFor(durationMs, 'builds', durationMs, destination, options, parallel);
        const counted = { ...builds, handshakes: (await handshakesOf(nodes)) - before };
        if (shape === 'telescoped' || shape === 'chosen') checkHandshakes(counted, hops);
        return counted;
      }),
  };
}

async function handshakesOf(nodes: readonly NodePeer[]): Promise<number> {
  const counts = await Promise.all(nodes.map((node) => node.call('handshakes')));
  return counts.reduce((sum, count) => sum + count, 0);
}
