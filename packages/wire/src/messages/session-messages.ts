import { DecodeError } from '../errors.ts';
import { decodeEndpoint, encodeEndpoint, endpointLength, type Endpoint } from '../endpoint.ts';
import type { Reader } from '../reader.ts';
import { reasonFromNumber, reasonNumber, type ReasonCode } from '../reasons.ts';
import type { Writer } from '../writer.ts';

/** Length of a session id, in bytes. */
export const SESSION_ID_LENGTH = 16;
/** Length of the proof of a resume, an HMAC-SHA256 (docs/protocol.md §5), in bytes. */
export const RESUME_PROOF_LENGTH = 32;
/** Length of the token of ping and pong, in bytes. */
export const PING_LENGTH = 8;
/** Length of the X25519 public keys of a key exchange, in bytes. */
const EXCHANGE_DH_KEY_LENGTH = 32;
/** Length of its ML-KEM-768 public key. */
const EXCHANGE_KEM_KEY_LENGTH = 1184;
/** Length of its ML-KEM-768 ciphertext. */
const EXCHANGE_CIPHERTEXT_LENGTH = 1088;
/** Shortest length that all records of a side may have, tag included: the longest key update fits (docs/protocol.md §4.5), in bytes. */
export const MIN_RECORD_LENGTH = 2048;
/** Longest one: no relay cuts it where it has a window for two (docs/protocol.md §8.3), in bytes. */
export const MAX_RECORD_LENGTH = 16_384;
/** A hello names at most this many listening endpoints. */
export const MAX_LISTENING_ENDPOINTS = 8;

/** The initiator's first record opens a new session (docs/protocol.md §4.3). */
export interface SessionNew {
  readonly type: 'session-new';
  /** Asks for records of this length, as {@link Shape} does. */
  readonly recordLength: number;
}

/** The initiator's first record goes on with a session of an earlier link (docs/protocol.md §5). */
export interface SessionResume {
  readonly type: 'session-resume';
  /** Of the session, 16 bytes. */
  readonly sessionId: Uint8Array;
  /** Counted records received so far. */
  readonly delivered: number;
  /** That it is the same party, in this handshake, 32 bytes. */
  readonly proof: Uint8Array;
}

/** The responder's answer to a resume it verified (docs/protocol.md §5). */
export interface Resumed {
  readonly type: 'resumed';
  /** Counted records received so far. */
  readonly delivered: number;
  /** That it is the same party, in this handshake, 32 bytes. */
  readonly proof: Uint8Array;
}

/** The responder's answer to a resume it does not take; the attempt ends. */
export interface ResumeRefused {
  readonly type: 'resume-refused';
  /** Why. */
  readonly reason: ReasonCode;
}

/** What a neighbour may ask of us (R14). 0 in `links` and `handshakes` means none. */
export interface Allowance {
  /** Relay requests per second. */
  readonly requestsPerSecond: number;
  /** Relay requests at once. */
  readonly burst: number;
  /** Relay requests that wait for their answer. */
  readonly handshakes: number;
  /** Relay links open at once. */
  readonly links: number;
}

/** First in each session, and again when it changes (docs/protocol.md §6.2). */
export interface Hello {
  readonly type: 'hello';
  /** Whether this node serves relay links for others. */
  readonly relaying: boolean;
  /** What the receiver may ask of this node. */
  readonly allowance: Allowance;
  /** The receiver's address as its link shows it here; never over a relay link. */
  readonly observed?: Endpoint;
  /** Where the sender listens; empty over a relay link. */
  readonly listening: readonly Endpoint[];
}

/** Counted records received so far: absolute, only the newest counts (docs/protocol.md §5). */
export interface Acknowledge {
  readonly type: 'acknowledge';
  /** Records. */
  readonly delivered: number;
}

/** Asks for a pong with the same token. */
export interface Ping {
  readonly type: 'ping';
  /** 8 bytes, any. */
  readonly token: Uint8Array;
}

