import { DecodeError } from '../errors.ts';
import { decodeEndpoint, encodeEndpoint, endpointLength, type Endpoint } from '../endpoint.ts';
import { HANDSHAKE_ANSWER_LENGTH, HANDSHAKE_REQUEST_LENGTH } from '../handshake-layout.ts';
import type { Reader } from '../reader.ts';
import type { ReasonCode } from '../reasons.ts';
import type { Writer } from '../writer.ts';
import { decodeReason, encodeReason } from './session-messages.ts';

/** A peer id on the wire: the SHA-256 hash of the identity key. */
export const PEER_HASH_LENGTH = 32;
/** Length of the token of relay-meet, in bytes. */
export const MEETING_TOKEN_LENGTH = 32;

/** Whom a relay request is for, as the relays see it: an endpoint, a peer, both, or a peer registered at a relay (R9). */
export interface RelayDestination {
  /** Where it is; absent where `peer` says enough. */
  readonly endpoint?: Endpoint;
  /** Hash of the demanded identity. */
  readonly peer?: Uint8Array;
  /** Hash of the identity of the relay that `peer` is registered with. */
  readonly relay?: Uint8Array;
}

/** What the giver allows one relay link (R16); 0 means without a limit. */
export interface RelayLimits {
  /** Of relay data, both directions together. */
  readonly bytesPerSecond: number;
  /** Of relay data, both directions together. */
  readonly maxBytes: number;
  /** In milliseconds. */
  readonly maxAgeMs: number;
}

/** Asks for a relay link (R3, R6, R15). */
export interface RelayCreate {
  readonly type: 'relay-create';
  /** Names the link on this session: random, never 0. */
  readonly port: bigint;
  /** Hops after the receiver; 0: the receiver is the destination. */
  readonly hopsLeft: number;
  /** Sends this request may still cause by other candidates. */
  readonly attemptsLeft: number;
  /** Time the receiver has for its answer, in milliseconds. */
  readonly budgetMs: number;
  /** Credit for what comes back, in bytes. */
  readonly window: number;
  /** Whom the link is for. */
  readonly destination: RelayDestination;
  /** The first handshake message of the session inside. */
  readonly request: Uint8Array;
}

/** Answers a relay request, or tells of an open link that one of the sessions below it is interrupted. */
export type RelayStatus =
  | {
      readonly type: 'relay-status';
      readonly port: bigint;
      /** Nothing gets through until `flowing`. */
      readonly status: 'stalled';
    }
  | { readonly type: 'relay-status'; readonly port: bigint; readonly status: 'flowing' }
  | {
      readonly type: 'relay-status';
      readonly port: bigint;
      readonly status: 'accepted';
      readonly window: number;
      readonly limits: RelayLimits;
      /** The second handshake message. */ readonly answer: Uint8Array;
    }
  | {
      readonly type: 'relay-status';
      readonly port: bigint;
      readonly status: 'refused';
      readonly reason: ReasonCode;
      readonly retryAfterMs: number;
      readonly limits: RelayLimits;
    };

/** The hot message: relays read and write it in place (docs/protocol.md §6.4). */
export interface RelayData {
  readonly type: 'relay-data';
  /** Of the link. */
  readonly port: bigint;
  /** The carried message goes on in the next relay data of this port. */
  readonly more: boolean;
  /** A part of the carried message, or all of it. */
  readonly bytes: Uint8Array;
}

/** Bytes its receiver may have been sent in all on this link: absolute, only the newest counts. */
export interface RelayCredit {
  readonly type: 'relay-credit';
  /** Of the link. */
  readonly port: bigint;
  /** Bytes. */
  readonly total: number;
}

/** Gives unused credit back; both sides count it as sent and consumed. */
export interface RelayCreditReturn {
  readonly type: 'relay-credit-return';
  /** Of the link. */
  readonly port: bigint;
  /** How much of what was granted. */
  readonly bytes: number;
}

/** Ends a relay link in both directions, or gives a request up. */
export interface RelayClose {
  readonly type: 'relay-close';
  /** Of the link. */
  readonly port: bigint;
  /** Why. */
  readonly reason: ReasonCode;
}

