import { parseArgs } from 'node:util';
import { missing } from './lab/missing.ts';
import { SCENARIOS } from './scenarios.ts';
import { type Check, type Outcome, type Scenario, runScenario } from './stage.ts';

export const HELP_TEXT = `Runs real nodes on hosts with real addresses: network namespaces with routers, NAT, and cables to pull.

Usage: pnpm --silent netlab [SCENARIO|list] [options]

Without a scenario all are played, one after the other:
${SCENARIOS.map(({ name, title }) => `  ${name.padEnd(16)}${title}`).join('\n')}
  ${'list'.padEnd(16)}draws the network of each, and plays none

Options:
  --json      one JSON object on standard output and nothing else:
              {"ok", "missing": [what this machine lacks], "scenarios": [{"name", "ok", "checks": [{"what", "ok", "found"}], "seconds"}]}
  -h, --help

Example:
  $ pnpm --silent netlab exclusion

It needs Linux, the programs ip and nft, and permission for network namespaces, which root has. The exit code is 0 where
everything was as it should be; 1 otherwise, also where something is missing; 2 for a wrong call; 130 after Ctrl-C. Whatever
way it ends, no process and no namespace is left behind.
`;

/** What the command has of its process. */
export interface Surroundings {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

interface Options {
  readonly json: boolean;
  readonly list: boolean;
  readonly scenarios: readonly Scenario[];
}

/** Runs the command and returns its exit code. */
export async function runCommand(args: readonly string[], { stdout, stderr }: Surroundings): Promise<number> {
  let options: Options | undefined;
  try {
    options = parseOptions(args);
  } catch (error) {
    stderr.write(`netlab: ${(error as Error).message}\nTry --help.\n`);
    return 2;
  }
  if (options === undefined) {
    stdout.write(HELP_TEXT);
    return 0;
  }
  const { json, list, scenarios } = options;
  if (list) {
    stdout.write(json ? `${JSON.stringify(scenarios.map(({ name, title }) => ({ name, title })))}\n` : scenarios.map(drawn).join('\n'));
    return 0;
  }
  const lacks = missing();
  for (const what of lacks) stderr.write(`netlab: this machine lacks ${what}\n`);
  const outcomes: Outcome[] = [];
  // With --json, what people read goes where progress goes.
  const out = json ? stderr : stdout;
  for (const scenario of lacks.length > 0 ? [] : scenarios) {
    out.write(drawn(scenario));
    // Each has the machine for itself.
    // oxlint-disable-next-line no-await-in-loop
    const outcome = await runScenario(scenario, (check) => out.write(checkText(check)));
    outcomes.push(outcome);
    out.write(`${outcome.ok ? 'all as it should be' : 'NOT as it should be'}, ${outcome.seconds.toFixed(1)} s\n\n`);
  }
  const ok = lacks.length === 0 && outcomes.every((outcome) => outcome.ok);
  if (json) stdout.write(`${JSON.stringify({ ok, missing: lacks, scenarios: outcomes })}\n`);
  return ok ? 0 : 1;
}

/** Undefined where help is asked for. @throws TypeError, RangeError that says what is wrong */
function parseOptions(args: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) return undefined;
  const [name, ...more] = positionals;
  if (more.length > 0) throw new TypeError(`one scenario at a time, not also ${more.join(' ')}`);
  const { json } = values;
  if (name === undefined || name === 'list') return { json, list: name === 'list', scenarios: SCENARIOS };
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario === undefined)
    throw new RangeError(`there is no scenario ${name}, known are: ${SCENARIOS.map((each) => each.name).join(', ')}`);
  return { json, list: false, scenarios: [scenario] };
}

function drawn({ name, title, drawing }: Scenario): string {
  return `${name}: ${title}\n${drawing}\n`;
}

function checkText({ what, ok, found }: Check): string {
  return `  ${ok ? 'ok  ' : 'FAIL'}  ${what}${found === undefined ? '' : `: ${found}`}\n`;
}
