import { type Exploration, helpText, parseOptions } from './options.ts';
import { type Progress, showProgress } from './progress.ts';
import { type Report, Tally, replayCommand, reportText } from './report.ts';
import type { Scenario } from './scenario.ts';
import { type SeedOutcome, runSeeds } from './seed-runner.ts';

/** Bad seeds of which more is told than their number. */
const MAX_TOLD_SEEDS = 10;
const MAX_TOLD_VIOLATIONS = 10;
const INTERRUPTED = 130;

/** What the command has of its process. */
export interface Surroundings {
  readonly scenarios: readonly Scenario[];
  readonly stdout: { write(text: string): unknown };
  readonly stderr: NodeJS.WriteStream;
  /** Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** Runs the command and returns its exit code. */
export async function explore(args: readonly string[], { scenarios, stdout, stderr, interrupted }: Surroundings): Promise<number> {
  let options;
  try {
    options = parseOptions(args, scenarios);
  } catch (error) {
    stderr.write(`explore: ${(error as Error).message}\nTry --help.\n`);
    return 2;
  }
  if (options.help) {
    stdout.write(helpText(scenarios));
    return 0;
  }
  const report = await run(options, showProgress(stderr, options.scenario.name, options.seeds), interrupted);
  stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report, options.seeds));
  if (report.violations > 0) return 1;
  return interrupted.aborted ? INTERRUPTED : 0;
}

async function run(options: Exploration, progress: Progress, interrupted: AbortSignal): Promise<Report> {
  const tally = new Tally(options.scenario.name);
  let violations = 0;
  let badSeeds = 0;
  const done = ({ seed, outcome }: SeedOutcome): void => {
    tally.add(seed, outcome);
    violations += outcome.violations.length;
    progress.update(tally.seeds, violations);
    if (outcome.violations.length > 0 && ++badSeeds <= MAX_TOLD_SEEDS)
      progress.line(badSeed(options.scenario.name, seed, outcome.violations));
  };
  try {
    await runSeeds(options, interrupted, done);
  } finally {
    progress.stop();
  }
  return tally.report();
}

function badSeed(scenario: string, seed: number, violations: readonly string[]): string {
  const told = violations.slice(0, MAX_TOLD_VIOLATIONS).map((violation) => `  ${violation}`);
  if (violations.length > told.length) told.push(`  and ${violations.length - told.length} more`);
  return `seed ${seed}:\n${told.join('\n')}\n  replay: ${replayCommand(scenario, seed)}`;
}
