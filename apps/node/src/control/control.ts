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
import { PAGE_FOLDER, Page } from './page.ts';
import type { Route } from './route.ts';
import { controlRoutes } from './routes.ts';
import { createControlServer } from './server.ts';

/** Where the API listens on TCP when nobody said where. */
const ANY_PORT = '127.0.0.1:0';

/** Where it listens on TCP, and what lets in there. */
interface Loopback {
  readonly url: string;
  readonly token: string;
}

/** What the control API is told besides its daemon. */
export interface ControlOptions {
  /** Routes besides those of every node. */
  readonly routes?: readonly Route[];
  /** Where the build of the dashboard lies. */
  readonly pageFolder?: string;
}

/** The control API of a daemon: on a local socket, and on loopback TCP once that is configured or asked for. */
export class Control implements AsyncDisposable {
  readonly #daemon: Daemon;
  readonly #routes: readonly Route[];
  readonly #page: Page;
  readonly #servers: Server[] = [];
  readonly #closing = new AbortController();
  #loopback: Promise<Loopback> | undefined;
  #url: string | undefined;

  private constructor(daemon: Daemon, routes: readonly Route[], page: Page) {
    this.#daemon = daemon;
    this.#routes = routes;
    this.#page = page;
  }

  /**
   * Begins to answer.
   * @throws CliError `daemon.socket`, `control.listen-failed`, `config.secret-…`
   */
  static async start(daemon: Daemon, { routes = [], pageFolder = PAGE_FOLDER }: ControlOptions = {}): Promise<Control> {
    const control = new Control(daemon, controlRoutes(routes), await Page.read(pageFolder));
    try {
      await listenLocally(
        control.#server(() => ({ kind: 'socket' })),
        daemon.config.get(CONTROL_SOCKET),
      );
      if (daemon.config.get(CONTROL_LISTEN) !== undefined) await control.#listenOnLoopback();
      return control;
    } catch (error) {
      await control[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where it listens on TCP; undefined where it does not. */
  get url(): string | undefined {
    return this.#url;
  }

  /** Whether there is a page to be shown. */
  hasPage(): Promise<boolean> {
    return this.#page.built();
  }

  /**
   * The address of the dashboard. The token is in its fragment, which browsers send nobody.
   * @throws CliError `control.listen-failed`, `config.secret-…`
   */
  async openDashboard(): Promise<{ readonly url: string; readonly built: boolean }> {
    const { url, token } = await this.#listenOnLoopback();
    return { url: `${url}/#token=${token}`, built: await this.hasPage() };
  }

  /** Listens on TCP, if it does not yet. */
  #listenOnLoopback(): Promise<Loopback> {
    this.#loopback ??= this.#listen().catch((error: unknown) => {
      this.#loopback = undefined;
      throw error;
    });
    return this.#loopback;
  }

  async #listen(): Promise<Loopback> {
    const { config } = this.#daemon;
    const token = await readOrMakeToken(config.get(CONTROL_TOKEN_FILE));
    const { host, port } = parseEndpoint(config.get(CONTROL_LISTEN) ?? ANY_PORT);
    const server = this.#server(() => ({ kind: 'tcp', host, port: portOf(server), token }), this.#page);
    await listenOnLoopback(server, host, port);
    this.#url = `http://${host.includes(':') ? `[${host}]` : host}:${portOf(server)}`;
    return { url: this.#url, token };
  }

  #server(door: () => Door, page?: Page): Server {
    const server = createControlServer({
      daemon: this.#daemon,
      control: this,
      routes: this.#routes,
      door,
      signal: this.#closing.signal,
      ...(page !== undefined && { page }),
    });
    this.#servers.push(server);
    return server;
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

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
