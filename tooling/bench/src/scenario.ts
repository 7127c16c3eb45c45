import type { ProcessGroup } from './processes/process-group.ts';

/** What one round of one side gave. */
export interface Sample {
  /** In the unit of the scenario. */
  readonly value: number;
  /** How long it took, in seconds. */
  readonly seconds: number;
  /** Payload bytes moved; undefined where the scenario does not move bulk data. */
  readonly bytes?: number;
  /** CPU time by process, in seconds. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
}

/** One side of a comparison, set up and ready to be measured again and again. */
export interface Contender {
  readonly group: ProcessGroup;
  /** One round of about so many milliseconds. */
  measure(durationMs: number): Promise<Sample>;
}

/** One row of the results. */
export interface Scenario {
  /** `what/shape/counterpart`: `bulk/relayed-3/plain`. */
  readonly id: string;
  readonly unit: string;
  /** What ours is compared with, one of the names that `--against` takes; undefined where there is nothing. */
  readonly against: string | undefined;
  /** One line for the help text. */
  readonly summary: string;
  /** Adds the processes to `group`, which exists before them so that it can be closed whatever happens. */
  ours(group: ProcessGroup): Promise<Contender>;
  theirs?(group: ProcessGroup): Promise<Contender>;
}
