import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os';
import type { Usage } from './processes/role.ts';
import type { Sample, Scenario } from './scenario.ts';
import { type Summary, median, rounded, summarize } from './statistics.ts';

/** Where and how it was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly node: string;
  readonly os: string;
  /** How long, how often, and what of ours differs from its defaults. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A value of each side; null where there is none. */
export interface Pair<T> {
  readonly ours: T;
  readonly theirs: T | null;
}

/** One side of one round. */
export interface RoundSide {
  readonly value: number;
  readonly seconds: number;
  readonly bytes: number | null;
  readonly cpuPerGB: number | null;
  /** CPU seconds by process. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** What else was measured. */
  readonly details: Readonly<Record<string, number>>;
}

/** One row of the results. */
export interface Result {
  readonly id: string;
  readonly summary: string;
  readonly unit: string;
  readonly better: Scenario['better'];
  /** Median of the rounds. */
  readonly ours: number;
  readonly theirs: number | null;
  /** Ours divided by theirs. */
  readonly ratio: number | null;
  /** Why there is no other side although there should be one. */
  readonly missing: string | null;
  /** Lowest and highest round. */
  readonly spread: Pair<readonly [min: number, max: number]>;
  /** CPU seconds per 10⁹ bytes of payload, of all processes together: the median of the rounds. */
  readonly cpuPerGB: Pair<number | null>;
  /** Ours divided by theirs of these: what short rounds tell best, for it moves least with what else the machine does. */
  readonly cpuRatio: number | null;
  /** Medians of what else was measured. */
  readonly details: Pair<Readonly<Record<string, number>>>;
  /** Largest resident set of each process since it was started, in bytes. */
  readonly memoryPeakBytes: Pair<Readonly<Record<string, number>>>;
  readonly rounds: readonly Pair<RoundSide>[];
}

/** A scenario that could not be measured. */
export interface Failure {
  readonly id: string;
  readonly reason: string;
}

/** What `--json` prints. */
export interface Report {
  readonly machine: Machine;
  readonly results: readonly Result[];
  readonly failures: readonly Failure[];
}

/** One side after all its rounds. */
export interface Side {
  readonly samples: readonly Sample[];
  readonly usage: ReadonlyMap<string, Usage>;
}

/** The other side: measured, missing for a reason, or not there by design. */
export type Theirs = Side | { readonly missing: string } | undefined;

/** This machine. */
export function describeMachine(options: Readonly<Record<string, unknown>>): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    node: process.version,
    os: `${type()} ${release()} ${arch()}`,
    options,
  };
}

/** CPU seconds of all processes per 10⁹ bytes moved; null where none were counted. */
export function cpuPerGB({ bytes, cpuSeconds }: Sample): number | null {
  if (bytes === undefined || bytes === 0) return null;
  return Object.values(cpuSeconds).reduce((sum, seconds) => sum + seconds, 0) / (bytes / 1e9);
}

/** Makes a row of the measurements of both sides. */
export function resultOf(
  { summary, unit, better }: Pick<Scenario, 'summary' | 'unit' | 'better'>,
  id: string,
  ours: Side,
  theirs: Theirs,
): Result {
  const other = theirs !== undefined && 'samples' in theirs ? theirs : undefined;
  const own = valuesOf(ours);
  const others = other && valuesOf(other);
  const cpu = { ours: cpuOf(ours), theirs: other === undefined ? null : cpuOf(other) };
  return {
    id,
    summary,
    unit,
    better,
    ours: rounded(own.median),
    theirs: others === undefined ? null : rounded(others.median),
    ratio: others === undefined ? null : rounded(own.median / others.median),
    missing: theirs !== undefined && 'missing' in theirs ? theirs.missing : null,
    spread: { ours: spreadOf(own), theirs: others === undefined ? null : spreadOf(others) },
    cpuPerGB: cpu,
    cpuRatio: cpu.ours === null || cpu.theirs === null || cpu.theirs === 0 ? null : rounded(cpu.ours / cpu.theirs),
    details: { ours: detailsOf(ours), theirs: other === undefined ? null : detailsOf(other) },
    memoryPeakBytes: { ours: peaksOf(ours), theirs: other === undefined ? null : peaksOf(other) },
    rounds: ours.samples.map((sample, i) => {
      const counterpart = other?.samples[i];
      return { ours: roundOf(sample), theirs: counterpart === undefined ? null : roundOf(counterpart) };
    }),
  };
}

function valuesOf({ samples }: Side): Summary {
  return summarize(samples.map(({ value }) => value));
}

function spreadOf({ min, max }: Summary): readonly [number, number] {
  return [rounded(min), rounded(max)];
}

function cpuOf({ samples }: Side): number | null {
  const counted = samples.map(cpuPerGB).filter((value) => value !== null);
  return counted.length === 0 ? null : rounded(median(counted));
}

function detailsOf({ samples }: Side): Readonly<Record<string, number>> {
  const names = new Set(samples.flatMap(({ details }) => Object.keys(details ?? {})));
  return Object.fromEntries(
    [...names].map((name) => [name, rounded(median(samples.map(({ details }) => details?.[name]).filter((value) => value !== undefined)))]),
  );
}

function peaksOf({ usage }: Side): Readonly<Record<string, number>> {
  return Object.fromEntries([...usage].map(([name, { maxRssBytes }]) => [name, maxRssBytes]));
}

function roundOf(sample: Sample): RoundSide {
  const perGB = cpuPerGB(sample);
  return {
    value: rounded(sample.value),
    seconds: rounded(sample.seconds),
    bytes: sample.bytes ?? null,
    cpuPerGB: perGB === null ? null : rounded(perGB),
    cpuSeconds: roundedAll(sample.cpuSeconds),
    details: roundedAll(sample.details ?? {}),
  };
}

function roundedAll(values: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value)]));
}
