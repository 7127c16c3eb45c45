import { formatAddress, parseAddress, parseIPv6 } from './address.ts';
import { DecodeError, MatryoshkaError } from './errors.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** How bytes get to an endpoint. */
export type TransportName = 'tcp' | 'ws' | 'wss';

/** Where a node can be reached; with `relayPort`, one end of a relay link as its far side sees it (R7). */
export interface Endpoint {
  /** What is spoken there. */
  readonly transport: TransportName;
  /** An IPv4 or IPv6 address without brackets in canonical text, or a host name in lower case. */
  readonly host: string;
  /** 0 to 65,535; 0 only to listen on any free port. */
  readonly port: number;
  /** 64-bit relay port, never 0. */
  readonly relayPort?: bigint;
}

/** A peer by its id, and by its static key where it has to be called by that, too. Both are text here; `session` checks them. */
interface NamedPeer {
  readonly peerId: string;
  readonly staticKey?: string;
}

/** Whom a user wants to reach. */
export type Destination =
  | ({ readonly type: 'endpoint'; readonly endpoint: Endpoint } & Partial<NamedPeer>)
  | ({ readonly type: 'peer' } & NamedPeer)
  | ({ readonly type: 'registered'; readonly relayPeerId: string; readonly relayEndpoint?: Endpoint } & NamedPeer);

const TRANSPORTS = { tcp: 0x01, ws: 0x02, wss: 0x03 } as const satisfies Record<TransportName, number>;
const TRANSPORT_NAMES: readonly (TransportName | undefined)[] = [undefined, 'tcp', 'ws', 'wss'];
const FAMILY_IPV4 = 0x04;
const FAMILY_IPV6 = 0x06;

const PEER_ID = /^mtk1[02-9ac-hj-np-z]{58}$/;
const NAMED_PEER = /^(mtk1[02-9ac-hj-np-z]{58})(?:\+(mts1[02-9ac-hj-np-z]{58}))?$/;
// RFC 1123 §2.1 labels. A last label that is a number would be read as an IPv4 address by resolvers (inet_aton).
const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!(?:[0-9]+|0x[0-9a-f]*)$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_RELAY_PORT = 0xffff_ffff_ffff_ffffn;

function syntax(text: string, what: string): MatryoshkaError {
  return new MatryoshkaError('wire.endpoint-syntax', `${JSON.stringify(text)} is not an endpoint: ${what}`);
}

function parseDecimal(text: string, digits: string, name: string, max: bigint): bigint {
  const value = /^\d{1,20}$/.test(digits) ? BigInt(digits) : undefined;
  if (value === undefined || value > max) throw syntax(text, `${name} must be a number up to ${max}, not ${JSON.stringify(digits)}`);
  return value;
}

/**
 * Parses `[tcp|ws|wss://]host:port[:relayPort]`, IPv6 in brackets (R7).
 * @throws MatryoshkaError `wire.endpoint-syntax` that names what is wrong
 */
export function parseEndpoint(text: string): Endpoint {
  const scheme = /^([^:]*):\/\//.exec(text);
  const transport = (scheme?.[1] ?? 'tcp') as TransportName;
  if (!Object.hasOwn(TRANSPORTS, transport)) throw syntax(text, `unknown transport ${JSON.stringify(transport)}, known are tcp, ws, wss`);
  const rest = text.slice(scheme?.[0].length ?? 0);

  const parts = /^(\[[^\]]*\]|[^:[\]]*):([^:]*)(?::([^:]*))?$/.exec(rest);
  if (parts === null) throw syntax(text, 'expected host:port or host:port:relayPort, IPv6 addresses in brackets');
  const [, rawHost, rawPort, rawRelayPort] = parts as unknown as [string, string, string, string | undefined];

  const port = Number(parseDecimal(text, rawPort, 'the port', 65_535n));
  const host = rawHost.startsWith('[') ? parseBracketed(text, rawHost.slice(1, -1)) : parseHost(text, rawHost);
  if (rawRelayPort === undefined) return { transport, host, port };
  const relayPort = parseDecimal(text, rawRelayPort, 'the relay port', MAX_RELAY_PORT);
  if (relayPort === 0n) throw syntax(text, 'the relay port must not be 0');
  return { transport, host, port, relayPort };
}

function parseBracketed(text: string, inner: string): string {
  const bytes = parseIPv6(inner);
  if (bytes === undefined) throw syntax(text, `${JSON.stringify(inner)} is not an IPv6 address`);
  return formatAddress(bytes);
}

function parseHost(text: string, raw: string): string {
  const host = raw.toLowerCase();
  if (parseAddress(host) === undefined && !HOST_NAME.test(host))
    throw syntax(text, `${JSON.stringify(raw)} is neither an address nor a host name`);
  return host;
}

