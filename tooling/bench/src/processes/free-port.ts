import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

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
export async function waitForPort(host: string, port: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const socket = connect({ host, port });
    try {
      // oxlint-disable-next-line no-await-in-loop
      await once(socket, 'connect');
      return;
    } catch {
      if (performance.now() > deadline) throw new Error(`nobody listens on ${host}:${port} after ${timeoutMs / 1000} s`);
    } finally {
      socket.destroy();
    }
    // oxlint-disable-next-line no-await-in-loop
    await delay(POLL_MS);
  }
}
