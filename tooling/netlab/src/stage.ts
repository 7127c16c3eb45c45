import { isDeepStrictEqual } from 'node:util';
import { Cast } from './cast/cast.ts';
import { CliProcess } from './cast/cli-process.ts';
import { Lab } from './lab/lab.ts';
import { parseTopology } from './topology/parse-topology.ts';

/** Something that should hold. */
export interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** What it was instead. */
  readonly found?: string;
}

/** What a scenario says of itself, and how it goes. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Its network; see `parseTopology`. */
  readonly drawing: string;
  play(stage: Stage): Promise<void>;
}

/** What a scenario came to. */
export interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly seconds: number;
}

/** What a scenario works with. */
export class Stage {
  readonly lab: Lab;
  readonly cast: Cast;
  readonly #onCheck: (check: Check) => void;

  constructor(lab: Lab, onCheck: (check: Check) => void) {
    this.lab = lab;
    this.cast = new Cast(lab);
    this.#onCheck = onCheck;
  }

  /** Runs the command line on a host. */
  cli(host: string, ...args: readonly string[]): CliProcess {
    return new CliProcess(this.lab.host(host), args);
  }

  /** Notes whether `found` is `expected`; goes on either way. */
  check(what: string, found: unknown, expected: unknown): void {
    const ok = isDeepStrictEqual(found, expected);
    this.#onCheck(ok ? { what, ok } : { what, ok, found: `${JSON.stringify(found)} instead of ${JSON.stringify(expected)}` });
  }
}

/** Builds the network of a scenario, plays it, and leaves nothing behind. Never rejects. */
export async function runScenario(scenario: Scenario, onCheck: (check: Check) => void): Promise<Outcome> {
  const startedAtMs = performance.now();
  const checks: Check[] = [];
  const hear = (check: Check): void => {
    checks.push(check);
    onCheck(check);
  };
  try {
    await using lab = await Lab.build(parseTopology(scenario.drawing));
    const stage = new Stage(lab, hear);
    await using _cast = stage.cast;
    await stage.cast.crew.watch(scenario.play(stage));
  } catch (error) {
    hear({ what: 'it came to its end', ok: false, found: (error as Error).message });
  }
  const ok = checks.length > 0 && checks.every((check) => check.ok);
  return { name: scenario.name, ok, checks, seconds: Math.round(performance.now() - startedAtMs) / 1000 };
}

/** The code that `work` of a node fails with; undefined where it does not. */
export async function refusalOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return /^\w+: ([\w.-]+): /.exec((error as Error).message)?.[1] ?? (error as Error).message;
  }
}
