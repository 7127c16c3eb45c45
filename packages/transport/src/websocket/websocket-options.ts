import { CONNECT_TIMEOUT_MS } from '../direct-link.ts';
import { DEFAULT_PATH } from './websocket-protocol.ts';

/** How WebSocket links are made, on any platform. */
export interface WebSocketOptions {
  /** Path of the URL, where nodes listen on their hosts. Both sides need the same. Default `/matryoshka`. */
  readonly path?: string;
  /** How long connecting may take, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
}

/** Options with their defaults. */
export interface WebSocketSettings {
  readonly path: string;
  readonly connectTimeoutMs: number;
}

// RFC 3986 §3.3: what may stand in a path.
const PATH = /^\/[\w\-.~!$&'()*+,;=:@%/]*$/;

/** @throws RangeError for a time that is not positive, TypeError for a path that is none */
export function websocketSettings(options: WebSocketOptions): WebSocketSettings {
  const { path = DEFAULT_PATH } = options;
  if (!PATH.test(path)) throw new TypeError(`path is no path of a URL: ${path}`);
  return { path, connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS) };
}

/** @throws RangeError where it is not */
export function positive(name: string, value: number): number {
  if (!(value > 0)) throw new RangeError(`${name} must be positive, not ${value}`);
  return value;
}
