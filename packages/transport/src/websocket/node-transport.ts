import type { Endpoint } from '@matryoshka/wire';
import { type Admission, OPEN_ADMISSION } from '../admission.ts';
import type { Clock } from '../clock.ts';
import { dialFailed, listenFailed } from '../direct-link.ts';
import type { Accept, Link, Listener, Transport, MessageTransportFactory } from '../link.ts';
import { type NodeWebSocketOptions, type NodeWebSocketSettings, nodeSettings } from './node-options.ts';
import { dialWs } from './ws-dialer.ts';
import { listenWs } from './ws-listener.ts';

/** Dials and listens through `ws`. */
class NodeWebSocketTransport implements Transport {
  readonly name = 'websocket';
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #settings: NodeWebSocketSettings;

  constructor(clock: Clock, admission: Admission, settings: NodeWebSocketSettings) {
    this.#clock = clock;
    this.#admission = admission;
    this.#settings = settings;
  }

  handles(endpoint: Endpoint): boolean {
    return endpoint.transport === 'ws' || endpoint.transport === 'wss';
  }

  async dial(to: Endpoint, first: Uint8Array, { signal }: { readonly signal?: AbortSignal }): Promise<Link> {
    if (!this.handles(to)) throw dialFailed(to, 'not a ws or wss endpoint');
    return dialWs(to, first, signal, this.#clock, this.#settings);
  }

  async listen(on: Endpoint, accept: Accept): Promise<Listener> {
    if (!this.handles(on)) throw listenFailed(on, 'not a ws or wss endpoint');
    return listenWs(on, accept, this.#clock, this.#admission, this.#settings);
  }
}

/**
 * Links over WebSockets. In Node they are dialled with `ws` as well: the platform's WebSocket neither tells addresses,
 * by which relays are chosen, nor can be paused, nor bounds a message before it is here.
 * @throws RangeError for a number out of range, TypeError for an address, path, certificate or key that is none
 */
export function websocket(options: NodeWebSocketOptions = {}): MessageTransportFactory {
  const settings = nodeSettings(options);
  return ({ clock, admission = OPEN_ADMISSION }) => new NodeWebSocketTransport(clock, admission, settings);
}
