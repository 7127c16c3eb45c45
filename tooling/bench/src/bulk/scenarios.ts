import { libp2pRelay } from '../libp2p/libp2p-relay.ts';
import { lineFor } from '../matryoshka/chains.ts';
import type { Counterpart, Scenario, Setup } from '../scenario.ts';
import { sshChain } from '../ssh/ssh-chain.ts';
import { tcpLineFor } from '../tcp/tcp-chain.ts';
import { torCounterparts } from '../tor/tor-network.ts';
import { type Workload, bothDirections, bulk, contender } from '../workloads.ts';

const EIGHT = 8;

function relayed(hops: number, workload: Workload): Setup {
  return async (setting) => contender(await lineFor(setting, 'relayed', hops), workload);
}

function telescoped(hops: number, workload: Workload): Setup {
  return async (setting) => contender(await lineFor(setting, 'telescoped', hops), workload);
}

function proxies(count: number): readonly Counterpart[] {
  return (['plain', 'tls'] as const).map((name) => ({
    name,
    competitor: name,
    setup: async (setting) => contender(await tcpLineFor(setting, count, name), bulk()),
  }));
}

function ssh(layers: number): Counterpart {
  return { name: 'ssh', competitor: 'ssh', setup: ({ group }) => sshChain(group, layers) };
}

function row(id: string, summary: string, ours: Setup, counterparts: readonly Counterpart[]): Scenario {
  return { id: `bulk/${id}`, unit: 'MB/s', better: 'higher', summary, ours, counterparts, alone: false };
}

/** One stream, or more, full of data. */
export const BULK_SCENARIOS: readonly Scenario[] = [
  row('relayed-1', 'one stream, relayed over 1 hop (A B, encrypted twice)', relayed(1, bulk()), proxies(0)),
  // Over one relay on both sides: theirs counts relays, ours counts hops.
  row('relayed-1', 'one stream over one relay (A B C)', relayed(2, bulk()), [
    { name: 'libp2p', competitor: 'libp2p', setup: async ({ group }) => contender(await libp2pRelay(group), bulk()) },
  ]),
  row('relayed-2', 'one stream, relayed over 2 hops (A B C)', relayed(2, bulk()), proxies(1)),
  row('relayed-3', 'one stream, relayed over 3 hops (A B C D)', relayed(3, bulk()), [...proxies(2), ...torCounterparts(bulk())]),
  row('telescoped-2', 'one stream, telescoped over 2 hops (A B C)', telescoped(2, bulk()), [...proxies(1), ssh(2)]),
  row('telescoped-3', 'one stream, telescoped over 3 hops (A B C D)', telescoped(3, bulk()), [...proxies(2), ssh(3)]),
  row('telescoped-4', 'one stream, telescoped over 4 hops (A B C D E)', telescoped(4, bulk()), [
    ...proxies(3),
    ssh(4),
    ...torCounterparts(bulk()),
  ]),
  row('eight-streams', 'eight streams together on one connection relayed over 3 hops, beside one alone', relayed(3, bulk(EIGHT)), [
    { name: 'one-stream', setup: relayed(3, bulk()) },
  ]),
  row(
    'both-directions',
    'one stream in both directions at once over 3 hops (the sum), beside one direction',
    relayed(3, bothDirections()),
    [{ name: 'one-direction', setup: relayed(3, bulk()) }],
  ),
];
