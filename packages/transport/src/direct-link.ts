import { type Endpoint, MatryoshkaError, formatEndpoint } from '@matryoshka/wire';
import type { LinkInfo } from './link.ts';

/** What every link is that no other session carries. */
export const DIRECT_LINK: LinkInfo = Object.freeze({ kind: 'direct', nesting: 0, carriers: Object.freeze([]) });
/** How long what was sent may stay without progress after a close before it is given up, in milliseconds. */
export const FLUSH_TIMEOUT_MS = 30_000;
/** How long a frame may take from its first byte to its last, in milliseconds (docs/protocol.md §2). */
export const FRAME_TIMEOUT_MS = 30_000;
/** How long connecting may take, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** How long a stranger may take until it is answered, or is told nothing, in milliseconds (docs/protocol.md §2). */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** The error of a dial that failed, naming the endpoint and the system's reason. */
export function dialFailed(to: Endpoint, reason: string, cause?: unknown): MatryoshkaError {
  return new MatryoshkaError('transport.dial-failed', `${formatEndpoint(to)} could not be dialled: ${reason}`, { cause });
}

/** The error of a listen that failed, naming the endpoint and the system's reason. */
export function listenFailed(on: Endpoint, reason: string, cause?: unknown): MatryoshkaError {
  return new MatryoshkaError('transport.listen-failed', `cannot listen on ${formatEndpoint(on)}: ${reason}`, { cause });
}

/** The error of a dial that its caller gave up. */
export function dialAborted(to: Endpoint, signal: AbortSignal): MatryoshkaError {
  return new MatryoshkaError('aborted', `dialling ${formatEndpoint(to)} was given up`, { cause: signal.reason });
}
