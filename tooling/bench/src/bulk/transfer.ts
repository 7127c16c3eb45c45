import type { PeerProcess } from '../processes/peer-process.ts';
import type { ProcessGroup } from '../processes/process-group.ts';
import type { Sample } from '../scenario.ts';
import type { SourceCommands } from './protocol.ts';

/** One round of bulk data: throughput in MB/s (10⁶ bytes), and the CPU time every process of the chain spent on it. */
export async function measureTransfer(group: ProcessGroup, source: PeerProcess<SourceCommands>, durationMs: number): Promise<Sample> {
  const before = await group.usage();
  const { bytes, seconds } = await group.watch(source.callFor(durationMs, 'transfer', durationMs));
  const after = await group.usage();
  const cpuSeconds: Record<string, number> = {};
  for (const [name, usage] of after) cpuSeconds[name] = usage.cpuSeconds - (before.get(name)?.cpuSeconds ?? 0);
  return { value: bytes / 1e6 / seconds, seconds, bytes, cpuSeconds };
}

/** Addresses of a chain's processes: each in a /16 of its own, 127.11.0.1, 127.22.0.1 and so on, up to eleven. */
export function chainHost(index: number): string {
  return `127.${(index + 1) * 11}.0.1`;
}
