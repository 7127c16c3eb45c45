import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { retry } from './retry.ts';

/** A port of `host` that is free now, for a program that cannot choose one itself. */
export async function freePort(host: string): Promise<number> {
  const server = createServer();
  server.listen({ host, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until somebody listens there. @throws Error after `timeoutMs` */
export function waitForPort(host: string, port: number, timeoutMs: number): Promise<void> {
  return retry(timeoutMs, async () => {
    const socket = connect({ host, port });
    try {
      await once(socket, 'connect');
    } finally {
      socket.destroy();
    }
  });
}