/** Answers a ping. */
export interface Pong {
  readonly type: 'pong';
  /** That of the ping. */
  readonly token: Uint8Array;
}

/** Changes the key of one direction, or is part of an exchange that changes both; alone in its record (docs/protocol.md §4.4). */
export type KeyUpdate =
  /** The sender's next record is under the next key. */
  | { readonly type: 'key-update'; readonly kind: 'ratchet' }
  /** The initiator begins an exchange. */
  | {
      readonly type: 'key-update';
      readonly kind: 'request';
      /** X25519 public key, 32 bytes. */
      readonly dhKey: Uint8Array;
      /** ML-KEM-768 public key, 1,184 bytes. */
      readonly kemKey: Uint8Array;
    }
  /** The responder's part of it; its next record is under the mixed key. */
  | {
      readonly type: 'key-update';
      readonly kind: 'answer';
      /** X25519 public key, 32 bytes. */
      readonly dhKey: Uint8Array;
      /** ML-KEM-768 ciphertext, 1,088 bytes. */
      readonly ciphertext: Uint8Array;
    }
  /** The initiator's next record is under the mixed key. */
  | { readonly type: 'key-update'; readonly kind: 'finish' };

/** Ends the session; nothing follows. */
export interface Goodbye {
  readonly type: 'goodbye';
  /** Why; `closed` where nothing is wrong. */
  readonly reason: ReasonCode;
}

/** Some bytes of a message that is cut, header and all: what fits into one record (docs/protocol.md §4.5). */
export interface Part {
  readonly type: 'part';
  /** What comes next of it. */
  readonly bytes: Uint8Array;
}

/** Asks the receiver for records of one length from now on, {@link MIN_RECORD_LENGTH} to {@link MAX_RECORD_LENGTH}; 0: of any (docs/protocol.md §4.5). */
export interface Shape {
  readonly type: 'shape';
  /** In bytes, tag included. */
  readonly recordLength: number;
}

/** Bytes without meaning. */
export interface Cover {
  readonly type: 'cover';
  /** Any. */
  readonly bytes: Uint8Array;
}

const FLAG_RELAYING = 0x01;
const FLAG_OBSERVED = 0x02;
const HELLO_FIXED_LENGTH = 1 + 4 + 4 + 2 + 4 + 1;

/** Bytes {@link encodeHello} will write. @throws RangeError for host names */
export function helloLength(hello: Hello): number {
  let length = HELLO_FIXED_LENGTH + (hello.observed === undefined ? 0 : endpointLength(hello.observed));
  for (const endpoint of hello.listening) length += endpointLength(endpoint);
  return length;
}

/** docs/protocol.md §6.2. @throws RangeError for too many endpoints, host names and port 0 */
export function encodeHello(writer: Writer, hello: Hello): void {
  if (hello.listening.length > MAX_LISTENING_ENDPOINTS) throw new RangeError(`a hello names at most ${MAX_LISTENING_ENDPOINTS} endpoints`);
  const { allowance } = hello;
  writer.u8((hello.relaying ? FLAG_RELAYING : 0) | (hello.observed === undefined ? 0 : FLAG_OBSERVED));
  writer.u32(allowance.requestsPerSecond).u32(allowance.burst).u16(allowance.handshakes).u32(allowance.links);
  writer.u8(hello.listening.length);
  if (hello.observed !== undefined) encodeEndpoint(writer, hello.observed);
  for (const endpoint of hello.listening) encodeEndpoint(writer, endpoint);
}

/** @throws DecodeError `wire.truncated`, `wire.invalid`, `wire.too-long` above {@link MAX_LISTENING_ENDPOINTS} */
export function decodeHello(reader: Reader): Hello {
  const at = reader.offset;
  const flags = reader.u8();
  if ((flags & ~(FLAG_RELAYING | FLAG_OBSERVED)) !== 0) throw new DecodeError('wire.invalid', 'unknown flags in hello', at);
  const allowance = { requestsPerSecond: reader.u32(), burst: reader.u32(), handshakes: reader.u16(), links: reader.u32() };
  const count = reader.u8();
  if (count > MAX_LISTENING_ENDPOINTS) throw new DecodeError('wire.too-long', `${count} endpoints in hello`, reader.offset - 1);
  const observed = (flags & FLAG_OBSERVED) === 0 ? {} : { observed: decodeEndpoint(reader) };
  const listening = Array.from({ length: count }, () => decodeEndpoint(reader));
  return { type: 'hello', relaying: (flags & FLAG_RELAYING) !== 0, allowance, ...observed, listening };
}

