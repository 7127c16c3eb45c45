import { ProcessGroup } from './processes/process-group.ts';
import { type Result, type Side, cpuPerGB, resultOf } from './report.ts';
import type { Contender, Sample, Scenario } from './scenario.ts';

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
  readonly progress: (line: string) => void;
  /** Where processes of ours leave CPU profiles, if they should. */
  readonly profileFolder: string | undefined;
}

/** Sets both sides up and measures them in turn, so that what else the machine does falls on both alike. */
export async function runScenario(scenario: Scenario, { plan, progress, profileFolder }: RunOptions): Promise<Result> {
  const ourGroup = new ProcessGroup(scenario.id, profileFolder);
  const theirGroup = new ProcessGroup(`${scenario.id} counterpart`);
  try {
    progress(`${scenario.id}: ${scenario.summary}`);
    const ours = await scenario.ours(ourGroup);
    const theirs = await scenario.theirs?.(theirGroup);
    progress(`  warming up`);
    await ours.measure(plan.warmUpMs);
    await theirs?.measure(plan.warmUpMs);
    const samples = await measureInTurn(scenario, ours, theirs, plan, progress);
    const ourSide: Side = { samples: samples.ours, usage: await ourGroup.usage() };
    const theirSide: Side | undefined = theirs && { samples: samples.theirs, usage: await theirGroup.usage() };
    return resultOf(scenario, ourSide, theirSide);
  } finally {
    await Promise.all([ourGroup.close(), theirGroup.close()]);
  }
}

async function measureInTurn(
  { unit }: Scenario,
  ours: Contender,
  theirs: Contender | undefined,
  { rounds, roundMs }: Plan,
  progress: (line: string) => void,
): Promise<{ readonly ours: Sample[]; readonly theirs: Sample[] }> {
  const samples = { ours: [] as Sample[], theirs: [] as Sample[] };
  for (let round = 1; round <= rounds; round++) {
    // Who comes first changes, so that a machine that slows down slows both.
    const order = round % 2 === 1 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
    for (const side of order) {
      const contender = side === 'ours' ? ours : theirs;
      if (contender === undefined) continue;
      // One after the other is the point.
      // oxlint-disable-next-line no-await-in-loop
      const sample = await contender.measure(roundMs);
      samples[side].push(sample);
      progress(`  round ${round} of ${rounds}  ${sampleText(side, sample, unit)}`);
    }
  }
  return samples;
}

function sampleText(side: string, sample: Sample, unit: string): string {
  const perGB = cpuPerGB(sample);
  return `${side.padEnd(7)}${sample.value.toFixed(1).padStart(8)} ${unit}${perGB === null ? '' : `   CPU ${perGB.toFixed(2)} s/GB`}`;
}
