import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Scenario } from './scenario.ts';

const MAX_SEEDS = 1_000_000_000;
const MAX_WORKERS = 64;

/** What the command line asks for. */
export type ExploreOptions = { readonly help: true } | ({ readonly help: false } & Exploration);

/** Which worlds are to be run, and how. */
export interface Exploration {
  readonly scenario: Scenario;
  /** The first seed, and how many there are. */
  readonly from: number;
  readonly seeds: number;
  readonly json: boolean;
  /** Threads; with one everything runs in this process. */
  readonly workers: number;
}

export function helpText(scenarios: readonly Scenario[]): string {
  return `Runs whole networks in the simulated world, one for each seed, and looks for broken promises: bytes that are lost,
repeated or out of order, anything that hangs, fails or is left behind, keys used twice. A seed replays bit for bit.

Usage: pnpm --silent explore --scenario NAME --seeds N [options]

Scenarios:
${scenarios.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}

Options:
  --scenario NAME   what to try
  --seeds N         how many worlds, one for each seed
  --from FIRST      the first seed, 1 by default
  --workers N       threads, as many as there are cores by default
  --json            one JSON object on standard output and nothing else:
                    {"scenario", "seeds", "steps", "faults", "violations", "firstBadSeed", "seedsPerMinute"}
  -h, --help

Example:
  $ pnpm --silent explore --scenario ${scenarios[0]?.name ?? 'NAME'} --seeds 1000 --json

Progress, and each violation with the command that replays it, go to standard error. The exit code is 0 where no promise
was broken, 1 where one was, 2 for a wrong call, 130 after Ctrl-C, which prints what was done so far.
`;
}

/**
 * Reads the command line.
 * @throws TypeError, RangeError that says what is wrong with it
 */
export function parseOptions(args: readonly string[], scenarios: readonly Scenario[]): ExploreOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      workers: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { help: true };
  const known = scenarios.map(({ name }) => name).join(', ');
  if (values.scenario === undefined) throw new TypeError(`--scenario is missing, known are: ${known}`);
  const scenario = scenarios.find(({ name }) => name === values.scenario);
  if (scenario === undefined) throw new RangeError(`there is no scenario ${values.scenario}, known are: ${known}`);
  if (values.seeds === undefined) throw new TypeError('--seeds is missing: how many worlds');
  const seeds = whole('--seeds', values.seeds, 1, MAX_SEEDS);
  const from = whole('--from', values.from, 0, Number.MAX_SAFE_INTEGER / 2048 - MAX_SEEDS);
  const workers = values.workers === undefined ? availableParallelism() : whole('--workers', values.workers, 1, MAX_WORKERS);
  return { help: false, scenario, from, seeds, json: values.json, workers: Math.min(workers, seeds) };
}

function whole(option: string, text: string, min: number, limit: number): number {
  const max = Math.floor(limit);
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new RangeError(`${option} takes a whole number from ${min} to ${max}, not ${text}`);
  return value;
}
