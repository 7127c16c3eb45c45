import { type AddressInfo, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { serveRole } from '../processes/role.ts';

// A plain TCP proxy as Node makes it easy: what any relay written for Node is measured by.

/** What the role answers to. */
export interface TcpProxyCommands {
  /** Listens on `host` and passes everything on to `nextHost:nextPort`; returns the port it listens on. */
  listen(host: string, nextHost: string, nextPort: number): Promise<number>;
}

serveRole<TcpProxyCommands>({
  async listen(host, nextHost, nextPort) {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
      const far = connect({ host: nextHost, port: nextPort, localAddress: host, noDelay: true, allowHalfOpen: true });
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
    });
    server.listen({ host, port: 0 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
});
