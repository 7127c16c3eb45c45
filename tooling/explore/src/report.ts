import type { Outcome } from './scenario.ts';

/** The result of an exploration, as `--json` prints it. */
export interface Report {
  readonly scenario: string;
  /** Worlds that were run. */
  readonly seeds: number;
  /** Timers and ticks in all of them. */
  readonly steps: number;
  readonly faults: number;
  /** Promises that were broken, in all of them. */
  readonly violations: number;
  /** The lowest seed of a world in which one was. */
  readonly firstBadSeed: number | null;
  readonly seedsPerMinute: number;
}

/** Adds outcomes up, in whatever order they come. */
export class Tally {
  readonly #scenario: string;
  readonly #startedMs: number;
  readonly #now: () => number;
  #seeds = 0;
  #steps = 0;
  #faults = 0;
  #violations = 0;
  #firstBadSeed: number | null = null;

  /** @param now - real time in milliseconds */
  constructor(scenario: string, now: () => number = () => performance.now()) {
    this.#scenario = scenario;
    this.#now = now;
    this.#startedMs = now();
  }

  get seeds(): number {
    return this.#seeds;
  }

  add(seed: number, { steps, faults, violations }: Outcome): void {
    this.#seeds++;
    this.#steps += steps;
    this.#faults += faults;
    this.#violations += violations.length;
    if (violations.length > 0) this.#firstBadSeed = Math.min(seed, this.#firstBadSeed ?? seed);
  }

  report(): Report {
    const minutes = Math.max(1, this.#now() - this.#startedMs) / 60_000;
    return {
      scenario: this.#scenario,
      seeds: this.#seeds,
      steps: this.#steps,
      faults: this.#faults,
      violations: this.#violations,
      firstBadSeed: this.#firstBadSeed,
      seedsPerMinute: Math.round(this.#seeds / minutes),
    };
  }
}

/** The command that runs one world again. */
export function replayCommand(scenario: string, seed: number): string {
  return `npx -y pnpm@12 --silent explore --scenario ${scenario} --seeds 1 --from ${seed}`;
}

/** For people. */
export function reportText(report: Report, asked: number): string {
  const { scenario, seeds, steps, faults, violations, firstBadSeed, seedsPerMinute } = report;
  const worlds = seeds === asked ? `${count(seeds)} worlds` : `${count(seeds)} of ${count(asked)} worlds`;
  const result =
    firstBadSeed === null
      ? 'No promise was broken.'
      : `${count(violations)} violations; the first bad seed is ${firstBadSeed}:\n  ${replayCommand(scenario, firstBadSeed)}`;
  return `${scenario}: ${worlds}, ${count(steps)} steps, ${count(faults)} faults, ${count(seedsPerMinute)} worlds a minute\n${result}\n`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
