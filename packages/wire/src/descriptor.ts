import { type Endpoint, decodeEndpoint, encodeEndpoint, endpointLength } from './endpoint.ts';
import { DecodeError } from './errors.ts';
import { IDENTITY_KEY_LENGTH, SIGNATURE_LENGTH } from './handshake-layout.ts';
import type { RelayLimits } from './messages/relay-messages.ts';
import { Reader } from './reader.ts';
import { Writer, textLength } from './writer.ts';

/** What a peer says of itself to those who may build circuits through it (docs/protocol.md §9.1). */
export interface DescriptorBody {
  /** Ed25519 identity key, 32 bytes. */
  readonly identityKey: Uint8Array;
  /** Of two descriptors of one peer, the one with the higher version counts. */
  readonly version: number;
  /** When it may not be used any more, in milliseconds since 1970. */
  readonly expiresUnixMs: number;
  /** Names the network, 16 bytes: descriptors of other networks are refused. */
  readonly networkId: Uint8Array;
  /** X25519 key that handshakes of pattern NK are made to, 32 bytes. */
  readonly staticKey: Uint8Array;
  /** When that key may not be used any more, in milliseconds since 1970. */
  readonly staticKeyExpiresUnixMs: number;
  /** Whether the peer forwards relay links for others. */
  readonly relays: boolean;
  /** What it says it can carry in all, in bytes per second; 0: it does not say. */
  readonly bandwidthBytesPerSecond: number;
  /** What it allows one relay link. */
  readonly limits: RelayLimits;
  /** Who runs it, by a name that all its nodes share; up to 63 bytes, empty: it does not say. */
  readonly operator: string;
  /** Name and version of its program, up to 63 bytes. */
  readonly software: string;
  /** Where it listens, 8 at most. */
  readonly endpoints: readonly Endpoint[];
}

/** The longest descriptor, signature included, in bytes. */
export const MAX_DESCRIPTOR_LENGTH = 1024;
/** Length of a network id, in bytes. */
export const NETWORK_ID_LENGTH = 16;
/** A descriptor names at most this many endpoints. */
export const MAX_DESCRIPTOR_ENDPOINTS = 8;
/** The longest operator tag and the longest software version, in bytes of UTF-8. */
export const MAX_DESCRIPTOR_TEXT_LENGTH = 63;

const FORMAT = 0x01;
const FLAG_RELAYS = 0x01;
const STATIC_KEY_LENGTH = 32;
const FIXED_LENGTH: number = 1 + IDENTITY_KEY_LENGTH + 8 + 8 + NETWORK_ID_LENGTH + STATIC_KEY_LENGTH + 8 + 1 + 8 + 4 + 8 + 4 + 1;

/** A descriptor as it is on the wire: its fields, and what its signature has to be good for. */
export interface DecodedDescriptor extends DescriptorBody {
  /** The bytes that are signed: a view. */
  readonly signed: Uint8Array;
  /** 64 bytes: a view. */
  readonly signature: Uint8Array;
}

/**
 * The bytes of a descriptor without its signature, newly allocated (docs/protocol.md §9.1).
 * @throws RangeError for keys of another length, too long texts, too many endpoints, host names and port 0
 */
export function encodeDescriptorBody(body: DescriptorBody): Uint8Array {
  const { endpoints, limits, operator, software } = body;
  if (endpoints.length > MAX_DESCRIPTOR_ENDPOINTS) throw new RangeError(`a descriptor names at most ${MAX_DESCRIPTOR_ENDPOINTS} endpoints`);
  const lengths = [checkedTextLength(operator, 'operator'), checkedTextLength(software, 'software'), ...endpoints.map(endpointLength)];
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, FIXED_LENGTH));
  const writer = new Writer(bytes)
    .u8(FORMAT)
    .fixed(body.identityKey, IDENTITY_KEY_LENGTH, 'identity key')
    .count(body.version)
    .count(body.expiresUnixMs)
    .fixed(body.networkId, NETWORK_ID_LENGTH, 'network id')
    .fixed(body.staticKey, STATIC_KEY_LENGTH, 'static key')
    .count(body.staticKeyExpiresUnixMs)
    .u8(body.relays ? FLAG_RELAYS : 0)
    .count(body.bandwidthBytesPerSecond)
    .u32(limits.bytesPerSecond)
    .count(limits.maxBytes)
    .u32(limits.maxAgeMs)
    .text(operator)
    .text(software)
    .u8(endpoints.length);
  for (const endpoint of endpoints) encodeEndpoint(writer, endpoint);
  return bytes;
}

