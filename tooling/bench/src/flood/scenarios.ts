import { setTimeout as delay } from 'node:timers/promises';
import { type NodePeer, floodedChain } from '../matryoshka/chains.ts';
import type { Contender, Scenario, Setting } from '../scenario.ts';
import { withCpu } from '../workloads.ts';
import type { FloodPeerCommands } from './flood-peer.ts';

/** What the attacker tries, from one address. */
const ATTEMPTS_PER_SECOND = 1000;
const ATTACKER = '127.99.0.1';
/** The flood begins before what is measured under it, and goes on until it is over. */
const MARGIN_MS = 300;

/** On a machine that is busy with other things, the last attempts may still be on their way. */
const NOTICED_WITHIN_MS = 3000;

/** How many the relay has refused since then; waits for the first one. */
async function refusalsSince(relay: NodePeer, before: number): Promise<number> {
  const untilMs = performance.now() + NOTICED_WITHIN_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const refused = (await relay.call('refusals')) - before;
    if (refused > 0 || performance.now() > untilMs) return refused;
    // oxlint-disable-next-line no-await-in-loop
    await delay(50);
  }
}

async function honestShare(setting: Setting): Promise<Contender> {
  const { line, relay, place } = await floodedChain(setting);
  const { group } = setting;
  const attacker = group.start<FloodPeerCommands>('attacker', new URL('flood-peer.ts', import.meta.url));
  const { source } = line;
  const rate = async (durationMs: number): Promise<number> => {
    const { bytes, seconds } = await source.callFor(durationMs, 'transfer', durationMs, 1);
    await line.check?.(bytes);
    return bytes / 1e6 / seconds;
  };
  return {
    group,
    measure: (durationMs) =>
      withCpu(group, async () => {
        const halfMs = durationMs / 2;
        const begunAt = performance.now();
        const quietMBps = await rate(halfMs);
        const refusedBefore = await relay.call('refusals');
        const floodMs = halfMs + 2 * MARGIN_MS;
        const flooding = attacker.callFor(floodMs, 'flood', ATTACKER, place.host, place.port, ATTEMPTS_PER_SECOND, floodMs);
        await new Promise((resolve) => {
          setTimeout(resolve, MARGIN_MS);
        });
        const [floodedMBps, attempts] = await Promise.all([rate(halfMs), flooding]);
        const refused = await refusalsSince(relay, refusedBefore);
        if (refused === 0) throw new Error('the relay did not notice the flood');
        const details = { quietMBps, floodedMBps, attempts, refused };
        return { value: floodedMBps / quietMBps, seconds: (performance.now() - begunAt) / 1000, details };
      }),
  };
}

/** What an attack on a relay takes from those it serves. */
export const FLOOD_SCENARIOS: readonly Scenario[] = [
  {
    id: 'flood/honest-share',
    unit: 'share',
    better: 'higher',
    summary: `share of its rate that a relayed connection keeps while one network begins ${ATTEMPTS_PER_SECOND} handshakes a second at its relay`,
    ours: honestShare,
    counterparts: [],
    alone: true,
  },
];