/** Names the receiver as a relay of the sender, or takes that back; and what the relay says to it (R9). */
export type RelayRegister =
  | {
      readonly type: 'relay-register';
      /** `taken` and `refused` come from the relay. */
      readonly status: 'withdrawn' | 'asked' | 'taken';
    }
  | {
      readonly type: 'relay-register';
      readonly status: 'refused';
      readonly reason: ReasonCode;
      /** 0: nothing is said of it. */
      readonly retryAfterMs: number;
    };

/** Asks to be joined with whoever presents the same token. */
export interface RelayMeet {
  readonly type: 'relay-meet';
  /** Names the link on this session, as in relay-create. */
  readonly port: bigint;
  /** Credit for what comes back, in bytes. */
  readonly window: number;
  /** 32 bytes that both have agreed on. */
  readonly token: Uint8Array;
  /** The first handshake message, for whoever comes second. */
  readonly request: Uint8Array;
}

const HAS_ENDPOINT = 0x01;
const HAS_PEER = 0x02;
const HAS_RELAY = 0x04;

function destinationFlags(d: RelayDestination): number {
  const flags = (d.endpoint ? HAS_ENDPOINT : 0) | (d.peer ? HAS_PEER : 0) | (d.relay ? HAS_RELAY : 0);
  if (!validDestination(flags)) throw new RangeError('a relay destination is an endpoint, a peer, both, or a peer at a relay');
  return flags;
}

function validDestination(flags: number): boolean {
  return (
    flags === HAS_ENDPOINT ||
    flags === HAS_PEER ||
    flags === (HAS_ENDPOINT | HAS_PEER) ||
    flags === (HAS_PEER | HAS_RELAY) ||
    flags === (HAS_ENDPOINT | HAS_PEER | HAS_RELAY)
  );
}

/** Bytes {@link encodeDestination} will write. @throws RangeError for host names */
export function destinationLength(d: RelayDestination): number {
  return 1 + (d.endpoint ? endpointLength(d.endpoint) : 0) + (d.peer ? PEER_HASH_LENGTH : 0) + (d.relay ? PEER_HASH_LENGTH : 0);
}

/** @throws RangeError for a combination that names nobody, host names and wrong lengths */
export function encodeDestination(writer: Writer, d: RelayDestination): void {
  writer.u8(destinationFlags(d));
  if (d.endpoint) encodeEndpoint(writer, d.endpoint);
  if (d.peer) writer.fixed(d.peer, PEER_HASH_LENGTH, 'peer');
  if (d.relay) writer.fixed(d.relay, PEER_HASH_LENGTH, 'relay');
}

/** Borrows from the reader's bytes. @throws DecodeError `wire.truncated`, `wire.invalid` */
export function decodeDestination(reader: Reader): RelayDestination {
  const flags = reader.u8();
  if (!validDestination(flags)) throw new DecodeError('wire.invalid', 'unknown form of destination', reader.offset - 1);
  return {
    ...((flags & HAS_ENDPOINT) !== 0 && { endpoint: decodeEndpoint(reader) }),
    ...((flags & HAS_PEER) !== 0 && { peer: reader.bytes(PEER_HASH_LENGTH) }),
    ...((flags & HAS_RELAY) !== 0 && { relay: reader.bytes(PEER_HASH_LENGTH) }),
  };
}

/** @throws RangeError for port 0, which names no link (R6) */
export function encodePort(writer: Writer, port: bigint): Writer {
  if (port === 0n) throw new RangeError('the relay port must not be 0');
  return writer.u64(port);
}

/** @throws DecodeError `wire.invalid` for port 0, which names no link (R6) */
export function decodePort(reader: Reader): bigint {
  const port = reader.u64();
  if (port === 0n) throw new DecodeError('wire.invalid', 'relay port 0', reader.offset - 8);
  return port;
}

const CREATE_FIXED_LENGTH: number = 8 + 1 + 1 + 2 + 4 + HANDSHAKE_REQUEST_LENGTH;

/** Bytes {@link encodeRelayCreate} will write. */
export function relayCreateLength(m: RelayCreate): number {
  return CREATE_FIXED_LENGTH + destinationLength(m.destination);
}

/** docs/protocol.md §6.4. @throws RangeError for a field out of its range */
export function encodeRelayCreate(writer: Writer, m: RelayCreate): void {
  encodePort(writer, m.port).u8(m.hopsLeft).u8(m.attemptsLeft).u16(m.budgetMs).u32(m.window);
  encodeDestination(writer, m.destination);
  writer.fixed(m.request, HANDSHAKE_REQUEST_LENGTH, 'request');
}

