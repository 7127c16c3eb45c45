import { relayedChain, telescopedChain } from './bulk/matryoshka-chain.ts';
import { plainChain } from './bulk/plain-chain.ts';
import type { Scenario } from './scenario.ts';

/** Everything that can be measured, in the order it is. */
export const SCENARIOS: readonly Scenario[] = [
  {
    id: 'bulk/relayed-3/plain',
    unit: 'MB/s',
    against: 'plain',
    summary: 'one stream, relayed over 3 hops (A B C D), beside a chain of 2 plain TCP proxies',
    ours: (group) => relayedChain(group, 3),
    theirs: (group) => plainChain(group, 2),
  },
  {
    id: 'bulk/telescoped-4/plain',
    unit: 'MB/s',
    against: 'plain',
    summary: 'one stream, telescoped over 4 hops (A B C D E), beside a chain of 3 plain TCP proxies',
    ours: (group) => telescopedChain(group, 4),
    theirs: (group) => plainChain(group, 3),
  },
];

/** Names that `--against` takes. */
export const COUNTERPARTS: readonly string[] = [...new Set(SCENARIOS.flatMap(({ against }) => against ?? []))];

/**
 * Scenarios by name: a whole id or its beginning, as `bulk` or `bulk/relayed-3`; all where nothing is named.
 * @throws RangeError that lists what there is, for a name without a scenario
 */
export function selectScenarios(names: readonly string[], against: readonly string[]): readonly Scenario[] {
  for (const name of names) {
    if (!SCENARIOS.some((scenario) => isCalled(scenario, name)))
      throw new RangeError(`there is no scenario ${name}. There are:\n${known()}`);
  }
  for (const name of against) {
    if (!COUNTERPARTS.includes(name))
      throw new RangeError(`there is nothing called ${name} to compare with. There is: ${COUNTERPARTS.join(', ')}`);
  }
  const selected = SCENARIOS.filter(
    (scenario) =>
      (names.length === 0 || names.some((name) => isCalled(scenario, name))) &&
      (against.length === 0 || (scenario.against !== undefined && against.includes(scenario.against))),
  );
  if (selected.length === 0)
    throw new RangeError(`none of ${names.join(', ')} is compared with ${against.join(', ')}. There are:\n${known()}`);
  return selected;
}

/** One line per scenario. */
export function known(): string {
  return SCENARIOS.map(({ id, summary }) => `  ${id.padEnd(26)}${summary}`).join('\n');
}

function isCalled({ id }: Scenario, name: string): boolean {
  return id === name || id.startsWith(`${name}/`);
}
