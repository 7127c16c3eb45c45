import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lstat, rm } from 'node:fs/promises';
import { parseEndpoint } from '@matryoshka/node';
import { CliError } from '../cli-error.ts';
import { CONTROL_LISTEN, CONTROL_SOCKET, CONTROL_TOKEN_FILE } from '../config/app-keys.ts';
import type { Daemon } from '../daemon/daemon.ts';
import { isListening, listenOnSocket } from '../local-socket.ts';
import { readOrMakeToken } from '../secret-file.ts';
import type { Door } from './guard.ts';
import { ROUTES } from './routes.ts';
import { createControlServer } from './server.ts';

/** The control API of a daemon: on a local socket, and on loopback TCP where that is configured. */
export class Control implements AsyncDisposable {
  /** Where it listens on TCP; undefined where it does not. */
  readonly url: string | undefined;
  readonly #servers: readonly Server[];
  readonly #closing: AbortController;

  private constructor(servers: readonly Server[], closing: AbortController, url: string | undefined) {
    this.#servers = servers;
    this.#closing = closing;
    this.url = url;
  }

  /**
   * Begins to answer.
   * @throws CliError `daemon.socket`, `control.listen-failed`, `config.secret-…`
   */
  static async start(daemon: Daemon): Promise<Control> {
    const closing = new AbortController();
    const servers: Server[] = [];
    const control = (door: () => Door): Server => {
      const server = createControlServer({ daemon, routes: ROUTES, door, signal: closing.signal });
      servers.push(server);
      return server;
    };
    try {
      await listenLocally(
        control(() => ({ kind: 'socket' })),
        daemon.config.get(CONTROL_SOCKET),
      );
      const listen = daemon.config.get(CONTROL_LISTEN);
      if (listen === undefined) return new Control(servers, closing, undefined);
      const token = await readOrMakeToken(daemon.config.get(CONTROL_TOKEN_FILE));
      const { host, port } = parseEndpoint(listen);
      const door = { kind: 'tcp', host, port, token } as const;
      const server = control(() => ({ ...door, port: (server.address() as AddressInfo).port }));
      await listenOnLoopback(server, host, port);
      const at = server.address() as AddressInfo;
      return new Control(servers, closing, `http://${host.includes(':') ? `[${host}]` : host}:${at.port}`);
    } catch (error) {
      closing.abort();
      for (const server of servers) server.close();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.all(
      this.#servers.map(async (server) => {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeIdleConnections();
        // Answers that are being written have a moment.
        const timer = setTimeout(() => server.closeAllConnections(), 500);
        await closed;
        clearTimeout(timer);
      }),
    );
  }
}

async function listenLocally(server: Server, path: string): Promise<void> {
  if (await listenOnSocket(server, path)) return;
  const taken = new CliError(
    'daemon.socket',
    `${path} is taken: the local socket cannot be made there`,
    'name another one with control.socket',
  );
  // Left behind by a crash it may be; somebody's file it must not be.
  if (!(await lstat(path)).isSocket() || (await isListening(path))) throw taken;
  await rm(path, { force: true });
  if (!(await listenOnSocket(server, path))) throw taken;
}

async function listenOnLoopback(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    throw new CliError(
      'control.listen-failed',
      `cannot listen on ${host}:${port} for the control API: ${(error as Error).message}`,
      'name another port with control.listen, or 0 for any free one',
      { cause: error },
    );
  }
}
