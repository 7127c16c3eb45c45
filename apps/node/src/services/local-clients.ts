import type { Socket } from 'node:net';
import { type LocalListener, listenLocally } from './local-listener.ts';
import type { HostPort } from './protocol.ts';
import { formatHostPort } from './service-name.ts';

/** Serves one client until it is done. What it throws is why the client was not served. */
export type ServeClient = (socket: Socket, signal: AbortSignal) => Promise<void>;

export interface LocalClientsParts {
  readonly place: HostPort;
  /** What is to be named another port with. */
  readonly key: string;
  readonly serve: ServeClient;
  /** A client was not served, although it waited for it. */
  readonly onFailed: (error: unknown) => void;
  /** A client is gone, served or not. */
  readonly onGone?: (socket: Socket) => void;
  /** Clients at once; more are let go. */
  readonly max?: number;
}

/** Programs of this machine that have connected to a local port, from the first one to the last. */
export class LocalClients {
  readonly sockets: ReadonlySet<Socket>;
  readonly #sockets = new Set<Socket>();
  readonly #parts: LocalClientsParts;
  readonly #closing = new AbortController();
  #listener!: LocalListener;

  private constructor(parts: LocalClientsParts) {
    this.#parts = parts;
    this.sockets = this.#sockets;
  }

  /** Begins to listen. @throws CliError `service.listen-failed` */
  static async listen(parts: LocalClientsParts): Promise<LocalClients> {
    const clients = new LocalClients(parts);
    clients.#listener = await listenLocally(parts.place, parts.key, (socket) => void clients.#accept(socket));
    return clients;
  }

  /** Where it listens, with the port the system chose. */
  get listening(): string {
    return formatHostPort(this.#listener.place);
  }

  /** Takes no more clients, and resolves when there are none. */
  async drain(): Promise<void> {
    this.#listener.stop();
    await Promise.all([...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  }

  /** Ends all clients. */
  close(): void {
    this.#listener.stop();
    this.#closing.abort();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #accept(socket: Socket): Promise<void> {
    const { serve, onFailed, onGone, max = Number.POSITIVE_INFINITY } = this.#parts;
    if (this.#sockets.size >= max) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('error', () => {}).once('close', () => gone.abort());
    try {
      await serve(socket, AbortSignal.any([gone.signal, this.#closing.signal]));
    } catch (error) {
      // Not where the client hung up, or this is about to stop.
      if (!gone.signal.aborted && !this.#closing.signal.aborted) onFailed(error);
      // A reset, so that a program does not take what it got for all there is; unless a last word was said, which goes out.
      if (socket.writableEnded) socket.destroySoon();
      else socket.resetAndDestroy();
    } finally {
      this.#sockets.delete(socket);
      onGone?.(socket);
    }
  }
}
