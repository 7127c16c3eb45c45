import { type Shape, lineFor } from '../matryoshka/chains.ts';
import type { Preset, Scenario, Setup } from '../scenario.ts';
import { torCounterparts } from '../tor/tor-network.ts';
import { type Workload, bulk, contender, roundTrips } from '../workloads.ts';

function ours(preset: Preset, shape: Shape, hops: number, workload: Workload): Setup {
  return async (setting) => contender(await lineFor({ ...setting, preset }, shape, hops), workload);
}

/** What `private` costs beside the other presets of ours, and beside Tor, whose cells all have one length, too. */
function row(
  id: string,
  summary: string,
  better: Scenario['better'],
  unit: string,
  [shape, hops, workload]: readonly [Shape, number, () => Workload],
): Scenario {
  return {
    id: `preset/${id}`,
    unit,
    better,
    summary,
    ours: ours('private', shape, hops, workload()),
    counterparts: [
      ...(['plain', 'standard'] as const).map((preset) => ({ name: `preset-${preset}`, setup: ours(preset, shape, hops, workload()) })),
      ...torCounterparts(workload()),
    ],
    alone: false,
  };
}

/** How much each preset costs. */
export const PRESET_SCENARIOS: readonly Scenario[] = [
  row('private-relayed-3', 'one stream in `private`, relayed over 3 hops', 'higher', 'MB/s', ['relayed', 3, bulk]),
  row('private-telescoped-4', 'one stream in `private`, telescoped over 4 hops', 'higher', 'MB/s', ['telescoped', 4, bulk]),
  row('private-rtt-relayed-3', 'median round trip of 64 bytes in `private` over 3 hops, idle', 'lower', 'ms', ['relayed', 3, roundTrips]),
];
