import { VERSION } from '../version.ts';
import type { Daemon } from './daemon.ts';

/** Everything a daemon knows of itself, ready for JSON. */
export function daemonStatus(daemon: Daemon): object {
  const { node, config } = daemon;
  const status = node.status();
  const hops = new Map(node.connections.map((connection) => [connection.id, connection.hops]));
  return {
    version: VERSION,
    pid: process.pid,
    startedAtMs: daemon.startedAtMs,
    dataFolder: config.folders.data,
    configFile: config.folders.configFile,
    needRestart: daemon.needRestart,
    node: {
      ...status,
      connections: status.connections.map((connection) => {
        const path = hops.get(connection.id)?.map(({ peerId, endpoint }) => ({ peerId, endpoint: `${endpoint.host}:${endpoint.port}` }));
        return { ...connection, ...(path !== undefined && { hops: path }) };
      }),
    },
    access: node.access(),
    features: Object.fromEntries(daemon.features.map((feature) => [feature.name, feature.status?.() ?? {}])),
  };
}
