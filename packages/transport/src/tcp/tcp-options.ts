import { isIP } from 'node:net';
import { CONNECT_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS } from '../direct-link.ts';

/** How TCP links are made. */
export interface TcpOptions {
  /** IP address that dials come from. Default: the system's choice. */
  readonly localAddress?: string;
  /** How long connecting may take, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How long a stranger may take to send its first frame, and how long it is told nothing, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** Most accepted sockets not answered yet, per listener; above it the oldest of the fullest source network goes. Default 256. */
  readonly maxUnanswered?: number;
}

/** Options with their defaults. */
export interface TcpSettings {
  readonly localAddress: string | undefined;
  readonly connectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly maxUnanswered: number;
}

/** @throws RangeError for a number out of range, TypeError for a local address that is none */
export function tcpSettings(options: TcpOptions): TcpSettings {
  if (options.localAddress !== undefined && isIP(options.localAddress) === 0)
    throw new TypeError(`localAddress is no IP address: ${options.localAddress}`);
  return {
    localAddress: options.localAddress,
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS),
    handshakeTimeoutMs: positive('handshakeTimeoutMs', options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS),
    maxUnanswered: positive('maxUnanswered', options.maxUnanswered ?? 256),
  };
}

function positive(name: string, value: number): number {
  if (!(value > 0)) throw new RangeError(`${name} must be positive, not ${value}`);
  return value;
}
