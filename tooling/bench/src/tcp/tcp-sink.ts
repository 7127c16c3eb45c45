import { DuplexChannel } from '../channel/channel.ts';
import { serveChannel } from '../channel/receiver.ts';
import { serveRole } from '../processes/role.ts';
import { type Certificate, listenOn } from './sockets.ts';

// The far end of a chain of proxies.

/** What the role answers to. */
export interface TcpSinkCommands {
  /** Listens on `host`; returns the port. */
  listen(host: string, certificate?: Certificate): Promise<number>;
}

serveRole<TcpSinkCommands>({
  listen: (host, certificate) => listenOn(host, certificate, (socket) => serveChannel(new DuplexChannel(socket))),
});
