import { access, constants as fileConstants, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { whyMissing } from './competitors.ts';
import { SERVING_NODE_OPTIONS } from './matryoshka/chains.ts';
import { type BenchOptions, helpText, parseOptions } from './options.ts';
import { reportHtml } from './report-html.ts';
import { reportText } from './report-text.ts';
import { SharedGroups } from './processes/shared-groups.ts';
import { type Failure, type Report, type Result, describeMachine } from './report.ts';
import { runScenario } from './run-scenario.ts';
import type { Competitor } from './scenario.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // The processes go with this one.
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Competitors that some scenario wants and that cannot take part, with the reason. */
async function findMissing({ selections }: BenchOptions): Promise<ReadonlyMap<Competitor, string>> {
  const wanted = new Set(selections.flatMap(({ counterparts }) => counterparts.flatMap(({ competitor }) => competitor ?? [])));
  const missing = new Map<Competitor, string>();
  for (const competitor of wanted) {
    // What has to be installed is installed one after the other.
    // oxlint-disable-next-line no-await-in-loop
    const reason = await whyMissing(competitor, progress);
    if (reason === undefined) continue;
    missing.set(competitor, reason);
    progress(`${competitor} is missing: ${reason}`);
  }
  return missing;
}

async function measure(options: BenchOptions): Promise<Report> {
  const { selections, plan, preset, links, quick, profileFolder } = options;
  const missing = await findMissing(options);
  const results: Result[] = [];
  const failures: Failure[] = [];
  const shared = new SharedGroups();
  try {
    const rivals = selections
      .flatMap(({ counterparts }) => counterparts)
      .filter(({ competitor }) => competitor === undefined || !missing.has(competitor));
    if (quick) for (const { prepare } of rivals) prepare?.(shared);
    for (const selection of selections) {
      try {
        // Two scenarios at once would disturb each other.
        // oxlint-disable-next-line no-await-in-loop
        results.push(...(await runScenario(selection, { plan, quick, preset, links, shared, progress, profileFolder, missing })));
      } catch (error) {
        const failure = { id: selection.scenario.id, reason: (error as Error).message };
        failures.push(failure);
        progress(`bench: ${failure.id}: ${failure.reason}`);
      }
    }
  } finally {
    await shared.close();
  }
  const ours = { servingNodes: SERVING_NODE_OPTIONS };
  const machineOptions = { quick, preset, ...plan, ...ours, missing: Object.fromEntries(missing) };
  return { machine: describeMachine(machineOptions), results, failures };
}

/** Before minutes of measurement that nobody would see. @throws Error where the page could not be written */
async function checkFolder(file: string): Promise<void> {
  const folder = dirname(file);
  await access(folder, fileConstants.W_OK).catch((error: Error) => {
    throw new Error(`--report ${file}: nothing can be written to ${folder}: ${error.message}`, { cause: error });
  });
}

async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseOptions(args);
    if (options.reportFile !== undefined) await checkFolder(options.reportFile);
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\nTry --help.\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(helpText());
    return 0;
  }
  const report = await measure(options);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${reportText(report)}`);
  if (options.reportFile !== undefined) {
    await writeFile(options.reportFile, reportHtml(report));
    progress(`the page with plots is ${options.reportFile}`);
  }
  return report.failures.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
