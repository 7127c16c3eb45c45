import { setTimeout as delay } from 'node:timers/promises';
import { type NodePeer, manyLinksChain } from '../matryoshka/chains.ts';
import type { Contender, Scenario, Setting } from '../scenario.ts';
import { withCpu } from '../workloads.ts';

const LINKS = 1000;
const QUICK_LINKS = 100;
/** Each link takes some milliseconds of CPU time at both of its ends. */
const OPEN_TIMEOUT_MS = 60_000;

async function idleLinks(setting: Setting): Promise<Contender> {
  const { originator, relays, destination, options } = await manyLinksChain(setting, ['--expose-gc']);
  const { group, quick } = setting;
  const relay = relays[0] as NodePeer;
  const openMore = (count: number): Promise<void> => originator.callFor(OPEN_TIMEOUT_MS, 'openMore', destination, options, count);
  const count = quick ? QUICK_LINKS : LINKS;
  // What the first ones bring with them is no cost of a link.
  const warmUp = count / 10;
  await group.watch(openMore(warmUp));
  const before = await group.watch(relay.call('memory'));
  await group.watch(openMore(count));
  const links = await group.watch(relay.call('relayLinks'));
  if (links !== warmUp + count) throw new Error(`the relay has ${links} relay links, not ${warmUp + count}`);
  return {
    group,
    measure: async (durationMs) => {
      const sample = await withCpu(group, async () => {
        const begunAt = performance.now();
        await delay(durationMs);
        const seconds = (performance.now() - begunAt) / 1000;
        const after = await relay.call('memory');
        const details = {
          links: count,
          residentBytesPerLink: Math.round((after.residentBytes - before.residentBytes) / count),
          relayHeapBytes: after.heapBytes,
          relayResidentBytes: after.residentBytes,
        };
        return { value: (after.heapBytes - before.heapBytes) / count, seconds, details };
      });
      const relayCpuPercent = ((sample.cpuSeconds[relay.name] ?? 0) / sample.seconds) * 100;
      return { ...sample, details: { ...sample.details, relayCpuPercent } };
    },
  };
}

/** What relay links cost while nobody uses them. */
export const LINKS_SCENARIOS: readonly Scenario[] = [
  {
    id: 'links/idle-bytes',
    unit: 'bytes/link',
    better: 'lower',
    summary: `memory of a relay per open and idle relay link, of ${LINKS} (--quick: ${QUICK_LINKS})`,
    ours: idleLinks,
    counterparts: [],
    alone: true,
  },
];
