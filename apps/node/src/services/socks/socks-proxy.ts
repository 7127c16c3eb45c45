import type { Socket } from 'node:net';
import { reportError } from '../../describe-error.ts';
import type { ErrorReport } from '../../events.ts';
import { type LocalListener, listenLocally } from '../local-listener.ts';
import type { PeerLinks } from '../peer-links.ts';
import { formatHostPort, parseHostPort } from '../service-name.ts';
import { Destinations, type ProxyRoute } from './destinations.ts';
import { SocksError } from './messages.ts';
import { serveSocksClient } from './socks-client.ts';

/** Clients at once. */
const MAX_CLIENTS = 1_024;

export interface SocksSettings extends ProxyRoute {
  /** Loopback address and port; port 0 for any free one. */
  readonly listen: string;
}

/** A proxy, ready for JSON. */
export interface SocksStatus {
  readonly listen: string;
  readonly exit: string | null;
  readonly open: number;
  readonly served: number;
  readonly failed: number;
}

/** A SOCKS5 proxy: CONNECT and UDP ASSOCIATE, to services of peers and through an exit (apps/node/README.md, Services). */
export class SocksProxy {
  readonly settings: SocksSettings;
  readonly #destinations: Destinations;
  readonly #tell: (error: ErrorReport) => void;
  readonly #closing = new AbortController();
  readonly #sockets = new Set<Socket>();
  #listener!: LocalListener;
  #served = 0;
  #failed = 0;

  private constructor(links: PeerLinks, settings: SocksSettings, tell: (error: ErrorReport) => void) {
    this.settings = settings;
    this.#tell = tell;
    this.#destinations = new Destinations(links, routeOf(settings));
  }

  /**
   * @param tell - hears why a client was not served
   * @throws CliError `service.listen-failed`
   */
  static async start(links: PeerLinks, settings: SocksSettings, tell: (error: ErrorReport) => void): Promise<SocksProxy> {
    const proxy = new SocksProxy(links, settings, tell);
    proxy.#listener = await listenLocally(
      parseHostPort(settings.listen, { anyPort: true }),
      'socks.listen',
      (socket) => void proxy.#accept(socket),
    );
    return proxy;
  }

  /** Where it listens, with the port the system chose. */
  get listening(): string {
    return formatHostPort(this.#listener.place);
  }

  get status(): SocksStatus {
    return {
      listen: this.listening,
      exit: this.settings.exit ?? null,
      open: this.#sockets.size,
      served: this.#served,
      failed: this.#failed,
    };
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
    if (this.#sockets.size >= MAX_CLIENTS) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('error', () => {}).once('close', () => gone.abort());
    try {
      await serveSocksClient(socket, this.#destinations, AbortSignal.any([gone.signal, this.#closing.signal]));
      this.#served++;
    } catch (error) {
      if (!gone.signal.aborted && !this.#closing.signal.aborted) {
        this.#failed++;
        this.#tell(error instanceof SocksError ? { code: 'socks.protocol', message: error.message } : reportError(error));
      }
      // Where a last word was said it goes out.
      if (socket.writableEnded) socket.destroySoon();
      else socket.resetAndDestroy();
    } finally {
      this.#sockets.delete(socket);
    }
  }
}

function routeOf({ listen: _listen, ...route }: SocksSettings): ProxyRoute {
  return route;
}
