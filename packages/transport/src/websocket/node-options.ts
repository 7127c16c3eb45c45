import { isIP } from 'node:net';
import { type SecureContext, createSecureContext } from 'node:tls';
import { HANDSHAKE_TIMEOUT_MS } from '../direct-link.ts';
import { type WebSocketOptions, type WebSocketSettings, positive, websocketSettings } from './websocket-options.ts';

/** How WebSocket links are made in Node. */
export interface NodeWebSocketOptions extends WebSocketOptions {
  /** IP address that dials come from. Default: the system's choice. */
  readonly localAddress?: string;
  /** Certificates to trust when dialling `wss`, PEM, instead of the platform's. */
  readonly ca?: string | readonly string[];
  /**
   * `false` dials `wss` whatever certificate is shown. Sessions prove who is there and are secret by themselves; what is
   * lost is that TLS hides them from somebody on the way who pretends to be the listener. Default true.
   */
  readonly verifyCertificate?: boolean;
  /** Certificate to listen on `wss` with, and those between it and its root, PEM. */
  readonly cert?: string;
  /** Private key of `cert`, PEM. */
  readonly key?: string;
  /**
   * Origins whose pages may connect, e.g. `https://example.org`; others are answered 403. What sends no origin is no
   * browser and may always. Default: all, for a page is a stranger like any other.
   */
  readonly origins?: readonly string[];
  /** How long a stranger may take to send its first message, and how long it is told nothing, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** Most accepted sockets not answered yet, per listener; above it the oldest of the fullest source network goes. Default 256. */
  readonly maxUnanswered?: number;
}

/** Options with their defaults. */
export interface NodeWebSocketSettings extends WebSocketSettings {
  readonly localAddress: string | undefined;
  readonly ca: string[] | undefined;
  readonly verifyCertificate: boolean;
  /** What a `wss` listener shows; undefined where it cannot listen so. */
  readonly secureContext: SecureContext | undefined;
  readonly origins: ReadonlySet<string> | undefined;
  readonly handshakeTimeoutMs: number;
  readonly maxUnanswered: number;
}

/** @throws RangeError for a number out of range, TypeError for an address, path, certificate or key that is none */
export function nodeSettings(options: NodeWebSocketOptions): NodeWebSocketSettings {
  const { localAddress, ca, origins } = options;
  if (localAddress !== undefined && isIP(localAddress) === 0) throw new TypeError(`localAddress is no IP address: ${localAddress}`);
  return {
    ...websocketSettings(options),
    localAddress,
    ca: ca === undefined ? undefined : [ca].flat(),
    verifyCertificate: options.verifyCertificate ?? true,
    secureContext: secureContext(options),
    origins: origins && new Set(origins),
    handshakeTimeoutMs: positive('handshakeTimeoutMs', options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS),
    maxUnanswered: positive('maxUnanswered', options.maxUnanswered ?? 256),
  };
}

function secureContext({ cert, key }: NodeWebSocketOptions): SecureContext | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new TypeError('cert and key are of no use without each other');
  try {
    return createSecureContext({ cert, key });
  } catch (error) {
    throw new TypeError('cert and key are no certificate and its key in PEM', { cause: error });
  }
}
