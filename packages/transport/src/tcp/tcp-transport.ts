import type { Endpoint } from '@matryoshka/wire';
import { OPEN_ADMISSION } from '../admission.ts';
import { dialFailed, listenFailed } from '../direct-link.ts';
import type { Accept, Link, Listener, Transport, TransportContext, TransportFactory } from '../link.ts';
import { ReplayMemory } from '../replay-memory.ts';
import { FramingContext } from '../stream-framing.ts';
import { dialTcp } from './tcp-dialer.ts';
import { type ListenContext, listenTcp } from './tcp-listener.ts';
import { type TcpOptions, type TcpSettings, tcpSettings } from './tcp-options.ts';

class TcpTransport implements Transport {
  readonly name = 'tcp';
  readonly #context: ListenContext;
  readonly #settings: TcpSettings;

  constructor(context: TransportContext, settings: TcpSettings) {
    const { clock, admission = OPEN_ADMISSION } = context;
    this.#context = { clock, admission, framing: new FramingContext(context), replays: new ReplayMemory(clock) };
    this.#settings = settings;
  }

  handles(endpoint: Endpoint): boolean {
    return endpoint.transport === 'tcp';
  }

  async dial(to: Endpoint, first: Uint8Array, { signal }: { readonly signal?: AbortSignal }): Promise<Link> {
    if (!this.handles(to)) throw dialFailed(to, 'not a tcp endpoint');
    return dialTcp(to, first, signal, this.#context, this.#settings);
  }

  async listen(on: Endpoint, accept: Accept): Promise<Listener> {
    if (!this.handles(on)) throw listenFailed(on, 'not a tcp endpoint');
    return listenTcp(on, accept, this.#context, this.#settings);
  }
}

/**
 * Links over TCP, without Nagle's delays. Host names are resolved by the system; a link's endpoints are addresses.
 * @throws RangeError for a number out of range, TypeError for a local address that is none
 */
export function tcp(options: TcpOptions = {}): TransportFactory {
  const settings = tcpSettings(options);
  return (context) => new TcpTransport(context, settings);
}
