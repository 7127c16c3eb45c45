import type { ProcessGroup } from './processes/process-group.ts';
import type { SharedGroups } from './processes/shared-groups.ts';

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
  /** What else was measured, by names that end in their unit: `p99Ms`. */
  readonly details?: Readonly<Record<string, number>>;
}

/** One side of a comparison, set up and ready to be measured again and again. */
export interface Contender {
  readonly group: ProcessGroup;
  /** Before the first round, where so many things have to be done that a time does not say it: until code is compiled. */
  warmUp?(): Promise<void>;
  /** One round of about so many milliseconds. */
  measure(durationMs: number): Promise<Sample>;
}

/** Names that `--preset` takes. */
export const PRESETS = ['plain', 'standard', 'private'] as const;
export type Preset = (typeof PRESETS)[number];

/** What a side of a comparison is set up with. */
export interface Setting {
  /** For its processes; it exists before them so that it can be closed whatever happens. */
  readonly group: ProcessGroup;
  /** For what several scenarios use. */
  readonly shared: SharedGroups;
  readonly quick: boolean;
  /** How traffic of ours looks, where a scenario does not say so itself. */
  readonly preset: Preset;
  /** Relay links of the scenarios about many, where the call says how many. */
  readonly links: number | undefined;
}

export type Setup = (setting: Setting) => Promise<Contender>;

/** Names that `--against` takes. */
export const COMPETITORS = ['plain', 'tls', 'ssh', 'tor', 'libp2p'] as const;
export type Competitor = (typeof COMPETITORS)[number];

/** What ours is compared with. */
export interface Counterpart {
  /** The last part of the id: `tor-tuned`. */
  readonly name: string;
  /** Undefined where it is ours, too, under other conditions. */
  readonly competitor?: Competitor;
  readonly setup: Setup;
  /** Begins with what takes long and is mostly waiting, for quick runs: `setup` then finds it begun. */
  readonly prepare?: (shared: SharedGroups) => void;
}

/** What is measured in one shape, and all it is compared with: a row of the results for each. */
export interface Scenario {
  /** `what/shape`: `bulk/relayed-3`. */
  readonly id: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** One line for the help text. */
  readonly summary: string;
  readonly ours: Setup;
  readonly counterparts: readonly Counterpart[];
  /** Whether there is a row of ours alone, which has the scenario's own id. */
  readonly alone: boolean;
}

/** What is to be measured of a scenario. */
export interface Selection {
  readonly scenario: Scenario;
  readonly counterparts: readonly Counterpart[];
  readonly alone: boolean;
}
