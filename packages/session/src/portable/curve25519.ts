import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE, equalBytes } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import type { DhKeyPair, SigningKey } from '../crypto.ts';
import { checkLength } from './check-length.ts';
import { Secret } from './secret.ts';

const KEY_LENGTH = 32;
const { Point } = ed25519;

/** X25519 (RFC 7748) in plain TypeScript. */
export class PortableDhKeyPair implements DhKeyPair {
  readonly publicKey: Uint8Array;
  readonly #secret: Secret;

  /** Copies `secret`, 32 bytes. @throws RangeError for another length */
  constructor(secret: Uint8Array) {
    checkLength(secret, KEY_LENGTH, 'an X25519 secret');
    this.#secret = new Secret(secret);
    this.publicKey = x25519.getPublicKey(secret);
  }

  shared(publicKey: Uint8Array): Uint8Array {
    checkLength(publicKey, KEY_LENGTH, 'an X25519 public key');
    const secret = this.#secret.bytes;
    try {
      return x25519.getSharedSecret(secret, publicKey);
    } catch {
      // The lengths are right, so it is a point of low order, which this library refuses: each of them has the
      // shared secret zero (RFC 7748 §6.1), and Noise goes on with that (rev 34 §12.1).
      return new Uint8Array(KEY_LENGTH);
    }
  }

  wipe(): void {
    this.#secret.wipe();
  }
}

/** Ed25519 (RFC 8032) in plain TypeScript. */
export class PortableSigningKey implements SigningKey {
  readonly publicKey: Uint8Array;
  readonly #seed: Secret;

  /** Copies `seed`, 32 bytes. @throws RangeError for another length */
  constructor(seed: Uint8Array) {
    checkLength(seed, KEY_LENGTH, 'an Ed25519 seed');
    this.#seed = new Secret(seed);
    this.publicKey = ed25519.getPublicKey(seed);
  }

  sign(message: Uint8Array): Uint8Array {
    return ed25519.sign(message, this.#seed.bytes);
  }
}

/**
 * Whether the signature is valid by RFC 8032 in its narrow reading: one encoding per key and signature, nothing of small
 * order, and the equation without the cofactor.
 */
export function portableVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== KEY_LENGTH || signature.length !== 2 * KEY_LENGTH) return false;
  return ed25519.verify(signature, message, publicKey, { zip215: false }) && holdsWithoutCofactor(publicKey, message, signature);
}

/**
 * RFC 8032 §5.1.7 leaves two equations open; this library checks the one with the cofactor, the native one the other.
 * Who holds a key can make signatures that satisfy only one of them, and every node must come to the same answer. So
 * this can only refuse more of what the library has found valid.
 */
function holdsWithoutCofactor(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const r = signature.subarray(0, KEY_LENGTH);
  const s = bytesToNumberLE(signature.subarray(KEY_LENGTH));
  const k = Point.Fn.create(bytesToNumberLE(sha512.create().update(r).update(publicKey).update(message).digest()));
  const expected = Point.BASE.multiplyUnsafe(s).subtract(Point.fromBytes(publicKey).multiplyUnsafe(k));
  return !expected.isSmallOrder() && equalBytes(expected.toBytes(), r);
}
