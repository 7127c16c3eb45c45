import type { Crew } from './processes/crew.ts';

/** A scenario as it is run once. */
export interface Play<Result> {
  /** To go over all streams. */
  readonly totalBytes: number;
  /** What else there is to tell of how it gets on. */
  note(): string;
  /**
   * Runs it to its end; returns what was wrong, for people.
   * @throws Error where it did not come to its end
   */
  run(): Promise<readonly string[]>;
  /** What `--json` prints: as far as it is known, also after a failure. */
  result(): Result;
  /** The same for people, in one line. */
  summary(): string;
}

/** Starts the processes of a scenario. */
export type StartPlay<Options, Result> = (options: Options, crew: Crew) => Play<Result>;

/** Seconds since a moment of `performance.now()`, in whole milliseconds. */
export function secondsSince(startedAtMs: number): number {
  return Math.round(performance.now() - startedAtMs) / 1000;
}
