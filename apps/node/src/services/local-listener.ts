import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { CliError } from '../cli-error.ts';
import type { HostPort } from './protocol.ts';
import { formatHostPort } from './service-name.ts';

/**
 * Listens for TCP connections of programs on this machine.
 * @param accept - takes each of them
 * @throws CliError `service.listen-failed`
 */
export async function listenLocally(place: HostPort, key: string, accept: (socket: Socket) => void): Promise<LocalListener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, accept);
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(place, resolve));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'something listens there already' : code === 'EACCES' ? 'this user may not' : message;
    throw new CliError(
      'service.listen-failed',
      `cannot listen on ${formatHostPort(place)}: ${why}`,
      `name another port with ${key}, or 0 for any free one`,
      { cause: error },
    );
  }
  // One connection that fails is no reason to end.
  server.on('error', () => {});
  return new LocalListener(server);
}

export class LocalListener {
  readonly #server: Server;
  readonly place: HostPort;

  constructor(server: Server) {
    this.#server = server;
    const { address, port } = server.address() as AddressInfo;
    this.place = { host: address, port };
  }

  /** Takes no more connections; those there are go on. */
  stop(): void {
    this.#server.close();
  }
}
