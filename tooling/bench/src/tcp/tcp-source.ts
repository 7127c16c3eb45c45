import type { Socket } from 'node:net';
import { type Builds, measureBuilds } from '../build/builds.ts';
import { DuplexChannel } from '../channel/channel.ts';
import { type SourceCommands, sourceCommands } from '../channel/sender.ts';
import { serveRole } from '../processes/role.ts';
import { type Target, dial, established } from './sockets.ts';

// The opening end of a chain of TCP or TLS proxies.

/** What the role answers to. */
export interface TcpSourceCommands extends SourceCommands {
  /** Where the first proxy, or the sink, listens. */
  target(to: Target): void;
  /** Connects and disconnects for so long. */
  connects(durationMs: number): Promise<Builds>;
}

let target: Target | undefined;

async function connected(): Promise<Socket> {
  if (target === undefined) throw new Error('no target');
  const socket = dial(target);
  await established(socket);
  return socket;
}

serveRole<TcpSourceCommands>({
  ...sourceCommands(async () => new DuplexChannel(await connected())),
  target(to) {
    target = to;
  },
  connects(durationMs) {
    return measureBuilds(
      async () => {
        const socket = await connected();
        return () => void socket.destroy();
      },
      durationMs,
      1,
    );
  },
});
