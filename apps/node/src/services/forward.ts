import type { Socket } from 'node:net';
import type { ErrorReport } from '../events.ts';
import { reportError } from '../describe-error.ts';
import { openService } from './ask-far-end.ts';
import { type LocalListener, listenLocally } from './local-listener.ts';
import type { PeerLinks, Target } from './peer-links.ts';
import { formatHostPort, parseHostPort } from './service-name.ts';
import { splice } from './splice.ts';
import type { Way } from './way.ts';

/** A local port that leads to a service of a peer. */
export interface ForwardSettings extends Way {
  /** `host:port`; port 0 for any free one. */
  readonly listen: string;
  /** As `connect` takes it. */
  readonly peer: string;
  readonly service: string;
}

/** What a forward tells. */
export type ForwardEvent =
  | { readonly event: 'opened' }
  | { readonly event: 'closed'; readonly bytesSent: number; readonly bytesReceived: number }
  | { readonly event: 'failed'; readonly error: ErrorReport };

/** A forward, ready for JSON. */
export interface ForwardStatus {
  readonly listen: string;
  readonly peer: string;
  readonly service: string;
  readonly open: number;
  readonly connected: number;
  readonly failed: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** Maps a local port to a service of a peer: every TCP connection to it becomes a stream (apps/node/README.md, Services). */
export class Forward {
  readonly settings: ForwardSettings;
  readonly #links: PeerLinks;
  readonly #tell: (event: ForwardEvent) => void;
  readonly #closing = new AbortController();
  readonly #sockets = new Set<Socket>();
  #listener!: LocalListener;
  #connected = 0;
  #failed = 0;
  /** Of connections that are over. */
  #bytesSent = 0;
  #bytesReceived = 0;

  private constructor(links: PeerLinks, settings: ForwardSettings, tell: (event: ForwardEvent) => void) {
    this.#links = links;
    this.settings = settings;
    this.#tell = tell;
  }

  /** @throws CliError `service.listen-failed` */
  static async start(links: PeerLinks, settings: ForwardSettings, tell: (event: ForwardEvent) => void): Promise<Forward> {
    const forward = new Forward(links, settings, tell);
    forward.#listener = await listenLocally(
      parseHostPort(settings.listen, { anyPort: true }),
      'the forward',
      (socket) => void forward.#accept(socket),
    );
    return forward;
  }

  /** Where it listens, with the port the system chose. */
  get listening(): string {
    return formatHostPort(this.#listener.place);
  }

  get status(): ForwardStatus {
    const sum = (of: (socket: Socket) => number): number => [...this.#sockets].reduce((total, socket) => total + of(socket), 0);
    return {
      listen: this.listening,
      peer: this.settings.peer,
      service: this.settings.service,
      open: this.#sockets.size,
      connected: this.#connected,
      failed: this.#failed,
      bytesSent: this.#bytesSent + sum(({ bytesRead }) => bytesRead),
      bytesReceived: this.#bytesReceived + sum(({ bytesWritten }) => bytesWritten),
    };
  }

  /** Takes no more connections, and resolves when none is open. */
  async drain(): Promise<void> {
    this.#listener.stop();
    await Promise.all([...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  }

  /** Ends all connections. */
  close(): void {
    this.#listener.stop();
    this.#closing.abort();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('error', () => {}).once('close', () => gone.abort());
    const { peer, service, listen: _listen, ...way } = this.settings;
    const target: Target = { peer, way };
    try {
      const far = await openService(this.#links, target, service, AbortSignal.any([gone.signal, this.#closing.signal]));
      this.#connected++;
      this.#tell({ event: 'opened' });
      await splice(socket, far);
    } catch (error) {
      // Whoever connected hung up, or this is about to stop.
      if (!gone.signal.aborted && !this.#closing.signal.aborted) {
        this.#failed++;
        this.#tell({ event: 'failed', error: reportError(error) });
      }
      // A reset, so that a program does not take what it got for all there is.
      socket.resetAndDestroy();
    } finally {
      this.#sockets.delete(socket);
      this.#bytesSent += socket.bytesRead;
      this.#bytesReceived += socket.bytesWritten;
      this.#tell({ event: 'closed', bytesSent: socket.bytesRead, bytesReceived: socket.bytesWritten });
    }
  }
}
