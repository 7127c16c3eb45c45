import { reportError } from '../../describe-error.ts';
import type { ErrorReport } from '../../events.ts';
import { LocalClients } from '../local-clients.ts';
import type { PeerLinks } from '../peer-links.ts';
import { parseHostPort } from '../service-name.ts';
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
  #clients!: LocalClients;
  #served = 0;
  #failed = 0;

  private constructor(settings: SocksSettings) {
    this.settings = settings;
  }

  /**
   * @param tell - hears why a client was not served
   * @throws CliError `service.listen-failed`
   */
  static async start(links: PeerLinks, settings: SocksSettings, tell: (error: ErrorReport) => void): Promise<SocksProxy> {
    const proxy = new SocksProxy(settings);
    const destinations = new Destinations(links, routeOf(settings));
    proxy.#clients = await LocalClients.listen({
      place: parseHostPort(settings.listen, { anyPort: true }),
      key: 'socks.listen',
      max: MAX_CLIENTS,
      serve: async (socket, signal) => {
        await serveSocksClient(socket, destinations, signal);
        proxy.#served++;
      },
      onFailed: (error) => {
        proxy.#failed++;
        tell(error instanceof SocksError ? { code: 'socks.protocol', message: error.message } : reportError(error));
      },
    });
    return proxy;
  }

  /** Where it listens, with the port the system chose. */
  get listening(): string {
    return this.#clients.listening;
  }

  get status(): SocksStatus {
    const { sockets } = this.#clients;
    return { listen: this.listening, exit: this.settings.exit ?? null, open: sockets.size, served: this.#served, failed: this.#failed };
  }

  /** Takes no more clients, and resolves when there are none. */
  drain(): Promise<void> {
    return this.#clients.drain();
  }

  /** Ends all clients. */
  close(): void {
    this.#clients.close();
  }
}

function routeOf({ listen: _listen, ...route }: SocksSettings): ProxyRoute {
  return route;
}
