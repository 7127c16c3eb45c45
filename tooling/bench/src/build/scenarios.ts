import { NETWORK_RELAYS } from '../matryoshka/chains.ts';
import type { Scenario, Setup } from '../scenario.ts';
import { tcpLineFor } from '../tcp/tcp-chain.ts';
import { torBuildCounterparts } from '../tor/tor-network.ts';
import { PARALLEL_BUILDS, buildContender, sampleBuilds } from './build-contender.ts';

const tlsConnects: Setup = async (setting) => {
  const { group, source } = await tcpLineFor(setting, 0, 'tls');
  return { group, measure: (durationMs) => sampleBuilds(group, 'time', () => source.callFor(durationMs, 'connects', durationMs)) };
};

/** How long it takes until a connection can be used, and how many there are in a second. */
export const BUILD_SCENARIOS: readonly Scenario[] = [
  {
    id: 'build/direct',
    unit: 'ms',
    better: 'lower',
    summary: 'connect directly, beside TLS 1.3',
    ours: (setting) => buildContender(setting, { shape: 'direct', hops: 1 }),
    counterparts: [{ name: 'tls', competitor: 'tls', setup: tlsConnects }],
    alone: false,
  },
  {
    id: 'build/relayed-3',
    unit: 'ms',
    better: 'lower',
    summary: 'connect over 3 hops that relays choose',
    ours: (setting) => buildContender(setting, { shape: 'relayed', hops: 3 }),
    counterparts: [],
    alone: true,
  },
  {
    id: 'build/telescoped-3',
    unit: 'ms',
    better: 'lower',
    summary: 'build a circuit of 3 hops, the connection to the first one is open',
    ours: (setting) => buildContender(setting, { shape: 'telescoped', hops: 3 }),
    counterparts: torBuildCounterparts(),
    alone: false,
  },
  {
    id: 'build/telescoped-4',
    unit: 'ms',
    better: 'lower',
    summary: 'build a circuit of 4 hops, the connection to the first one is open',
    ours: (setting) => buildContender(setting, { shape: 'telescoped', hops: 4 }),
    counterparts: [],
    alone: true,
  },
  {
    id: 'build/telescoped-3-parallel',
    unit: 'builds/s',
    better: 'higher',
    summary: `circuits of 3 hops, ${PARALLEL_BUILDS} in progress at once`,
    ours: (setting) => buildContender(setting, { shape: 'telescoped', hops: 3, measure: 'rate' }),
    counterparts: torBuildCounterparts('rate'),
    alone: true,
  },
  ...[3, 4].map((hops): Scenario => ({
    id: `build/chosen-${hops}`,
    unit: 'ms',
    better: 'lower',
    summary: `build a circuit of ${hops} hops, relays chosen among ${NETWORK_RELAYS} that A is connected to`,
    ours: (setting) => buildContender(setting, { shape: 'chosen', hops }),
    counterparts: [],
    alone: true,
  })),
  {
    id: 'build/chosen-3-parallel',
    unit: 'builds/s',
    better: 'higher',
    summary: `circuits of 3 hops, relays chosen among ${NETWORK_RELAYS}, ${PARALLEL_BUILDS} in progress at once`,
    ours: (setting) => buildContender(setting, { shape: 'chosen', hops: 3, measure: 'rate' }),
    counterparts: [],
    alone: true,
  },
];
