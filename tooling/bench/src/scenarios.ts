import { BUILD_SCENARIOS } from './build/scenarios.ts';
import { BULK_SCENARIOS } from './bulk/scenarios.ts';
import { CRYPTO_SCENARIOS } from './crypto/scenarios.ts';
import { FLOOD_SCENARIOS } from './flood/scenarios.ts';
import { LINKS_SCENARIOS } from './links/scenarios.ts';
import { PRESET_SCENARIOS } from './preset/scenarios.ts';
import { COMPETITORS, type Competitor, type Counterpart, type Scenario, type Selection } from './scenario.ts';
import { SMALL_SCENARIOS } from './small/scenarios.ts';

/** Everything that can be measured, in the order it is. */
export const SCENARIOS: readonly Scenario[] = [
  ...BULK_SCENARIOS,
  ...SMALL_SCENARIOS,
  ...PRESET_SCENARIOS,
  ...BUILD_SCENARIOS,
  ...LINKS_SCENARIOS,
  ...FLOOD_SCENARIOS,
  ...CRYPTO_SCENARIOS,
];

/** The id of a row. */
export function rowId(scenario: Pick<Scenario, 'id'>, counterpart: Pick<Counterpart, 'name'> | undefined): string {
  return counterpart === undefined ? scenario.id : `${scenario.id}/${counterpart.name}`;
}

/** The ids of all rows that a scenario, or what is selected of one, has. */
export function rowIds({ scenario, counterparts, alone }: Selection): readonly string[] {
  return [...(alone ? [scenario.id] : []), ...counterparts.map((counterpart) => rowId(scenario, counterpart))];
}

/** All of every scenario. */
export const EVERYTHING: readonly Selection[] = SCENARIOS.map((scenario) => ({
  scenario,
  counterparts: scenario.counterparts,
  alone: scenario.alone,
}));

/**
 * Rows by name: a whole id or its beginning, as `bulk` or `bulk/relayed-3`; all where nothing is named. Of the
 * competitors only those in `against`, where it is given; what is compared with ours under other conditions stays.
 * @throws RangeError that lists what there is, for a name without a row
 */
export function selectScenarios(names: readonly string[], against: readonly string[] | undefined): readonly Selection[] {
  for (const name of names) {
    if (!EVERYTHING.some((selection) => rowIds(selection).some((id) => isCalled(id, name)))) {
      throw new RangeError(`there is no scenario ${name}. There are:\n${known()}`);
    }
  }
  const competitors = against?.map(competitorNamed);
  const wanted = (id: string): boolean => names.length === 0 || names.some((name) => isCalled(id, name));
  const selected = EVERYTHING.map(({ scenario, counterparts, alone }) => ({
    scenario,
    counterparts: counterparts.filter(
      (counterpart) =>
        wanted(rowId(scenario, counterpart)) &&
        (competitors === undefined || counterpart.competitor === undefined || competitors.includes(counterpart.competitor)),
    ),
    alone: alone && wanted(scenario.id),
  })).filter(({ counterparts, alone }) => counterparts.length > 0 || alone);
  if (selected.length === 0) {
    throw new RangeError(`none of ${names.join(', ')} is compared with ${against?.join(', ')}. There are:\n${known()}`);
  }
  return selected;
}

/** One line per scenario. */
export function known(): string {
  return SCENARIOS.map(({ id, summary, counterparts }) => {
    const names = counterparts.map(({ name }) => name).join(' ');
    return `  ${id.padEnd(30)} ${summary}${names === '' ? '' : ` | ${names}`}`;
  }).join('\n');
}

function competitorNamed(name: string): Competitor {
  const competitor = COMPETITORS.find((candidate) => candidate === name);
  if (competitor === undefined)
    throw new RangeError(`there is nothing called ${name} to compare with. There is: ${COMPETITORS.join(', ')}`);
  return competitor;
}

function isCalled(id: string, name: string): boolean {
  return id === name || id.startsWith(`${name}/`);
}
