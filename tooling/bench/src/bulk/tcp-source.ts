import { connect } from 'node:net';
import { serveRole } from '../processes/role.ts';
import { Confirmation, type SourceCommands, type Transfer, WRITE_LENGTH } from './protocol.ts';

// The sending end of a chain of plain TCP proxies.

/** What the role answers to. */
export interface TcpSourceCommands extends SourceCommands {
  /** Where the first proxy listens. */
  target(host: string, port: number, localAddress: string): void;
}

let to = { host: '', port: 0, localAddress: '' };

serveRole<TcpSourceCommands>({
  target(host, port, localAddress) {
    to = { host, port, localAddress };
  },
  async transfer(durationMs) {
    const socket = connect({ ...to, noDelay: true });
    const { promise, resolve, reject } = Promise.withResolvers<Transfer>();
    socket.once('error', reject);
    socket.once('connect', () => {
      const buffer = new Uint8Array(WRITE_LENGTH);
      const confirmation = new Confirmation();
      let bytes = 0;
      const begunAt = performance.now();
      const deadline = begunAt + durationMs;
      const pump = (): void => {
        while (performance.now() < deadline) {
          bytes += WRITE_LENGTH;
          if (!socket.write(buffer)) return;
        }
        if (socket.writable) socket.end();
      };
      socket.on('drain', pump);
      socket.on('data', (chunk: Uint8Array) => confirmation.add(chunk));
      socket.on('end', () => {
        const seconds = (performance.now() - begunAt) / 1000;
        try {
          confirmation.check(bytes);
          resolve({ bytes, seconds });
        } catch (error) {
          reject(error);
        }
      });
      pump();
    });
    try {
      return await promise;
    } finally {
      socket.destroy();
    }
  },
});
