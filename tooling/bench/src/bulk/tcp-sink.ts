import { type AddressInfo, createServer } from 'node:net';
import { once } from 'node:events';
import { serveRole } from '../processes/role.ts';
import { encodeConfirmation } from './protocol.ts';

// The receiving end of a chain of plain TCP proxies.

/** What the role answers to. */
export interface TcpSinkCommands {
  /** Listens on `host`; returns the port. */
  listen(host: string): Promise<number>;
}

serveRole<TcpSinkCommands>({
  async listen(host) {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      let bytes = 0;
      socket.on('data', (chunk) => (bytes += chunk.length));
      socket.on('end', () => socket.end(encodeConfirmation(bytes)));
      // The sender says what went wrong.
      socket.on('error', () => socket.destroy());
    });
    server.listen({ host, port: 0 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
});
