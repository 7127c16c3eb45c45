import { MatryoshkaError } from '@matryoshka/wire';
import type { CryptoProvider, DhKeyPair, KemKeyPair } from './crypto.ts';
import type { KeyPairSource } from './key-pair-source.ts';
import type { Random } from './random.ts';

const utf8 = new TextEncoder();
// Neither is the other's beginning.
const RATCHET_LABEL: Uint8Array = utf8.encode('matryoshka key update');
const EXCHANGE_LABEL: Uint8Array = utf8.encode('matryoshka key exchange');

/**
 * The key of one direction after `key` (docs/protocol.md §4.4), 32 bytes: HMAC-SHA-256(key, "matryoshka key update"), or
 * with the secret of an exchange HMAC-SHA-256(key, "matryoshka key exchange" ‖ secret). No key leads back to the one before.
 * @param secret - 32 bytes, from a key exchange
 */
export function nextKey(provider: CryptoProvider, key: Uint8Array, secret?: Uint8Array): Uint8Array {
  const hash = provider.hash('SHA256');
  return secret === undefined ? hash.hmac(key, RATCHET_LABEL) : hash.hmac(key, EXCHANGE_LABEL, secret);
}

/** What the initiator of a key exchange sends. */
export interface KeyExchangeRequest {
  /** X25519 public key, 32 bytes. */
  readonly dhKey: Uint8Array;
  /** ML-KEM-768 public key, 1,184 bytes. */
  readonly kemKey: Uint8Array;
}

/** What the responder sends back. */
export interface KeyExchangeAnswer {
  /** X25519 public key, 32 bytes. */
  readonly dhKey: Uint8Array;
  /** ML-KEM-768 ciphertext, 1,088 bytes. */
  readonly ciphertext: Uint8Array;
}

/** The initiator's half of a fresh X25519 and ML-KEM-768 exchange inside a session (docs/protocol.md §4.4). */
export class KeyExchange {
  /** Views of its key pairs. */
  readonly request: KeyExchangeRequest;
  readonly #dh: DhKeyPair;
  readonly #kem: KemKeyPair;

  /** Takes one key pair of each kind. */
  constructor(source: KeyPairSource) {
    this.#dh = source.dhKeyPair();
    this.#kem = source.kemKeyPair();
    this.request = { dhKey: this.#dh.publicKey, kemKey: this.#kem.publicKey };
  }

  /** The secret, 32 bytes, which is the caller's. The key pairs are overwritten. */
  finish(provider: CryptoProvider, answer: KeyExchangeAnswer): Uint8Array {
    const secret = exchangeSecret(provider, this.request, answer, this.#dh.shared(answer.dhKey), this.#kem.decapsulate(answer.ciphertext));
    this.wipe();
    return secret;
  }

  /** Gives up: overwrites the key pairs. */
  wipe(): void {
    this.#dh.wipe();
    this.#kem.wipe();
  }
}

/**
 * The responder's half: the answer, and the secret, 32 bytes, which is the caller's. Borrows `request` during the call.
 * @throws MatryoshkaError `wire.invalid` for a malformed ML-KEM key (FIPS 203 §7.2)
 */
export function answerKeyExchange(
  provider: CryptoProvider,
  random: Random,
  source: KeyPairSource,
  request: KeyExchangeRequest,
): { readonly answer: KeyExchangeAnswer; readonly secret: Uint8Array } {
  const { ciphertext, shared } = encapsulate(provider, random, request.kemKey);
  const dh = source.dhKeyPair();
  const answer: KeyExchangeAnswer = { dhKey: dh.publicKey.slice(), ciphertext };
  const secret = exchangeSecret(provider, request, answer, dh.shared(request.dhKey), shared);
  dh.wipe();
  return { answer, secret };
}

function encapsulate(provider: CryptoProvider, random: Random, kemKey: Uint8Array): ReturnType<CryptoProvider['kemEncapsulate']> {
  try {
    return provider.kemEncapsulate(kemKey, random);
  } catch (error) {
    // No handshake has failed here: the session's own peer sent it.
    throw new MatryoshkaError('wire.invalid', 'a malformed ML-KEM key in a key update', { cause: error });
  }
}

/** HMAC-SHA-256(SHA-256(request ‖ answer), X25519 ‖ ML-KEM); overwrites both shared secrets. */
function exchangeSecret(
  provider: CryptoProvider,
  request: KeyExchangeRequest,
  answer: KeyExchangeAnswer,
  dhShared: Uint8Array,
  kemShared: Uint8Array,
): Uint8Array {
  const hash = provider.hash('SHA256');
  const transcript = hash.digest(request.dhKey, request.kemKey, answer.dhKey, answer.ciphertext);
  const secret = hash.hmac(transcript, dhShared, kemShared);
  dhShared.fill(0);
  kemShared.fill(0);
  return secret;
}
