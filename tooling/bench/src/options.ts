import { parseArgs } from 'node:util';
import type { Plan } from './run-scenario.ts';
import { COMPETITORS, PRESETS, type Preset, type Selection } from './scenario.ts';
import { known, selectScenarios } from './scenarios.ts';

const MAX_ROUNDS = 1000;
const MAX_LINKS = 60_000;

/** What the command line asks for. */
export interface BenchOptions {
  readonly help: boolean;
  readonly selections: readonly Selection[];
  readonly plan: Plan;
  readonly quick: boolean;
  readonly preset: Preset;
  /** Relay links of the scenarios about many; each has a number of its own by default. */
  readonly links: number | undefined;
  readonly json: boolean;
  /** Where a page with plots goes. */
  readonly reportFile: string | undefined;
  readonly profileFolder: string | undefined;
}

export function helpText(): string {
  return `Measures our connections beside what they are compared with: every peer is a process of its own, both sides
run in turn in one call. Compare ratios and CPU seconds per GB; absolute figures move with the machine.

Usage: pnpm --silent bench [SCENARIO...] [options]

Scenarios, by their whole name or its beginning (bulk, bulk/relayed-3, bulk/relayed-3/plain); all by default. Behind
the bar is what each is compared with, the last part of the name:
${known()}

Options:
  --against NAME,...   compare with these only: ${COMPETITORS.join(', ')}; by default with all.
                       One that is not installed is reported as missing; libp2p is installed when it is wanted first
  --quick              shorter rounds, fewer links; to be judged by CPU seconds per GB, which hardly move
  --rounds N           rounds of each side, 3 by default
  --preset NAME        how traffic of ours looks: ${PRESETS.join(', ')}; standard by default, as of any node. Rows
                       that begin with preset/ say themselves what they measure
  --links N            relay links of links/idle-bytes and links/message-us, up to ${MAX_LINKS}
  --json               one JSON object on standard output: {"machine": ..., "results": [...]}
  --report FILE.html   a page with plots
  --profile FOLDER     leaves a CPU profile of each process of ours in FOLDER; it slows ours down
  -h, --help

Example:
  $ pnpm --silent bench bulk/relayed-3 --quick --json > results.json

Progress goes to standard error. The exit code is 1 where a measurement failed, 2 for a wrong call.
`;
}

/**
 * Reads the command line.
 * @throws TypeError, RangeError that says what is wrong with it
 */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      against: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      report: { type: 'string' },
      profile: { type: 'string' },
      preset: { type: 'string', default: 'standard' },
      links: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) {
    throw new RangeError(`--rounds takes a whole number from 1 to ${MAX_ROUNDS}, not ${values.rounds}`);
  }
  if (values.report !== undefined && !values.report.endsWith('.html')) {
    throw new RangeError(`--report writes a page, FILE.html, not ${values.report}`);
  }
  const against = values.against?.split(',').map((name) => name.trim());
  return {
    help: values.help,
    selections: selectScenarios(positionals, against),
    plan: values.quick ? { rounds, roundMs: 350, warmUpMs: 250 } : { rounds, roundMs: 2500, warmUpMs: 2000 },
    quick: values.quick,
    preset: presetNamed(values.preset),
    links: values.links === undefined ? undefined : linksOf(values.links),
    json: values.json,
    reportFile: values.report,
    profileFolder: values.profile,
  };
}

function linksOf(text: string): number {
  const links = Number(text);
  if (!Number.isInteger(links) || links < 10 || links > MAX_LINKS)
    throw new RangeError(`--links takes a whole number from 10 to ${MAX_LINKS}, not ${text}`);
  return links;
}

function presetNamed(name: string): Preset {
  const preset = PRESETS.find((candidate) => candidate === name);
  if (preset === undefined) throw new RangeError(`--preset takes one of ${PRESETS.join(', ')}, not ${name}`);
  return preset;
}
