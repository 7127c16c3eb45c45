import { lineFor } from '../matryoshka/chains.ts';
import type { Counterpart, Scenario, Setup } from '../scenario.ts';
import { tcpLineFor } from '../tcp/tcp-chain.ts';
import { torCounterparts } from '../tor/tor-network.ts';
import { type Workload, contender, messages, roundTrips } from '../workloads.ts';

const HOPS = 3;

function ours(workload: Workload): Setup {
  return async (setting) => contender(await lineFor(setting, 'relayed', HOPS), workload);
}

function proxies(workload: Workload): readonly Counterpart[] {
  return (['plain', 'tls'] as const).map((name) => ({
    name,
    competitor: name,
    setup: async (setting) => contender(await tcpLineFor(setting, HOPS - 1, name), workload),
  }));
}

/** Messages of which each counts, not their sum. */
export const SMALL_SCENARIOS: readonly Scenario[] = [
  {
    id: 'small/rtt-relayed-3',
    unit: 'ms',
    better: 'lower',
    summary: 'median round trip of 64 bytes over 3 hops, idle',
    ours: ours(roundTrips()),
    counterparts: [...proxies(roundTrips()), ...torCounterparts(roundTrips())],
    alone: false,
  },
  {
    id: 'small/rtt-relayed-3-loaded',
    unit: 'ms',
    better: 'lower',
    summary: 'the same while another stream of the connection is full of data, beside idle',
    ours: ours(roundTrips(true)),
    counterparts: [{ name: 'idle', setup: ours(roundTrips()) }, ...torCounterparts(roundTrips(true))],
    alone: false,
  },
  {
    id: 'small/messages-relayed-3',
    unit: 'messages/s',
    better: 'higher',
    summary: 'messages of 64 bytes on one stream over 3 hops, each written by itself',
    ours: ours(messages(64)),
    counterparts: [],
    alone: true,
  },
  {
    id: 'small/messages-1k-relayed-3',
    unit: 'messages/s',
    better: 'higher',
    summary: 'the same with 1 KiB each',
    ours: ours(messages(1024)),
    counterparts: [],
    alone: true,
  },
];
