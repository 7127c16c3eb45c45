import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { retry } from './retry.ts';

/** Below those that Linux gives to outgoing connections: one of them could take it before the program does. */
const [FIRST_PORT, LAST_PORT] = [10_000, 32_767];
const TRIES = 100;

/** What was given out, as `host:port`: it is free for a while after that, and must not be given out twice. */
const given = new Set<string>();

/**
 * A port of `host` that is free now, for a program that cannot choose one itself.
 * @param isFree - how to find out; by listening there
 * @throws Error where there is none
 */
export async function freePort(host: string, isFree: (host: string, port: number) => Promise<boolean> = canListen): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    const place = `${host}:${port}`;
    if (given.has(place)) continue;
    given.add(place);
    // oxlint-disable-next-line no-await-in-loop
    if (await isFree(host, port)) return port;
  }
  throw new Error(`no free port at ${host}`);
}

async function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer();
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
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
