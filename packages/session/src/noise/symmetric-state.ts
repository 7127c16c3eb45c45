import type { CryptoProvider, Hash } from '../crypto.ts';
import { CipherState } from './cipher-state.ts';
import type { NoiseProtocol } from './protocol-name.ts';

const utf8 = new TextEncoder();
const EMPTY = new Uint8Array(0);
const ONE = Uint8Array.of(1);
const TWO = Uint8Array.of(2);
const THREE = Uint8Array.of(3);
const CIPHER_KEY_LENGTH = 32;

/** Chaining key, handshake hash and cipher of a handshake (Noise §5.2). */
export class SymmetricState {
  readonly #hash: Hash;
  readonly #cipher: CipherState;
  #ck: Uint8Array;
  // Replaced by every step, never changed in place.
  #h: Uint8Array;

  /** InitializeSymmetric. */
  constructor(provider: CryptoProvider, protocol: NoiseProtocol) {
    this.#hash = provider.hash(protocol.hash);
    this.#cipher = new CipherState(provider, protocol.suite);
    const name = utf8.encode(protocol.name);
    if (name.length <= this.#hash.length) {
      this.#h = new Uint8Array(this.#hash.length);
      this.#h.set(name);
    } else {
      this.#h = this.#hash.digest(name);
    }
    this.#ck = this.#h.slice();
  }

  /** Bytes that the next encryption adds: 16, or 0 as long as there is no key. */
  get overhead(): number {
    return this.#cipher.overhead;
  }

  mixKey(material: Uint8Array): void {
    const [ck, key] = this.#hkdf(material, 2);
    this.#replaceChainingKey(ck as Uint8Array);
    this.#initializeKey(key as Uint8Array);
  }

  mixHash(data: Uint8Array): void {
    this.#h = this.#hash.digest(this.#h, data);
  }

  /** For pre-shared keys (Noise §9.2). */
  mixKeyAndHash(material: Uint8Array): void {
    const [ck, hashed, key] = this.#hkdf(material, 3);
    this.#replaceChainingKey(ck as Uint8Array);
    this.mixHash(hashed as Uint8Array);
    this.#initializeKey(key as Uint8Array);
  }

  /** The handshake hash so far: a copy. */
  getHandshakeHash(): Uint8Array {
    return this.#h.slice();
  }

  /** Writes `plaintext.length + overhead` bytes into `out` and returns how many. */
  encryptAndHash(plaintext: Uint8Array, out: Uint8Array): number {
    const length = this.#cipher.encryptWithAd(this.#h, plaintext, out);
    this.mixHash(out.subarray(0, length));
    return length;
  }

  /** The plaintext, newly allocated; undefined where it does not authenticate. */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array | undefined {
    if (ciphertext.length < this.overhead) return undefined;
    const plaintext = new Uint8Array(ciphertext.length - this.overhead);
    if (!this.#cipher.decryptWithAd(this.#h, ciphertext, plaintext)) return undefined;
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** The initiator's and the responder's transport key, 32 bytes each, newly allocated. */
  split(): { readonly initiator: Uint8Array; readonly responder: Uint8Array } {
    const [initiator, responder] = this.#hkdf(EMPTY, 2);
    return { initiator: cipherKey(initiator as Uint8Array), responder: cipherKey(responder as Uint8Array) };
  }

  /**
   * HMAC-HASH(ck, `label` ‖ h), HASHLEN bytes: a further secret for the application. Split is HMAC-HASH(ck, nothing) at
   * its root, so it and secrets of different labels tell nothing about each other.
   */
  exportSecret(label: Uint8Array): Uint8Array {
    if (label.length === 0) throw new RangeError('a secret needs a label');
    return this.#hash.hmac(this.#ck, label, this.#h);
  }

  /** Overwrites chaining key and cipher key. */
  wipe(): void {
    this.#ck.fill(0);
    this.#cipher.wipe();
  }

  #initializeKey(key: Uint8Array): void {
    this.#cipher.initializeKey(cipherKey(key));
  }

  #replaceChainingKey(ck: Uint8Array): void {
    this.#ck.fill(0);
    this.#ck = ck;
  }

  // Noise §4.3
  #hkdf(material: Uint8Array, outputs: 2 | 3): Uint8Array[] {
    const temp = this.#hash.hmac(this.#ck, material);
    const first = this.#hash.hmac(temp, ONE);
    const second = this.#hash.hmac(temp, first, TWO);
    const all = outputs === 2 ? [first, second] : [first, second, this.#hash.hmac(temp, second, THREE)];
    temp.fill(0);
    return all;
  }
}

// Noise §5.2: where HASHLEN is 64, keys are cut to 32 bytes.
function cipherKey(output: Uint8Array): Uint8Array {
  if (output.length === CIPHER_KEY_LENGTH) return output;
  const key = output.slice(0, CIPHER_KEY_LENGTH);
  output.fill(0);
  return key;
}