/** Behind the signed bytes the signature. @throws RangeError for a signature of another length */
export function joinDescriptor(signed: Uint8Array, signature: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(signed.length + SIGNATURE_LENGTH);
  new Writer(bytes).bytes(signed).fixed(signature, SIGNATURE_LENGTH, 'signature');
  return bytes;
}

/**
 * The fields of a descriptor, which borrow from `bytes`. Whether it is signed, and by whom, is still to be asked.
 * @throws DecodeError `wire.too-long` above 1,024 bytes, too many endpoints or too long texts; `wire.truncated`,
 * `wire.trailing`, `wire.invalid`
 */
export function decodeDescriptor(bytes: Uint8Array): DecodedDescriptor {
  if (bytes.length > MAX_DESCRIPTOR_LENGTH) throw new DecodeError('wire.too-long', `a descriptor of ${bytes.length} bytes`, 0);
  if (bytes.length < FIXED_LENGTH + 2 + SIGNATURE_LENGTH)
    throw new DecodeError('wire.truncated', `a descriptor of ${bytes.length} bytes`, bytes.length);
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_LENGTH);
  const reader = new Reader(signed);
  const format = reader.u8();
  if (format !== FORMAT) throw new DecodeError('wire.invalid', `format ${format} of a descriptor`, 0);
  const fields = {
    identityKey: reader.bytes(IDENTITY_KEY_LENGTH),
    version: reader.count(),
    expiresUnixMs: reader.count(),
    networkId: reader.bytes(NETWORK_ID_LENGTH),
    staticKey: reader.bytes(STATIC_KEY_LENGTH),
    staticKeyExpiresUnixMs: reader.count(),
    relays: decodeFlags(reader),
    bandwidthBytesPerSecond: reader.count(),
    limits: { bytesPerSecond: reader.u32(), maxBytes: reader.count(), maxAgeMs: reader.u32() },
    operator: decodeText(reader),
    software: decodeText(reader),
  };
  const count = reader.u8();
  if (count > MAX_DESCRIPTOR_ENDPOINTS) throw new DecodeError('wire.too-long', `${count} endpoints in a descriptor`, reader.offset - 1);
  const endpoints = Array.from({ length: count }, () => decodeEndpoint(reader));
  reader.end();
  return { ...fields, endpoints, signed, signature: bytes.subarray(signed.length) };
}

function decodeFlags(reader: Reader): boolean {
  const flags = reader.u8();
  if ((flags & ~FLAG_RELAYS) !== 0) throw new DecodeError('wire.invalid', 'unknown flags in a descriptor', reader.offset - 1);
  return (flags & FLAG_RELAYS) !== 0;
}

function decodeText(reader: Reader): string {
  const at = reader.offset;
  const text = reader.text();
  if (reader.offset - at - 1 > MAX_DESCRIPTOR_TEXT_LENGTH) throw new DecodeError('wire.too-long', 'a text of a descriptor', at);
  return text;
}

function checkedTextLength(text: string, name: string): number {
  const length = textLength(text);
  if (length - 1 > MAX_DESCRIPTOR_TEXT_LENGTH) throw new RangeError(`${name} has at most ${MAX_DESCRIPTOR_TEXT_LENGTH} bytes`);
  return length;
}
