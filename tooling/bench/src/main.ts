import { constants } from 'node:os';
import { SERVING_NODE_OPTIONS } from './bulk/matryoshka-chain.ts';
import { type BenchOptions, helpText, parseOptions } from './options.ts';
import { reportText } from './report-text.ts';
import { type Report, type Result, describeMachine } from './report.ts';
import { runScenario } from './run-scenario.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // The processes go with this one.
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function measure({ scenarios, plan, quick, profileFolder }: BenchOptions): Promise<Report> {
  const results: Result[] = [];
  for (const scenario of scenarios) {
    // Two scenarios at once would disturb each other.
    // oxlint-disable-next-line no-await-in-loop
    results.push(await runScenario(scenario, { plan, progress, profileFolder }));
  }
  return { machine: describeMachine({ quick, ...plan, servingNodes: SERVING_NODE_OPTIONS }), results };
}

async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\nTry --help.\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(helpText());
    return 0;
  }
  try {
    const report = await measure(options);
    process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${reportText(report)}`);
    return 0;
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
