import type { Socket } from 'node:net';
import type { ErrorReport } from '../events.ts';
import { reportError } from '../describe-error.ts';
import { openService } from './ask-far-end.ts';
import { LocalClients } from './local-clients.ts';
import type { PeerLinks, Target } from './peer-links.ts';
import { parseHostPort } from './service-name.ts';
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
  readonly #target: Target;
  readonly #tell: (event: ForwardEvent) => void;
  #clients!: LocalClients;
  #connected = 0;
  #failed = 0;
  /** Of connections that are over. */
  #bytesSent = 0;
  #bytesReceived = 0;

  private constructor(links: PeerLinks, settings: ForwardSettings, tell: (event: ForwardEvent) => void) {
    const { peer, service: _service, listen: _listen, ...way } = settings;
    this.#links = links;
    this.settings = settings;
    this.#target = { peer, way };
    this.#tell = tell;
  }

  /** @throws CliError `service.listen-failed` */
  static async start(links: PeerLinks, settings: ForwardSettings, tell: (event: ForwardEvent) => void): Promise<Forward> {
    const forward = new Forward(links, settings, tell);
    forward.#clients = await LocalClients.listen({
      place: parseHostPort(settings.listen, { anyPort: true }),
      key: 'the forward',
      serve: (socket, signal) => forward.#serve(socket, signal),
      onFailed: (error) => {
        forward.#failed++;
        tell({ event: 'failed', error: reportError(error) });
      },
      onGone: (socket) => forward.#gone(socket),
    });
    return forward;
  }

  /** Where it listens, with the port the system chose. */
  get listening(): string {
    return this.#clients.listening;
  }

  get status(): ForwardStatus {
    const { sockets } = this.#clients;
    const sum = (of: (socket: Socket) => number): number => [...sockets].reduce((total, socket) => total + of(socket), 0);
    return {
      listen: this.listening,
      peer: this.settings.peer,
      service: this.settings.service,
      open: sockets.size,
      connected: this.#connected,
      failed: this.#failed,
      bytesSent: this.#bytesSent + sum(({ bytesRead }) => bytesRead),
      bytesReceived: this.#bytesReceived + sum(({ bytesWritten }) => bytesWritten),
    };
  }

  /** Takes no more connections, and resolves when none is open. */
  drain(): Promise<void> {
    return this.#clients.drain();
  }

  /** Ends all connections. */
  close(): void {
    this.#clients.close();
  }

  async #serve(socket: Socket, signal: AbortSignal): Promise<void> {
    const far = await openService(this.#links, this.#target, this.settings.service, signal);
    this.#connected++;
    this.#tell({ event: 'opened' });
    await splice(socket, far);
  }

  #gone({ bytesRead, bytesWritten }: Socket): void {
    this.#bytesSent += bytesRead;
    this.#bytesReceived += bytesWritten;
    this.#tell({ event: 'closed', bytesSent: bytesRead, bytesReceived: bytesWritten });
  }
}
