import { MatryoshkaError } from '@matryoshka/wire';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { KemKeyPair } from '../crypto.ts';
import { type Random, randomBytes } from '../random.ts';
import { checkLength } from './check-length.ts';
import { Secret } from './secret.ts';

// FIPS 203 §8, table 3.
const SEED_LENGTH = 64;
const PUBLIC_KEY_LENGTH = 1184;
const CIPHERTEXT_LENGTH = 1088;
const RANDOMNESS_LENGTH = 32;

/** ML-KEM-768 (FIPS 203) in plain TypeScript. */
export class PortableKemKeyPair implements KemKeyPair {
  readonly publicKey: Uint8Array;
  readonly #secretKey: Secret;

  /** Copies `seed`, 64 bytes. @throws RangeError for another length */
  constructor(seed: Uint8Array) {
    checkLength(seed, SEED_LENGTH, 'an ML-KEM-768 seed');
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    this.publicKey = publicKey;
    this.#secretKey = new Secret(secretKey);
    secretKey.fill(0);
  }

  decapsulate(ciphertext: Uint8Array): Uint8Array {
    checkLength(ciphertext, CIPHERTEXT_LENGTH, 'an ML-KEM-768 ciphertext');
    return ml_kem768.decapsulate(ciphertext, this.#secretKey.bytes);
  }

  wipe(): void {
    this.#secretKey.wipe();
  }
}

/** Encapsulation with 32 bytes drawn from `random`. */
export function portableEncapsulate(publicKey: Uint8Array, random: Random): { ciphertext: Uint8Array; shared: Uint8Array } {
  checkLength(publicKey, PUBLIC_KEY_LENGTH, 'an ML-KEM-768 public key');
  const randomness = randomBytes(random, RANDOMNESS_LENGTH);
  try {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, randomness);
    return { ciphertext: cipherText, shared: sharedSecret };
  } catch (error) {
    // The lengths are right: it is the modulus check (FIPS 203 §7.2).
    throw new MatryoshkaError('session.handshake-failed', 'an ML-KEM-768 public key is malformed', { cause: error });
  } finally {
    randomness.fill(0);
  }
}
