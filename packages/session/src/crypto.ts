import type { SuiteName } from '@matryoshka/wire';
import type { Random } from './random.ts';

/** Of every AEAD here, in bytes. */
export const TAG_LENGTH = 16;
/** The same. */
export const KEY_LENGTH = 32;
/** The same. */
export const NONCE_LENGTH = 12;

/** An AEAD under one key. Nonces are the caller's; nothing here stops their reuse. */
export interface Aead {
  /**
   * Writes ciphertext and 16-byte tag into `out` and returns their length, `plaintext.length + 16`. `out` may begin at
   * the same byte as `plaintext` (sealing in place); any other overlap is not allowed.
   */
  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array): number;
  /**
   * Writes the plaintext into `out` and returns true; false where it does not authenticate, and then what `out` holds
   * is not defined. `out` may begin at the same byte as `ciphertext` (opening in place).
   */
  open(nonce: Uint8Array, associated: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean;
  /**
   * Present where the platform's cipher returns memory of its own, which `seal` and `open` would have to copy out of:
   * worth it for records of `fromLength` bytes of plaintext or more.
   */
  readonly detached?: DetachedAead;
  /** Overwrites the key as far as the platform lets us; using it afterwards throws. */
  wipe(): void;
}

/** Sealing and opening into memory of its own: each result has an `ArrayBuffer` for itself, to be freed when done with. */
export interface DetachedAead {
  /** Shorter plaintexts cost less in place, in bytes. */
  readonly fromLength: number;
  /** Seals; the tag stands alone. */
  seal(nonce: Uint8Array, plaintext: Uint8Array): { readonly ciphertext: Uint8Array<ArrayBuffer>; readonly tag: Uint8Array };
  /** Undefined where it does not authenticate. */
  open(nonce: Uint8Array, ciphertext: Uint8Array): Uint8Array<ArrayBuffer> | undefined;
}

/** Hash functions, by their names in Noise protocol names (Noise §12). */
export type HashName = 'SHA256' | 'SHA512' | 'BLAKE2s' | 'BLAKE2b';

/** A hash function, and HMAC over it (Noise §5.1). */
export interface Hash {
  /** Which one. */
  readonly name: HashName;
  /** Length of a digest in bytes: 32 or 64. */
  readonly length: number;
  /** Block length of HMAC in bytes: 64 or 128. */
  readonly blockLength: number;
  /** Digest of the parts, one after the other. */
  digest(...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC (RFC 2104) of the parts under `key`. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
}

/** An X25519 key pair (RFC 7748). */
export interface DhKeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The shared secret, 32 bytes. All zeros for a low-order `publicKey`, as the Noise specification allows. */
  shared(publicKey: Uint8Array): Uint8Array;
  /** Overwrites the secret, as far as the platform lets it; the pair is useless after that. */
  wipe(): void;
}

/** An ML-KEM-768 key pair (FIPS 203). */
export interface KemKeyPair {
  /** 1,184 bytes. */
  readonly publicKey: Uint8Array;
  /** The shared secret of a 1,088-byte ciphertext, 32 bytes. @throws RangeError for another length */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
  /** Overwrites the secret, as far as the platform lets it; the pair is useless after that. */
  wipe(): void;
}

/** An Ed25519 key (RFC 8032). */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** Every primitive a session needs. One portable and one native implementation pass the same contract suite. */
export interface CryptoProvider {
  /** For people: `portable`, `native`. */
  readonly name: string;
  /** The suite whose large records cost this machine less: what initiators choose unless told. */
  readonly preferredSuite: SuiteName;
  /** The hash function of that name. */
  hash(name: HashName): Hash;
  /** An AEAD under a 32-byte key. */
  aead(suite: SuiteName, key: Uint8Array): Aead;
  /** The X25519 key pair of a 32-byte secret. The secret is copied. */
  dhKeyPair(secret: Uint8Array): DhKeyPair;
  /** The ML-KEM-768 key pair of a 64-byte seed (FIPS 203 `d ‖ z`). */
  kemKeyPair(seed: Uint8Array): KemKeyPair;
  /**
   * Encapsulates to an ML-KEM-768 public key; 32 bytes of randomness come from `random` where the platform allows it.
   * @throws MatryoshkaError `session.handshake-failed` where the key fails the modulus check (FIPS 203 §7.2)
   */
  kemEncapsulate(publicKey: Uint8Array, random: Random): { readonly ciphertext: Uint8Array; readonly shared: Uint8Array };
  /** The Ed25519 key of a 32-byte seed. */
  signingKey(seed: Uint8Array): SigningKey;
  /** Whether an Ed25519 signature is valid; false for malformed keys and signatures. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}
