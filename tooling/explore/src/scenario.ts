/** What became of one world. */
export interface Outcome {
  /** Timers and ticks that were run. */
  readonly steps: number;
  /** Faults that were injected. */
  readonly faults: number;
  /** Promises that were broken, for people; none in a good world. */
  readonly violations: readonly string[];
}

/** Something to be tried in one world after the other. */
export interface Scenario {
  readonly name: string;
  /** What it tries and what it looks at, in one line. */
  readonly about: string;
  /** Runs the world of this seed: everything that happens in it follows from the seed. Never rejects for what it looks for. */
  run(seed: number): Promise<Outcome>;
}