/** docs/protocol.md §4.5. @throws RangeError for a length that records may not all have */
export function encodeRecordLength(writer: Writer, length: number): void {
  if (!isRecordLength(length)) throw new RangeError(`records have ${MIN_RECORD_LENGTH} to ${MAX_RECORD_LENGTH} bytes, not ${length}`);
  writer.u16(length);
}

/** @throws DecodeError `wire.truncated`, `wire.invalid` */
export function decodeRecordLength(reader: Reader): number {
  const at = reader.offset;
  const length = reader.u16();
  if (!isRecordLength(length)) throw new DecodeError('wire.invalid', `records of ${length} bytes`, at);
  return length;
}

function isRecordLength(length: number): boolean {
  return length === 0 || (length >= MIN_RECORD_LENGTH && length <= MAX_RECORD_LENGTH);
}

/** By their number on the wire. */
const KEY_UPDATES: readonly KeyUpdate['kind'][] = ['ratchet', 'request', 'answer', 'finish'];

/** Bytes {@link encodeKeyUpdate} will write. */
export function keyUpdateLength(m: KeyUpdate): number {
  if (m.kind === 'request') return 1 + EXCHANGE_DH_KEY_LENGTH + EXCHANGE_KEM_KEY_LENGTH;
  return m.kind === 'answer' ? 1 + EXCHANGE_DH_KEY_LENGTH + EXCHANGE_CIPHERTEXT_LENGTH : 1;
}

/** docs/protocol.md §4.4. @throws RangeError for a key or ciphertext of another length */
export function encodeKeyUpdate(writer: Writer, m: KeyUpdate): void {
  writer.u8(KEY_UPDATES.indexOf(m.kind));
  if (m.kind === 'request' || m.kind === 'answer') writer.fixed(m.dhKey, EXCHANGE_DH_KEY_LENGTH, 'X25519 key');
  if (m.kind === 'request') writer.fixed(m.kemKey, EXCHANGE_KEM_KEY_LENGTH, 'ML-KEM key');
  if (m.kind === 'answer') writer.fixed(m.ciphertext, EXCHANGE_CIPHERTEXT_LENGTH, 'ML-KEM ciphertext');
}

/** Borrows from the reader's bytes. @throws DecodeError `wire.truncated`, `wire.invalid` */
export function decodeKeyUpdate(reader: Reader): KeyUpdate {
  const type = 'key-update';
  const kind = KEY_UPDATES[reader.u8()];
  switch (kind) {
    case undefined:
      throw new DecodeError('wire.invalid', 'unknown kind of key update', reader.offset - 1);
    case 'request':
      return { type, kind, dhKey: reader.bytes(EXCHANGE_DH_KEY_LENGTH), kemKey: reader.bytes(EXCHANGE_KEM_KEY_LENGTH) };
    case 'answer':
      return { type, kind, dhKey: reader.bytes(EXCHANGE_DH_KEY_LENGTH), ciphertext: reader.bytes(EXCHANGE_CIPHERTEXT_LENGTH) };
    case 'ratchet':
    case 'finish':
      return { type, kind };
    default:
      return kind satisfies never;
  }
}

/** A reason as its 16-bit number (docs/protocol.md §10). */
export function encodeReason(writer: Writer, reason: ReasonCode): void {
  writer.u16(reasonNumber(reason));
}

/** A reason from its 16-bit number; `unknown` for those of later versions. */
export function decodeReason(reader: Reader): ReasonCode {
  return reasonFromNumber(reader.u16());
}
