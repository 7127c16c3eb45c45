import type { AccessStatus, NodeStatus } from '@matryoshka/node';
import { VERSION } from '../version.ts';
import type { Daemon } from './daemon.ts';

/** Everything a daemon knows of itself, ready for JSON. */
export interface DaemonStatus {
  readonly version: string;
  readonly pid: number;
  /** In milliseconds since 1970, as all times here. */
  readonly startedAtMs: number;
  /** When this was asked. */
  readonly atMs: number;
  readonly dataFolder: string;
  readonly configFile: string;
  /** Keys of the configuration that have changed and count from the next start on. */
  readonly needRestart: readonly string[];
  readonly node: NodeStatus;
  readonly access: AccessStatus;
  /** What runs on top of the node, each under its name. */
  readonly features: Readonly<Record<string, unknown>>;
}

export function daemonStatus(daemon: Daemon): DaemonStatus {
  const { node, config } = daemon;
  return {
    version: VERSION,
    pid: process.pid,
    startedAtMs: daemon.startedAtMs,
    atMs: Date.now(),
    dataFolder: config.folders.data,
    configFile: config.folders.configFile,
    needRestart: daemon.needRestart,
    node: node.status(),
    access: node.access(),
    features: Object.fromEntries(daemon.features.map((feature) => [feature.name, feature.status?.() ?? {}])),
  };
}
