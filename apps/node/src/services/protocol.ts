import { CliError } from '../cli-error.ts';

// What is said at the beginning of the streams of services and exits (apps/node/README.md, Services). Both begin with a
// request; the other side answers with one byte once it is connected, and resets the stream where it is not.

/** A named TCP service of a peer. Request: the name behind a `u8` length. */
export const SERVICE_PROTOCOL = '/matryoshka/service/1';
/** An ordinary TCP host through an exit. Request: host as text behind a `u8` length, port `u16`. */
export const EXIT_PROTOCOL = '/matryoshka/exit/1';
/** UDP through an exit. No request; both sides send datagrams, see {@link encodeDatagram}. */
export const DATAGRAM_PROTOCOL = '/matryoshka/datagram/1';

/** The one byte that says: connected. */
export const CONNECTED = 0x00;

/** Longest payload of a UDP datagram over IPv4 (RFC 768). */
export const MAX_DATAGRAM_LENGTH = 65_507;
const MAX_TEXT_LENGTH = 255;

/** Where something goes: a host name or IP address, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads from what has come so far. */
export interface Take {
  /** The next `length` bytes, which are the caller's to keep. */
  (length: number): Promise<Uint8Array>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** @throws RangeError for a text of no or more than 255 bytes */
export function encodeText(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  if (bytes.length === 0 || bytes.length > MAX_TEXT_LENGTH)
    throw new RangeError(`a name has 1 to ${MAX_TEXT_LENGTH} bytes, not ${bytes.length}`);
  return Uint8Array.of(bytes.length, ...bytes);
}

/** @throws CliError `service.protocol` for an empty one, and for what is no UTF-8 */
export async function takeText(take: Take): Promise<string> {
  const [length = 0] = await take(1);
  if (length === 0) throw new CliError('service.protocol', 'the other side named nothing');
  try {
    return decoder.decode(await take(length));
  } catch (error) {
    if (error instanceof TypeError) throw new CliError('service.protocol', 'the other side sent a name that is no text');
    throw error;
  }
}

/** @throws RangeError for a host name that is too long */
export function encodeHostPort({ host, port }: HostPort): Uint8Array {
  return Uint8Array.of(...encodeText(host), port >> 8, port & 0xff);
}

export async function takeHostPort(take: Take): Promise<HostPort> {
  const host = await takeText(take);
  const [high = 0, low = 0] = await take(2);
  return { host, port: (high << 8) | low };
}

/**
 * A datagram on a stream: length of what follows `u16`, host as text behind a `u8` length, port `u16`, payload. The host is
 * where it goes, or came from.
 */
export function encodeDatagram(place: HostPort, payload: Uint8Array): Uint8Array {
  const head = encodeHostPort(place);
  const datagram = new Uint8Array(2 + head.length + payload.length);
  datagram.set([(datagram.length - 2) >> 8, (datagram.length - 2) & 0xff]);
  datagram.set(head, 2);
  datagram.set(payload, 2 + head.length);
  return datagram;
}

/** The next datagram. @throws CliError `service.protocol` */
export async function takeDatagram(take: Take): Promise<{ readonly place: HostPort; readonly payload: Uint8Array }> {
  const [high = 0, low = 0] = await take(2);
  const datagram = await take((high << 8) | low);
  let at = 0;
  const inside: Take = (length) => {
    if (at + length > datagram.length) throw new CliError('service.protocol', 'a datagram ends too early');
    at += length;
    return Promise.resolve(datagram.subarray(at - length, at));
  };
  const place = await takeHostPort(inside);
  return { place, payload: datagram.subarray(at) };
}