/** Borrows from the reader's bytes. @throws DecodeError `wire.truncated`, `wire.invalid` */
export function decodeRelayCreate(reader: Reader): RelayCreate {
  return {
    type: 'relay-create',
    port: decodePort(reader),
    hopsLeft: reader.u8(),
    attemptsLeft: reader.u8(),
    budgetMs: reader.u16(),
    window: reader.u32(),
    destination: decodeDestination(reader),
    request: reader.bytes(HANDSHAKE_REQUEST_LENGTH),
  };
}

const LIMITS_LENGTH = 4 + 8 + 4;

function encodeLimits(writer: Writer, limits: RelayLimits): void {
  writer.u32(limits.bytesPerSecond).count(limits.maxBytes).u32(limits.maxAgeMs);
}

function decodeLimits(reader: Reader): RelayLimits {
  return { bytesPerSecond: reader.u32(), maxBytes: reader.count(), maxAgeMs: reader.u32() };
}

/** By their number on the wire. */
const STATUSES: readonly RelayStatus['status'][] = ['accepted', 'refused', 'stalled', 'flowing'];

/** Bytes {@link encodeRelayStatus} will write. */
export function relayStatusLength(m: RelayStatus): number {
  if (m.status === 'stalled' || m.status === 'flowing') return 8 + 1;
  return 8 + 1 + LIMITS_LENGTH + (m.status === 'accepted' ? 4 + HANDSHAKE_ANSWER_LENGTH : 2 + 4);
}

/** docs/protocol.md §6.4. @throws RangeError for a field out of its range */
export function encodeRelayStatus(writer: Writer, m: RelayStatus): void {
  encodePort(writer, m.port).u8(STATUSES.indexOf(m.status));
  if (m.status === 'stalled' || m.status === 'flowing') return;
  encodeLimits(writer, m.limits);
  if (m.status === 'accepted') {
    writer.u32(m.window).fixed(m.answer, HANDSHAKE_ANSWER_LENGTH, 'answer');
  } else {
    encodeReason(writer, m.reason);
    writer.u32(m.retryAfterMs);
  }
}

/** Borrows from the reader's bytes. @throws DecodeError `wire.truncated`, `wire.invalid` */
export function decodeRelayStatus(reader: Reader): RelayStatus {
  const port = decodePort(reader);
  const status = STATUSES[reader.u8()];
  if (status === undefined) throw new DecodeError('wire.invalid', 'unknown relay status', reader.offset - 1);
  if (status === 'stalled' || status === 'flowing') return { type: 'relay-status', port, status };
  const limits = decodeLimits(reader);
  if (status === 'accepted')
    return { type: 'relay-status', port, status: 'accepted', limits, window: reader.u32(), answer: reader.bytes(HANDSHAKE_ANSWER_LENGTH) };
  return { type: 'relay-status', port, status: 'refused', limits, reason: decodeReason(reader), retryAfterMs: reader.u32() };
}

/** By their number on the wire. */
const REGISTER_STATUSES: readonly RelayRegister['status'][] = ['withdrawn', 'asked', 'taken', 'refused'];

/** Bytes {@link encodeRelayRegister} will write. */
export function relayRegisterLength({ status }: RelayRegister): number {
  return status === 'refused' ? 1 + 2 + 4 : 1;
}

/** docs/protocol.md §6.4. @throws RangeError for a field out of its range */
export function encodeRelayRegister(writer: Writer, m: RelayRegister): void {
  writer.u8(REGISTER_STATUSES.indexOf(m.status));
  if (m.status !== 'refused') return;
  encodeReason(writer, m.reason);
  writer.u32(m.retryAfterMs);
}

/** @throws DecodeError `wire.truncated`, `wire.invalid` */
export function decodeRelayRegister(reader: Reader): RelayRegister {
  const status = REGISTER_STATUSES[reader.u8()];
  if (status === undefined) throw new DecodeError('wire.invalid', 'unknown status of a registration', reader.offset - 1);
  if (status !== 'refused') return { type: 'relay-register', status };
  return { type: 'relay-register', status, reason: decodeReason(reader), retryAfterMs: reader.u32() };
}
