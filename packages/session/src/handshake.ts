import { type PatternName, SELECTOR_LENGTH, type Selector, type SuiteName, Writer, encodeSelector } from '@matryoshka/wire';
import type { CryptoProvider, DhKeyPair } from './crypto.ts';
import type { KeyPairSource } from './key-pair-source.ts';
import type { HandshakeState } from './noise/handshake-state.ts';
import type { Role } from './noise/pattern.ts';
import { type NoiseProtocol, parseProtocolName } from './noise/protocol-name.ts';

// What both sides of docs/protocol.md §3 have in common.

const utf8 = new TextEncoder();
const PROLOGUE_LABEL: Uint8Array = utf8.encode('matryoshka/1');
const NETWORK_KEY_LABEL: Uint8Array = utf8.encode('matryoshka network key 1');
const SESSION_ID_LABEL: Uint8Array = utf8.encode('matryoshka session id');
const RESUME_LABEL: Uint8Array = utf8.encode('matryoshka resume secret');
const MASK_FORWARD_LABEL: Uint8Array = utf8.encode('matryoshka mask forward');
const MASK_BACKWARD_LABEL: Uint8Array = utf8.encode('matryoshka mask backward');
const SESSION_ID_LENGTH = 16;
const MAX_HOUR = 0xffff_ffff;

/** Length of the third handshake message, with which the opening begins: none in NK, whose initiator proves nothing. */
export const THIRD_MESSAGE_LENGTHS: Readonly<Record<PatternName, number>> = { XX: 161, NK: 0 };

/** What a handshake gives to the session (docs/protocol.md §3.4). All arrays are the caller's. */
export interface SessionKeys {
  /** Which side we are. */
  readonly role: Role;
  /** Under which both are used. */
  readonly suite: SuiteName;
  /** Key of the records we send, 32 bytes: of Noise's Split, the first for the initiator, the second for the responder. */
  readonly send: Uint8Array;
  /** Key of the records we receive, 32 bytes: the other one. */
  readonly receive: Uint8Array;
  /** Final handshake hash, 32 bytes; the same at both ends of this handshake, not secret. */
  readonly handshakeHash: Uint8Array;
  /**
   * 16 bytes that name the session to both ends and to nobody else: the first of HMAC-SHA-256(ck, "matryoshka session
   * id" ‖ handshake hash), with Noise's final chaining key ck.
   */
  readonly sessionId: Uint8Array;
  /** 32 bytes that prove a resume to come from the same party: HMAC-SHA-256(ck, "matryoshka resume secret" ‖ handshake hash). */
  readonly resumeSecret: Uint8Array;
  /**
   * 32 bytes that a framing masks the lengths of what we send with: HMAC-SHA-256(ck, "matryoshka mask forward" ‖ handshake
   * hash) for the initiator, with "backward" for the responder.
   */
  readonly maskSend: Uint8Array;
  /** The other side's `maskSend`. */
  readonly maskReceive: Uint8Array;
}

/**
 * The pre-shared key of a network, 32 bytes: SHA-256("matryoshka network key 1" ‖ 0x01 ‖ network key), or without a
 * network key the public constant SHA-256("matryoshka network key 1" ‖ 0x00).
 * @throws RangeError for an empty network key
 */
export function networkKeyPsk(provider: CryptoProvider, networkKey?: Uint8Array): Uint8Array {
  if (networkKey?.length === 0) throw new RangeError('a network key is not empty');
  const hash = provider.hash('SHA256');
  return networkKey === undefined
    ? hash.digest(NETWORK_KEY_LABEL, Uint8Array.of(0))
    : hash.digest(NETWORK_KEY_LABEL, Uint8Array.of(1), networkKey);
}

const PROTOCOLS: Readonly<Record<PatternName, Readonly<Record<SuiteName, NoiseProtocol>>>> = {
  XX: {
    chacha20poly1305: parseProtocolName('Noise_XXhfs+psk0_25519+MLKEM768_ChaChaPoly_SHA256'),
    aes256gcm: parseProtocolName('Noise_XXhfs+psk0_25519+MLKEM768_AESGCM_SHA256'),
  },
  NK: {
    chacha20poly1305: parseProtocolName('Noise_NKhfs+psk0_25519+MLKEM768_ChaChaPoly_SHA256'),
    aes256gcm: parseProtocolName('Noise_NKhfs+psk0_25519+MLKEM768_AESGCM_SHA256'),
  },
};

/** The Noise protocol that a selector stands for (docs/protocol.md §3.2). */
export function selectedProtocol({ pattern, suite }: Selector): NoiseProtocol {
  return PROTOCOLS[pattern][suite];
}

/** The selector on the wire, 3 bytes. */
export function selectorBytes(selector: Selector): Uint8Array {
  const bytes = new Uint8Array(SELECTOR_LENGTH);
  encodeSelector(new Writer(bytes), selector);
  return bytes;
}

/** "matryoshka/1" ‖ selector: so that nobody on the way can choose something weaker. */
export function prologueOf(selector: Selector): Uint8Array {
  const prologue = new Uint8Array(PROLOGUE_LABEL.length + SELECTOR_LENGTH);
  prologue.set(PROLOGUE_LABEL);
  prologue.set(selectorBytes(selector), PROLOGUE_LABEL.length);
  return prologue;
}

/**
 * A static key for one handshake, which tells nobody that two handshakes have the same owner. Taken at its first use: a
 * request that does not authenticate costs its receiver no key.
 */
export class OneTimeStatic implements DhKeyPair {
  readonly #source: KeyPairSource;
  #pair: DhKeyPair | undefined;

  constructor(source: KeyPairSource) {
    this.#source = source;
  }

  get publicKey(): Uint8Array {
    return this.#taken().publicKey;
  }

  shared(publicKey: Uint8Array): Uint8Array {
    return this.#taken().shared(publicKey);
  }

  wipe(): void {
    this.#pair?.wipe();
  }

  #taken(): DhKeyPair {
    this.#pair ??= this.#source.dhKeyPair();
    return this.#pair;
  }
}

/** @throws RangeError unless `hour` is what a request can carry */
export function assertHour(hour: number): void {
  if (!Number.isInteger(hour) || hour < 0 || hour > MAX_HOUR)
    throw new RangeError(`an hour is a whole number of hours since 1970, not ${hour}`);
}

/** Takes the keys out of a handshake that is done, and wipes what is left in it. */
export function deriveSessionKeys(noise: HandshakeState, role: Role, suite: SuiteName): SessionKeys {
  const result = noise.done;
  if (result === undefined) throw new TypeError('the handshake is not done');
  const forward = result.exportSecret(MASK_FORWARD_LABEL);
  const backward = result.exportSecret(MASK_BACKWARD_LABEL);
  const keys: SessionKeys = {
    role,
    suite,
    send: result.send,
    receive: result.receive,
    handshakeHash: result.handshakeHash,
    sessionId: result.exportSecret(SESSION_ID_LABEL).slice(0, SESSION_ID_LENGTH),
    resumeSecret: result.exportSecret(RESUME_LABEL),
    maskSend: role === 'initiator' ? forward : backward,
    maskReceive: role === 'initiator' ? backward : forward,
  };
  result.wipe();
  return keys;
}
