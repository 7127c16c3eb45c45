import type { Endpoint } from '@matryoshka/wire';
import type { Clock } from '../clock.ts';
import { dialFailed } from '../direct-link.ts';
import type { Link, Transport, MessageTransportFactory } from '../link.ts';
import { dialPlatform } from './platform-dialer.ts';
import { type WebSocketOptions, type WebSocketSettings, websocketSettings } from './websocket-options.ts';

/** Dials; to listen is not for every platform. */
class WebSocketTransport implements Transport {
  readonly name = 'websocket';
  readonly #clock: Clock;
  readonly #settings: WebSocketSettings;

  constructor(clock: Clock, settings: WebSocketSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  handles(endpoint: Endpoint): boolean {
    return endpoint.transport === 'ws' || endpoint.transport === 'wss';
  }

  async dial(to: Endpoint, first: Uint8Array, { signal }: { readonly signal?: AbortSignal }): Promise<Link> {
    if (!this.handles(to)) throw dialFailed(to, 'not a ws or wss endpoint');
    return dialPlatform(to, first, signal, this.#clock, this.#settings);
  }
}

/**
 * Links over WebSockets, dialled with the platform's WebSocket.
 * @throws RangeError for a number out of range, TypeError for a path that is none
 */
export function websocket(options: WebSocketOptions = {}): MessageTransportFactory {
  const settings = websocketSettings(options);
  return ({ clock }) => new WebSocketTransport(clock, settings);
}
