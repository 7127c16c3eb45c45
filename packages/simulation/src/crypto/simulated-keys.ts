import { type DhKeyPair, type KemKeyPair, type Random, type SigningKey, randomBytes } from '@matryoshka/session';
import { MatryoshkaError } from '@matryoshka/wire';
import { expand } from './mixing.ts';

const KEY_LENGTH = 32;
const SIGNATURE_LENGTH = 64;
const KEM_SEED_LENGTH = 64;
const KEM_PUBLIC_KEY_LENGTH = 1184;
const KEM_CIPHERTEXT_LENGTH = 1088;
/** Bytes of a public key of ML-KEM-768 that hold coefficients, 12 bits each (FIPS 203 §7.2). */
const KEM_COEFFICIENTS_LENGTH = 1152;
const KEM_MODULUS = 3329;
const SHARED_LENGTH = 32;

// Each value has a seed of its own, so that none is another one's beginning.
const DH_PUBLIC = 1;
const DH_SHARED = 2;
const SIGN_PUBLIC = 3;
const SIGNATURE = 4;
const KEM_PUBLIC = 5;
const KEM_MASK = 6;
const KEM_REST = 7;
const KEM_SHARED = 8;
const KEM_REJECTED = 9;

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`${what} must have ${length} bytes, not ${bytes.length}`);
}

/**
 * A key pair with the manners of X25519: whoever has one of two secrets and the other's public key gets the same shared
 * secret. It follows from both public keys, so it is one to nobody.
 */
export class SimulatedDhKeyPair implements DhKeyPair {
  readonly publicKey: Uint8Array;
  #wiped = false;

  constructor(secret: Uint8Array) {
    checkLength(secret, KEY_LENGTH, 'an X25519 secret');
    this.publicKey = expand(DH_PUBLIC, KEY_LENGTH, secret);
    this.publicKey[KEY_LENGTH - 1] = (this.publicKey[KEY_LENGTH - 1] as number) & 0x7f;
  }

  shared(publicKey: Uint8Array): Uint8Array {
    checkLength(publicKey, KEY_LENGTH, 'an X25519 public key');
    if (this.#wiped) throw new TypeError('a key was used after it was wiped');
    // RFC 7748 §5: the top bit is not used.
    const theirs = publicKey.slice();
    theirs[KEY_LENGTH - 1] = (theirs[KEY_LENGTH - 1] as number) & 0x7f;
    if (LOW_ORDER.some((point) => same(point, theirs))) return new Uint8Array(SHARED_LENGTH);
    return comesFirst(this.publicKey, theirs)
      ? expand(DH_SHARED, SHARED_LENGTH, this.publicKey, theirs)
      : expand(DH_SHARED, SHARED_LENGTH, theirs, this.publicKey);
  }

  wipe(): void {
    this.#wiped = true;
  }
}

/** Points of low order of Curve25519 and its twist; each gives zeros (RFC 7748 §6.1). */
const LOW_ORDER: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => Uint8Array.from({ length: KEY_LENGTH }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)));

/** Whether `a` is before `b` in the order of their bytes. */
function comesFirst(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number);
  return true;
}

/** A key with the manners of Ed25519: a signature fits one key and one message. Whoever knows the key can make them. */
export class SimulatedSigningKey implements SigningKey {
  readonly publicKey: Uint8Array;

  constructor(seed: Uint8Array) {
    checkLength(seed, KEY_LENGTH, 'an Ed25519 seed');
    this.publicKey = expand(SIGN_PUBLIC, KEY_LENGTH, seed);
  }

  sign(message: Uint8Array): Uint8Array {
    return expand(SIGNATURE, SIGNATURE_LENGTH, this.publicKey, message);
  }
}

export function simulatedVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== KEY_LENGTH || signature.length !== SIGNATURE_LENGTH) return false;
  return same(expand(SIGNATURE, SIGNATURE_LENGTH, publicKey, message), signature);
}

/**
 * A key pair with the manners of ML-KEM-768: a ciphertext holds a secret, masked by the public key, and bytes that
 * follow from both; where these are wrong the secret is one that nobody else has (FIPS 203 §6.3).
 */
export class SimulatedKemKeyPair implements KemKeyPair {
  readonly publicKey: Uint8Array;
  #seed: Uint8Array | undefined;

  constructor(seed: Uint8Array) {
    checkLength(seed, KEM_SEED_LENGTH, 'an ML-KEM-768 seed');
    this.#seed = seed.slice();
    this.publicKey = expand(KEM_PUBLIC, KEM_PUBLIC_KEY_LENGTH, seed);
    // Coefficients of 11 bits are below the modulus.
    for (let at = 0; at < KEM_COEFFICIENTS_LENGTH; at += 3) {
      this.publicKey[at + 1] = (this.publicKey[at + 1] as number) & 0xf7;
      this.publicKey[at + 2] = (this.publicKey[at + 2] as number) & 0x7f;
    }
  }

  decapsulate(ciphertext: Uint8Array): Uint8Array {
    checkLength(ciphertext, KEM_CIPHERTEXT_LENGTH, 'an ML-KEM-768 ciphertext');
    if (this.#seed === undefined) throw new TypeError('a key was used after it was wiped');
    const secret = masked(this.publicKey, ciphertext.subarray(0, SHARED_LENGTH));
    if (same(kemCiphertext(this.publicKey, secret), ciphertext)) return expand(KEM_SHARED, SHARED_LENGTH, this.publicKey, secret);
    return expand(KEM_REJECTED, SHARED_LENGTH, this.#seed.subarray(KEM_SEED_LENGTH / 2), ciphertext);
  }

  wipe(): void {
    this.#seed?.fill(0);
    this.#seed = undefined;
  }
}

/** @throws MatryoshkaError `session.handshake-failed` where the key fails the modulus check (FIPS 203 §7.2) */
export function simulatedEncapsulate(publicKey: Uint8Array, random: Random): { ciphertext: Uint8Array; shared: Uint8Array } {
  checkLength(publicKey, KEM_PUBLIC_KEY_LENGTH, 'an ML-KEM-768 public key');
  for (let at = 0; at < KEM_COEFFICIENTS_LENGTH; at += 3) {
    const [b0, b1, b2] = [publicKey[at] as number, publicKey[at + 1] as number, publicKey[at + 2] as number];
    if ((b0 | ((b1 & 0xf) << 8)) >= KEM_MODULUS || ((b1 >> 4) | (b2 << 4)) >= KEM_MODULUS)
      throw new MatryoshkaError('session.handshake-failed', 'an ML-KEM-768 public key is malformed');
  }
  const secret = randomBytes(random, SHARED_LENGTH);
  return { ciphertext: kemCiphertext(publicKey, secret), shared: expand(KEM_SHARED, SHARED_LENGTH, publicKey, secret) };
}

function kemCiphertext(publicKey: Uint8Array, secret: Uint8Array): Uint8Array {
  const ciphertext = expand(KEM_REST, KEM_CIPHERTEXT_LENGTH, publicKey, secret);
  ciphertext.set(masked(publicKey, secret));
  return ciphertext;
}

function masked(publicKey: Uint8Array, secret: Uint8Array): Uint8Array {
  const mask = expand(KEM_MASK, SHARED_LENGTH, publicKey);
  return mask.map((byte, i) => byte ^ (secret[i] as number));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
