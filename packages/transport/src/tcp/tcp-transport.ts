import type { Endpoint } from '@matryoshka/wire';
import type { Clock } from '../clock.ts';
import { dialFailed, listenFailed } from '../direct-link.ts';
import type { Accept, Link, Listener, Transport, TransportFactory } from '../link.ts';
import { dialTcp } from './tcp-dialer.ts';
import { listenTcp } from './tcp-listener.ts';
import { type TcpOptions, type TcpSettings, tcpSettings } from './tcp-options.ts';

class TcpTransport implements Transport {
  readonly name = 'tcp';
  readonly #clock: Clock;
  readonly #settings: TcpSettings;

  constructor(clock: Clock, settings: TcpSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  handles(endpoint: Endpoint): boolean {
    return endpoint.transport === 'tcp';
  }

  async dial(to: Endpoint, first: Uint8Array, { signal }: { readonly signal?: AbortSignal }): Promise<Link> {
    if (!this.handles(to)) throw dialFailed(to, 'not a tcp endpoint');
    return dialTcp(to, first, signal, this.#clock, this.#settings);
  }

  async listen(on: Endpoint, accept: Accept): Promise<Listener> {
    if (!this.handles(on)) throw listenFailed(on, 'not a tcp endpoint');
    return listenTcp(on, accept, this.#clock, this.#settings);
  }
}

/**
 * Links over TCP, without Nagle's delays. Host names are resolved by the system; a link's endpoints are addresses.
 * @throws RangeError for a number out of range, TypeError for a local address that is none
 */
export function tcp(options: TcpOptions = {}): TransportFactory {
  const settings = tcpSettings(options);
  return ({ clock }) => new TcpTransport(clock, settings);
}
