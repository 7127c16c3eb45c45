import { ProcessGroup } from './processes/process-group.ts';
import type { SharedGroups } from './processes/shared-groups.ts';
import { type Result, type Side, type Theirs, cpuPerGB, resultOf } from './report.ts';
import type { Competitor, Contender, Counterpart, Preset, Sample, Selection } from './scenario.ts';
import { rowId } from './scenarios.ts';

/** How long and how often. */
export interface Plan {
  readonly rounds: number;
  readonly roundMs: number;
  /** Before the first round, on each side: code gets compiled, buffers get their size. */
  readonly warmUpMs: number;
}

/** What a run tells and leaves while it goes on. */
export interface RunOptions {
  readonly plan: Plan;
  readonly quick: boolean;
  readonly preset: Preset;
  readonly links: number | undefined;
  readonly shared: SharedGroups;
  readonly progress: (line: string) => void;
  /** Where processes of ours leave CPU profiles, if they should. */
  readonly profileFolder: string | undefined;
  /** Competitors that cannot take part, and why. */
  readonly missing: ReadonlyMap<Competitor, string>;
}

/** One side while it is measured. */
interface Entrant {
  readonly name: string;
  /** Undefined for ours. */
  readonly counterpart: Counterpart | undefined;
  readonly group: ProcessGroup;
  contender: Contender | undefined;
  readonly samples: Sample[];
  /** Why it cannot take part, or can no longer. */
  missing: string | undefined;
}

/**
 * Sets all sides up and measures them in turn, so that what else the machine does falls on all alike.
 * @throws Error where ours, or what needs nothing but Node, fails; another competitor that fails is missing from then on
 */
export async function runScenario(selection: Selection, options: RunOptions): Promise<readonly Result[]> {
  const { scenario, counterparts, alone } = selection;
  const { plan, progress } = options;
  progress(`${scenario.id}: ${scenario.summary}`);
  const ours = entrant('ours', undefined, new ProcessGroup(scenario.id, options.profileFolder));
  const theirs = counterparts.map((counterpart) => entrant(counterpart.name, counterpart, new ProcessGroup(rowId(scenario, counterpart))));
  const entrants = [ours, ...theirs];
  try {
    await Promise.all(entrants.map((each) => takePart(each, () => setUp(each, selection, options), progress)));
    progress('  warming up');
    for (const each of entrants) {
      // oxlint-disable-next-line no-await-in-loop
      await takePart(each, () => warmUp(each, plan), progress);
    }
    await measureInTurn(entrants, scenario.unit, plan, progress);
    const ourSide = await sideOf(ours);
    const rows: Result[] = alone ? [resultOf(scenario, scenario.id, ourSide, undefined)] : [];
    for (const each of theirs) {
      // oxlint-disable-next-line no-await-in-loop
      const their: Theirs = each.missing === undefined ? await sideOf(each) : { missing: each.missing };
      rows.push(resultOf(scenario, rowId(scenario, each), ourSide, their));
    }
    return rows;
  } finally {
    await Promise.all(entrants.map(({ group }) => group.close()));
  }
}

function entrant(name: string, counterpart: Counterpart | undefined, group: ProcessGroup): Entrant {
  return { name, counterpart, group, contender: undefined, samples: [], missing: undefined };
}

async function setUp(
  each: Entrant,
  { scenario }: Selection,
  { quick, preset, links, shared, missing, progress }: RunOptions,
): Promise<void> {
  const competitor = each.counterpart?.competitor;
  const reason = competitor && missing.get(competitor);
  if (reason === undefined)
    each.contender = await (each.counterpart?.setup ?? scenario.ours)({ group: each.group, shared, quick, preset, links });
  else {
    each.missing = reason;
    progress(`  ${each.name} is missing: ${reason}`);
  }
}

async function warmUp({ contender }: Entrant, { warmUpMs }: Plan): Promise<void> {
  await contender?.warmUp?.();
  await contender?.measure(warmUpMs);
}

/** Runs a step of one side. What is not ours and not made of Node alone may fail without ending all. */
async function takePart(each: Entrant, step: () => Promise<unknown> | undefined, progress: (line: string) => void): Promise<void> {
  if (each.missing !== undefined) return;
  try {
    await step();
  } catch (error) {
    const competitor = each.counterpart?.competitor;
    if (competitor === undefined || competitor === 'plain') throw error;
    each.missing = `failed: ${(error as Error).message.trim()}`;
    progress(`  ${each.name} ${each.missing}`);
  }
}

async function measureInTurn(
  entrants: readonly Entrant[],
  unit: string,
  { rounds, roundMs }: Plan,
  progress: (line: string) => void,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    // Who comes first changes, so that a machine that slows down slows all.
    const first = (round - 1) % entrants.length;
    for (const each of [...entrants.slice(first), ...entrants.slice(0, first)]) {
      const measure = async (): Promise<void> => {
        const sample = await (each.contender as Contender).measure(roundMs);
        each.samples.push(sample);
        progress(`  round ${round} of ${rounds}  ${sampleText(each.name, sample, unit)}`);
      };
      // One after the other is the point.
      // oxlint-disable-next-line no-await-in-loop
      await takePart(each, measure, progress);
    }
  }
}

async function sideOf({ contender, samples }: Entrant): Promise<Side> {
  return { samples, usage: await (contender as Contender).group.usage() };
}

function sampleText(name: string, sample: Sample, unit: string): string {
  const perGB = cpuPerGB(sample);
  return `${name.padEnd(14)}${String(Number(sample.value.toPrecision(4))).padStart(8)} ${unit}${perGB === null ? '' : `   CPU ${perGB.toFixed(2)} s/GB`}`;
}