/** The text form of an endpoint: the seed's `IP:port:relayPort` (R7); `tcp://` is left out. */
export function formatEndpoint(endpoint: Endpoint): string {
  const scheme = endpoint.transport === 'tcp' ? '' : `${endpoint.transport}://`;
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${scheme}${host}:${endpoint.port}${endpoint.relayPort === undefined ? '' : `:${endpoint.relayPort}`}`;
}

/**
 * Parses `[peer@]endpoint`, a peer alone, or `peer@relayPeerId[@host:port]` (R7), a peer being `peerId[+staticKey]`.
 * @throws MatryoshkaError `wire.endpoint-syntax`
 */
export function parseDestination(text: string): Destination {
  const parts = text.split('@');
  const first = parts[0] as string;
  const peer = parseNamedPeer(first);
  if (parts.length === 1) {
    if (peer !== undefined) return { type: 'peer', ...peer };
    if (!text.includes(':')) throw syntax(text, 'expected a peer id or host:port');
    return { type: 'endpoint', endpoint: parseEndpoint(text) };
  }
  if (peer === undefined) throw syntax(text, `${JSON.stringify(first)} is not a peer id, nor one with a static key, peerId+staticKey`);
  const second = parts[1] as string;
  if (parts.length === 2) {
    if (PEER_ID.test(second)) return { type: 'registered', ...peer, relayPeerId: second };
    return { type: 'endpoint', ...peer, endpoint: parseEndpoint(second) };
  }
  if (parts.length > 3 || !PEER_ID.test(second)) throw syntax(text, 'expected peerId@relayPeerId@host:port');
  return { type: 'registered', ...peer, relayPeerId: second, relayEndpoint: parseEndpoint(parts[2] as string) };
}

function parseNamedPeer(text: string): NamedPeer | undefined {
  const [, peerId, staticKey] = NAMED_PEER.exec(text) ?? [];
  if (peerId === undefined) return undefined;
  return staticKey === undefined ? { peerId } : { peerId, staticKey };
}

/** The text form of a destination. */
export function formatDestination(destination: Destination): string {
  const { peerId, staticKey } = destination;
  const peer = staticKey === undefined ? peerId : `${peerId}+${staticKey}`;
  switch (destination.type) {
    case 'peer':
      return peer as string;
    case 'endpoint':
      return `${peerId === undefined ? '' : `${peer}@`}${formatEndpoint(destination.endpoint)}`;
    case 'registered': {
      const at = destination.relayEndpoint === undefined ? '' : `@${formatEndpoint(destination.relayEndpoint)}`;
      return `${peer}@${destination.relayPeerId}${at}`;
    }
    default:
      return destination satisfies never;
  }
}

/** Same transport, host and port; relay ports do not count. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.transport === b.transport && a.host === b.host && a.port === b.port;
}

/** Bytes {@link encodeEndpoint} will write. @throws RangeError for host names: the originator resolves them (R7) */
export function endpointLength(endpoint: Endpoint): number {
  return 4 + addressBytes(endpoint).length;
}

function addressBytes(endpoint: Endpoint): Uint8Array {
  const address = parseAddress(endpoint.host);
  if (address === undefined) throw new RangeError(`only addresses travel on the wire, not ${endpoint.host}`);
  return address;
}

/**
 * docs/protocol.md §6.1: transport u8, family u8, address, port u16. The relay port never travels inside an endpoint.
 * @throws RangeError for host names and for port 0
 */
export function encodeEndpoint(writer: Writer, endpoint: Endpoint): void {
  const address = addressBytes(endpoint);
  if (endpoint.port === 0) throw new RangeError('port 0 does not travel on the wire');
  writer
    .u8(TRANSPORTS[endpoint.transport])
    .u8(address.length === 4 ? FAMILY_IPV4 : FAMILY_IPV6)
    .bytes(address)
    .u16(endpoint.port);
}

/** @throws DecodeError `wire.invalid` for an unknown transport or family and for port 0 */
export function decodeEndpoint(reader: Reader): Endpoint {
  const at = reader.offset;
  const transport = TRANSPORT_NAMES[reader.u8()];
  const family = reader.u8();
  if (transport === undefined) throw new DecodeError('wire.invalid', 'unknown transport', at);
  if (family !== FAMILY_IPV4 && family !== FAMILY_IPV6) throw new DecodeError('wire.invalid', 'unknown address family', at + 1);
  const host = formatAddress(reader.bytes(family === FAMILY_IPV4 ? 4 : 16));
  const port = reader.u16();
  if (port === 0) throw new DecodeError('wire.invalid', 'port 0', reader.offset - 2);
  return { transport, host, port };
}
