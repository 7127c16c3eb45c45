import { serveRole } from '../processes/role.ts';
import { type Target, dial, listenOn } from './sockets.ts';

// A proxy as Node makes it easy: what any relay written for Node is measured by.

/** What the role answers to. */
export interface TcpProxyCommands {
  /** Listens on the address it dials from and passes everything on to `next`; returns the port it listens on. */
  listen(next: Target): Promise<number>;
}

serveRole<TcpProxyCommands>({
  listen(next) {
    return listenOn(next.localAddress, next.certificate, (near) => {
      const far = dial(next);
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
    });
  },
});
