import { MatryoshkaError, type SuiteName } from '@matryoshka/wire';
import { type Aead, type CryptoProvider, KEY_LENGTH, NONCE_LENGTH, TAG_LENGTH } from '../crypto.ts';
import { MAX_NOISE_MESSAGE_LENGTH } from './key-lengths.ts';

// Noise §5.1: the highest nonce is kept for rekeying.
const MAX_NONCE = 0xffff_ffff_ffff_ffffn;
const EMPTY = new Uint8Array(0);
const ZEROS = new Uint8Array(KEY_LENGTH);

/**
 * A key and the number of its next message (Noise §5.1). Without a key it passes bytes through.
 *
 * Handshakes and the transport messages of test vectors run on it; a session's records have their own.
 */
export class CipherState {
  readonly #provider: CryptoProvider;
  readonly #suite: SuiteName;
  readonly #nonce: Uint8Array = new Uint8Array(NONCE_LENGTH);
  readonly #nonceView: DataView = new DataView(this.#nonce.buffer);
  #key: Uint8Array | undefined;
  // Made at its first use: a handshake replaces most of its keys before it encrypts anything.
  #aead: Aead | undefined;
  #n = 0n;

  constructor(provider: CryptoProvider, suite: SuiteName) {
    this.#provider = provider;
    this.#suite = suite;
  }

  /** Sets a 32-byte key, which it takes over and will overwrite, and starts at message 0. */
  initializeKey(key: Uint8Array): void {
    if (key.length !== KEY_LENGTH) throw new RangeError(`a cipher key has ${KEY_LENGTH} bytes, not ${key.length}`);
    this.wipe();
    this.#key = key;
    this.#n = 0n;
  }

  /** Noise §5.1 HasKey. */
  hasKey(): boolean {
    return this.#key !== undefined;
  }

  /** Bytes that encryption adds: 16, or 0 without a key. */
  get overhead(): number {
    return this.#key === undefined ? 0 : TAG_LENGTH;
  }

  /** For transports whose messages may come out of order (Noise §11.4). @throws RangeError unless 0 to 2^64 - 1 */
  setNonce(nonce: bigint): void {
    if (nonce < 0n || nonce > MAX_NONCE) throw new RangeError('a nonce is 0 to 2^64 - 1');
    this.#n = nonce;
  }

  /**
   * Writes the ciphertext into `out` and returns its length, `plaintext.length + overhead`. `out` may begin at the same
   * byte as `plaintext`.
   * @throws RangeError where that is more than `out` or a Noise message holds (65,535 bytes, Noise §3)
   * @throws MatryoshkaError `session.key-exhausted` after 2^64 - 1 messages
   */
  encryptWithAd(associated: Uint8Array, plaintext: Uint8Array, out: Uint8Array): number {
    const length = plaintext.length + this.overhead;
    const space = Math.min(out.length, MAX_NOISE_MESSAGE_LENGTH);
    if (length > space) throw new RangeError(`${length} bytes do not fit into ${space}`);
    const aead = this.#cipher();
    if (aead === undefined) {
      out.set(plaintext);
      return length;
    }
    aead.seal(this.#encodeNonce(this.#usable()), associated, plaintext, out);
    this.#n += 1n;
    return length;
  }

  /**
   * Writes the plaintext, `ciphertext.length - overhead` bytes, into `out` and returns true; false where it does not
   * authenticate or is longer than a Noise message may be, and then the nonce stays. `out` may begin at the same byte as `ciphertext`.
   * @throws MatryoshkaError `session.key-exhausted` after 2^64 - 1 messages
   */
  decryptWithAd(associated: Uint8Array, ciphertext: Uint8Array, out: Uint8Array): boolean {
    if (ciphertext.length < this.overhead || ciphertext.length > MAX_NOISE_MESSAGE_LENGTH) return false;
    if (out.length < ciphertext.length - this.overhead) throw new RangeError('the plaintext does not fit');
    const aead = this.#cipher();
    if (aead === undefined) {
      out.set(ciphertext);
      return true;
    }
    if (!aead.open(this.#encodeNonce(this.#usable()), associated, ciphertext, out)) return false;
    this.#n += 1n;
    return true;
  }

  /** Replaces the key by one that does not lead back to it (Noise §4.2, §11.3); the nonce goes on. */
  rekey(): void {
    const aead = this.#cipher();
    if (aead === undefined) throw new TypeError('no key to renew');
    const out = new Uint8Array(KEY_LENGTH + TAG_LENGTH);
    aead.seal(this.#encodeNonce(MAX_NONCE), EMPTY, ZEROS, out);
    this.wipe();
    this.#key = out.subarray(0, KEY_LENGTH);
  }

  /** Overwrites the key; afterwards there is none. */
  wipe(): void {
    this.#key?.fill(0);
    this.#aead?.wipe();
    this.#key = undefined;
    this.#aead = undefined;
  }

  #cipher(): Aead | undefined {
    if (this.#key === undefined) return undefined;
    this.#aead ??= this.#provider.aead(this.#suite, this.#key);
    return this.#aead;
  }

  #usable(): bigint {
    if (this.#n === MAX_NONCE) throw new MatryoshkaError('session.key-exhausted');
    return this.#n;
  }

  // Noise §12.3, §12.4: 32 zero bits, then the counter: ChaChaPoly little-endian, AESGCM big-endian.
  #encodeNonce(nonce: bigint): Uint8Array {
    this.#nonceView.setBigUint64(4, nonce, this.#suite === 'chacha20poly1305');
    return this.#nonce;
  }
}
