import type { Take, HostPort } from '../protocol.ts';
import { formatAddress, parseAddress } from '@matryoshka/wire';
import { isHostName } from '../service-name.ts';

// SOCKS version 5, RFC 1928, and its username/password subnegotiation, RFC 1929.

export const SOCKS_VERSION = 0x05;
export const METHOD = { none: 0x00, password: 0x02, noneAcceptable: 0xff } as const;
export const COMMAND = { connect: 0x01, bind: 0x02, udpAssociate: 0x03 } as const;

/** Replies, RFC 1928 §6. */
export const REPLY = {
  succeeded: 0x00,
  failure: 0x01,
  notAllowed: 0x02,
  networkUnreachable: 0x03,
  hostUnreachable: 0x04,
  connectionRefused: 0x05,
  ttlExpired: 0x06,
  commandUnknown: 0x07,
  addressTypeUnknown: 0x08,
} as const;

export type Reply = (typeof REPLY)[keyof typeof REPLY];

const ADDRESS_TYPE = { ipv4: 0x01, name: 0x03, ipv6: 0x04 } as const;
const PASSWORD_VERSION = 0x01;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** A client said what SOCKS does not know; it hears `reply` where it is far enough for one. */
export class SocksError extends Error {
  readonly reply: Reply | undefined;

  constructor(message: string, reply?: Reply) {
    super(message);
    this.name = new.target.name;
    this.reply = reply;
  }
}

export interface SocksRequest {
  readonly command: number;
  readonly place: HostPort;
}

/** The methods a client offers, RFC 1928 §3; its version was read. */
export async function takeMethods(take: Take): Promise<ReadonlySet<number>> {
  const [count = 0] = await take(1);
  return new Set(await take(count));
}

/** Username and password, RFC 1929 §2, as one text that tells clients apart. */
export async function takeCredentials(take: Take): Promise<string> {
  const [version, nameLength = 0] = await take(2);
  if (version !== PASSWORD_VERSION) throw new SocksError('a version of the password exchange that is unknown');
  const name = await take(nameLength);
  const [passwordLength = 0] = await take(1);
  return `${Buffer.from(name).toString('hex')}:${Buffer.from(await take(passwordLength)).toString('hex')}`;
}

export const CREDENTIALS_ACCEPTED: Uint8Array = Uint8Array.of(PASSWORD_VERSION, 0x00);

/** RFC 1928 §4. @throws SocksError with the reply that is due */
export async function takeRequest(take: Take): Promise<SocksRequest> {
  const [version, command = 0] = await take(3);
  if (version !== SOCKS_VERSION) throw new SocksError('a request of another version', REPLY.failure);
  return { command, place: await takePlace(take) };
}

/** ATYP, address and port: RFC 1928 §5. @throws SocksError */
async function takePlace(take: Take): Promise<HostPort> {
  const [type] = await take(1);
  let host: string;
  if (type === ADDRESS_TYPE.ipv4 || type === ADDRESS_TYPE.ipv6) host = formatAddress(await take(type === ADDRESS_TYPE.ipv4 ? 4 : 16));
  else if (type === ADDRESS_TYPE.name) {
    const [length = 0] = await take(1);
    host = nameOf(await take(length));
  } else throw new SocksError('an address of a type that is unknown', REPLY.addressTypeUnknown);
  const [high = 0, low = 0] = await take(2);
  return { host, port: (high << 8) | low };
}

/** A host name, or an address that somebody wrote as one. */
function nameOf(bytes: Uint8Array): string {
  let name: string;
  try {
    name = decoder.decode(bytes);
  } catch {
    throw new SocksError('a host name that is no text', REPLY.failure);
  }
  if (parseAddress(name) === undefined && !isHostName(name)) throw new SocksError('a host name that is none', REPLY.failure);
  return name;
}

/** RFC 1928 §6. @param bound - where the proxy listens for datagrams; nothing to say for CONNECT */
export function encodeReply(reply: Reply, bound: HostPort = { host: '0.0.0.0', port: 0 }): Uint8Array {
  return Uint8Array.of(SOCKS_VERSION, reply, 0x00, ...encodePlace(bound));
}

function encodePlace({ host, port }: HostPort): Uint8Array {
  const address = parseAddress(host);
  const name = address === undefined ? new TextEncoder().encode(host) : undefined;
  const type = address === undefined ? ADDRESS_TYPE.name : address.length === 4 ? ADDRESS_TYPE.ipv4 : ADDRESS_TYPE.ipv6;
  return Uint8Array.of(type, ...(name === undefined ? (address as Uint8Array) : [name.length, ...name]), port >> 8, port & 0xff);
}

/** The header of a datagram between client and proxy, RFC 1928 §7; `undefined` for what is none or a fragment. */
export async function decodeDatagram(
  datagram: Uint8Array,
): Promise<{ readonly place: HostPort; readonly payload: Uint8Array } | undefined> {
  let at = 0;
  const take: Take = (length) => {
    if (at + length > datagram.length) throw new SocksError('a datagram that ends too early');
    at += length;
    return Promise.resolve(datagram.subarray(at - length, at));
  };
  try {
    const [, , fragment] = await take(3);
    if (fragment !== 0) return undefined;
    const place = await takePlace(take);
    return { place, payload: datagram.subarray(at) };
  } catch {
    return undefined;
  }
}

export function encodeSocksDatagram(place: HostPort, payload: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(0, 0, 0), encodePlace(place), payload]);
}
