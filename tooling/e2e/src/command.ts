import { randomInt } from 'node:crypto';
import { type E2eOptions, HELP_TEXT, parseOptions } from './options.ts';
import { startCircuitFailover } from './failover/circuit-failover.ts';
import { startReroute } from './failover/reroute.ts';
import type { Play } from './play.ts';
import { Crew } from './processes/crew.ts';
import { showProgress } from './progress.ts';
import { startResume } from './resume/resume.ts';
import { startStress } from './stress/stress.ts';

/** What the command has of its process. */
export interface Surroundings {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: NodeJS.WriteStream;
}

type Selected = Exclude<E2eOptions, { readonly scenario: 'help' }>;

/** Runs the command and returns its exit code. */
export async function runCommand(args: readonly string[], { stdout, stderr }: Surroundings): Promise<number> {
  let options: E2eOptions;
  try {
    options = parseOptions(args, randomInt(2 ** 32));
  } catch (error) {
    stderr.write(`e2e: ${(error as Error).message}\nTry --help.\n`);
    return 2;
  }
  if (options.scenario === 'help') {
    stdout.write(HELP_TEXT);
    return 0;
  }
  const { play, faults } = await run(options, stderr);
  stdout.write(options.json ? `${JSON.stringify(play.result())}\n` : `${options.scenario}: ${play.summary()}\n${verdict(faults)}\n`);
  return faults.length === 0 ? 0 : 1;
}

async function run(
  options: Selected,
  stderr: NodeJS.WriteStream,
): Promise<{ readonly play: Play<unknown>; readonly faults: readonly string[] }> {
  stderr.write(`${options.scenario}: seed ${options.seed}\n`);
  const crew = new Crew(options.patienceMs, () => progress.update(crew.receivedBytes, play.note()));
  const play = start(options, crew);
  const progress = showProgress(stderr, options.scenario, play.totalBytes);
  let faults: readonly string[];
  try {
    faults = await play.run();
    progress.stop();
    stderr.write(`${await crew.usage()}\n`);
  } catch (error) {
    faults = [(error as Error).message];
  } finally {
    progress.stop();
    await crew.close();
  }
  for (const fault of faults) stderr.write(`e2e: ${fault}\n`);
  if (faults.length > 0) stderr.write(`${crew.lastWords}\n`);
  return { play, faults };
}

function start(options: Selected, crew: Crew): Play<unknown> {
  switch (options.scenario) {
    case 'resume':
      return startResume(options, crew);
    case 'stress':
      return startStress(options, crew);
    case 'reroute':
      return startReroute(options, crew);
    case 'circuit-failover':
      return startCircuitFailover(options, crew);
    default:
      return options satisfies never;
  }
}

function verdict(faults: readonly string[]): string {
  return faults.length === 0 ? 'Every byte that was read is the one that was written, and nobody saw an error.' : faults.join('\n');
}
