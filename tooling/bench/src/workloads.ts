import type { SourceCommands } from './channel/sender.ts';
import type { PeerProcess } from './processes/peer-process.ts';
import type { ProcessGroup } from './processes/process-group.ts';
import type { Contender, Sample } from './scenario.ts';

/** A chain of processes that is ready for use. */
export interface Line {
  readonly group: ProcessGroup;
  /** The process that opens channels through it. */
  readonly source: PeerProcess<SourceCommands>;
  /** Throws where the bytes of a round did not go where they should have gone. */
  readonly check?: (bytes: number) => Promise<void>;
}

/** What is asked of a line for one round of about so many milliseconds. */
export type Workload = (line: Line, durationMs: number) => Promise<Sample>;

/** A line under a workload: what a scenario compares. */
export function contender(line: Line, workload: Workload): Contender {
  return {
    group: line.group,
    measure: async (durationMs) => {
      const sample = await workload(line, durationMs);
      await line.check?.(sample.bytes ?? 0);
      return sample;
    },
  };
}

/** Runs one round and adds the CPU time that each process of the group spent on it. */
export async function withCpu(group: ProcessGroup, run: () => Promise<Omit<Sample, 'cpuSeconds'>>): Promise<Sample> {
  const before = await group.usage();
  const sample = await group.watch(run());
  const after = await group.usage();
  const cpuSeconds: Record<string, number> = {};
  for (const [name, usage] of after) cpuSeconds[name] = usage.cpuSeconds - (before.get(name)?.cpuSeconds ?? 0);
  return { ...sample, cpuSeconds };
}

/** Bulk data over so many channels at once: throughput in MB/s (10⁶ bytes). */
export function bulk(channels = 1): Workload {
  return ({ group, source }, durationMs) =>
    withCpu(group, async () => {
      const { bytes, seconds } = await source.callFor(durationMs, 'transfer', durationMs, channels);
      return { value: bytes / 1e6 / seconds, seconds, bytes };
    });
}

/** Bulk data in both directions of one channel: the sum of both in MB/s. */
export function bothDirections(): Workload {
  return ({ group, source }, durationMs) =>
    withCpu(group, async () => {
      const { bytes, seconds } = await source.callFor(durationMs, 'exchange', durationMs);
      return { value: bytes / 1e6 / seconds, seconds, bytes };
    });
}

/** Round trips of 64 bytes: the median in milliseconds, with the 99th percentile. */
export function roundTrips(loaded = false): Workload {
  return ({ group, source }, durationMs) =>
    withCpu(group, async () => {
      const { medianMs, p99Ms, count, seconds } = await source.callFor(durationMs, 'roundTrips', durationMs, loaded);
      return { value: medianMs, seconds, details: { p99Ms, roundTrips: count } };
    });
}

/** Small messages of one length on one channel, each a write of its own: messages per second. */
export function messages(length: number): Workload {
  return ({ group, source }, durationMs) =>
    withCpu(group, async () => {
      const { bytes, writes, seconds } = await source.callFor(durationMs, 'messages', durationMs, length);
      return { value: writes / seconds, seconds, bytes };
    });
}
