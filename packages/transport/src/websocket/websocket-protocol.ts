import { type Endpoint, MatryoshkaError } from '@matryoshka/wire';

/** What both sides agree to speak inside the WebSocket (RFC 6455 §1.9). Who offers or selects anything else is somebody else. */
export const SUBPROTOCOL = 'matryoshka';
/** Where listeners are found on their host if nothing else is said; endpoints name no path. */
export const DEFAULT_PATH = '/matryoshka';

/** Status codes of a close (RFC 6455 §7.4.1). */
export const CLOSE_NORMAL = 1000;
export const CLOSE_UNSUPPORTED_DATA = 1003;
export const CLOSE_NO_STATUS = 1005;
/** Never sent: the connection ended without a close. */
export const CLOSE_ABNORMAL = 1006;
export const CLOSE_POLICY = 1008;

/** The URL of an endpoint. */
export function urlOf({ transport, host, port }: Endpoint, path: string): string {
  return `${transport}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}

/** The other side does what no peer does, e.g. sends text. */
export function protocolFault(what: string, cause?: unknown): MatryoshkaError {
  return new MatryoshkaError('transport.protocol', what, { cause });
}

/** A message of no bytes, or of more than 65,535. */
export function lengthFault(what: string, cause?: unknown): MatryoshkaError {
  return new MatryoshkaError('transport.frame-length', what, { cause });
}

/** Why a WebSocket is closed that this side did not close. What the other side says in words is not repeated. */
export function remoteClosed(code: number): MatryoshkaError {
  if (code === CLOSE_ABNORMAL) return new MatryoshkaError('transport.closed', 'the connection closed');
  const status = code === CLOSE_NORMAL || code === CLOSE_NO_STATUS ? '' : ` (status ${code})`;
  return new MatryoshkaError('transport.closed', `the other side closed the connection${status}`);
}

/** One message in one piece: WebSockets take no list of parts. Borrows a part that is all of it, else copies. */
export function onePiece(parts: readonly Uint8Array[], length: number): Uint8Array {
  const longest = parts.find((part) => part.length === length);
  if (longest !== undefined) return longest;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
