import type { DhKeyPair, SigningKey } from '@matryoshka/session';
import { checkLength } from './check-length.ts';
import { Secret } from './secret.ts';
import type { Sodium } from './sodium.ts';

// libsodium and not node:crypto: its keys are bytes that can be wiped, importing them costs nothing, and a verification
// takes less than half the time. It also has the narrow reading of RFC 8032 that the portable provider has.
const KEY_LENGTH = 32;
const SIGNATURE_LENGTH = 64;

/** X25519 (RFC 7748) of libsodium. */
export class NativeDhKeyPair implements DhKeyPair {
  readonly publicKey: Uint8Array;
  readonly #sodium: Sodium;
  readonly #secret: Secret;

  /** Copies `secret`, 32 bytes. @throws RangeError for another length */
  constructor(sodium: Sodium, secret: Uint8Array) {
    checkLength(secret, KEY_LENGTH, 'an X25519 secret');
    this.#sodium = sodium;
    this.#secret = new Secret(secret);
    this.publicKey = new Uint8Array(KEY_LENGTH);
    sodium.crypto_scalarmult_base(this.publicKey, secret);
  }

  shared(publicKey: Uint8Array): Uint8Array {
    checkLength(publicKey, KEY_LENGTH, 'an X25519 public key');
    const secret = this.#secret.bytes;
    const shared = new Uint8Array(KEY_LENGTH);
    try {
      this.#sodium.crypto_scalarmult(shared, secret, publicKey);
      return shared;
    } catch {
      // The lengths are right, so it is a point of low order: zeros, as Noise permits (rev 34 §12.1).
      return shared.fill(0);
    }
  }

  wipe(): void {
    this.#secret.wipe();
  }
}

/** Ed25519 (RFC 8032) of libsodium. */
export class NativeSigningKey implements SigningKey {
  readonly publicKey: Uint8Array;
  readonly #sodium: Sodium;
  /** The seed and the public key. */
  readonly #secretKey: Uint8Array;

  /** Copies `seed`, 32 bytes. @throws RangeError for another length */
  constructor(sodium: Sodium, seed: Uint8Array) {
    checkLength(seed, KEY_LENGTH, 'an Ed25519 seed');
    this.#sodium = sodium;
    this.publicKey = new Uint8Array(KEY_LENGTH);
    this.#secretKey = new Uint8Array(2 * KEY_LENGTH);
    sodium.crypto_sign_seed_keypair(this.publicKey, this.#secretKey, seed);
  }

  sign(message: Uint8Array): Uint8Array {
    const signature = new Uint8Array(SIGNATURE_LENGTH);
    this.#sodium.crypto_sign_detached(signature, message, this.#secretKey);
    return signature;
  }
}

/** Whether the signature is valid, as the portable provider reads RFC 8032. */
export function nativeVerify(sodium: Sodium, publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== KEY_LENGTH || signature.length !== SIGNATURE_LENGTH) return false;
  return sodium.crypto_sign_verify_detached(signature, message, publicKey);
}
