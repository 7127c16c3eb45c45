import { DecodeError } from './errors.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

// docs/protocol.md §3.2: each handshake message has one size, whatever the pattern and whoever sends it.

/** Length of the first handshake message, in bytes. */
export const HANDSHAKE_REQUEST_LENGTH = 1280;
/** Length of the second one. */
export const HANDSHAKE_ANSWER_LENGTH = 1344;
/** Length of the initiator's next link message: the third handshake message where the pattern has one, and the first record. */
export const HANDSHAKE_OPENING_LENGTH = 384;

/** Version of this protocol, first byte of the selector. */
export const PROTOCOL_VERSION = 0x01;
/** Version u8, suite u8, pattern u8; also the Noise prologue. */
export const SELECTOR_LENGTH = 3;

/** Numbers of the suites (docs/protocol.md §3.1). */
export const SUITES = { chacha20poly1305: 0x01, aes256gcm: 0x02 } as const;
/** AEAD of a session, chosen by its initiator. */
export type SuiteName = keyof typeof SUITES;
/** Numbers of the handshake patterns (docs/protocol.md §3.1). */
export const PATTERNS = { XX: 0x01, NK: 0x02 } as const;
/** Handshake pattern of a session, chosen by its initiator. */
export type PatternName = keyof typeof PATTERNS;

/** What the initiator chose; in clear before the first handshake message and bound into it. */
export interface Selector {
  /** AEAD of the handshake and of the records after it. */
  readonly suite: SuiteName;
  /** Whether the responder's static key is known (NK) or sent (XX). */
  readonly pattern: PatternName;
}

/** An identity key and its signature over the handshake so far (docs/protocol.md §3.3). */
export interface IdentityProof {
  /** Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** Ed25519 signature, 64 bytes. */
  readonly signature: Uint8Array;
}

/** Length of an Ed25519 public key, in bytes. */
export const IDENTITY_KEY_LENGTH = 32;
/** Length of an Ed25519 signature, in bytes. */
export const SIGNATURE_LENGTH = 64;
/** Flag u8, key, signature; all zeros without an identity. */
export const IDENTITY_PAYLOAD_LENGTH: number = 1 + IDENTITY_KEY_LENGTH + SIGNATURE_LENGTH;
/** Hours since 1970, u32. */
export const REQUEST_PAYLOAD_LENGTH = 4;

const suiteNames: readonly (SuiteName | undefined)[] = [undefined, 'chacha20poly1305', 'aes256gcm'];
const patternNames: readonly (PatternName | undefined)[] = [undefined, 'XX', 'NK'];

/** Version u8, suite u8, pattern u8 (docs/protocol.md §3.1). */
export function encodeSelector(writer: Writer, selector: Selector): void {
  writer.u8(PROTOCOL_VERSION).u8(SUITES[selector.suite]).u8(PATTERNS[selector.pattern]);
}

/** @throws DecodeError `session.incompatible` for a version, suite or pattern not known here */
export function decodeSelector(reader: Reader): Selector {
  const at = reader.offset;
  const version = reader.u8();
  const suite = suiteNames[reader.u8()];
  const pattern = patternNames[reader.u8()];
  if (version !== PROTOCOL_VERSION) throw new DecodeError('session.incompatible', `protocol version ${version}`, at);
  if (suite === undefined || pattern === undefined) throw new DecodeError('session.incompatible', 'unknown suite or pattern', at + 1);
  return { suite, pattern };
}

/** All zeros without a proof. @throws RangeError for a key or signature of another length */
export function encodeIdentityPayload(writer: Writer, proof: IdentityProof | undefined): void {
  if (proof === undefined) {
    writer.zeros(IDENTITY_PAYLOAD_LENGTH);
    return;
  }
  writer.u8(1).fixed(proof.key, IDENTITY_KEY_LENGTH, 'identity key').fixed(proof.signature, SIGNATURE_LENGTH, 'signature');
}

/** Borrows from the reader's bytes. @throws DecodeError `wire.invalid` */
export function decodeIdentityPayload(reader: Reader): IdentityProof | undefined {
  const flag = reader.u8();
  if (flag > 1) throw new DecodeError('wire.invalid', 'unknown identity flag', reader.offset - 1);
  const proof = { key: reader.bytes(IDENTITY_KEY_LENGTH), signature: reader.bytes(SIGNATURE_LENGTH) };
  return flag === 1 ? proof : undefined;
}
