import { MatryoshkaError, type SuiteName } from '@matryoshka/wire';
import { type Aead, type CryptoProvider, NONCE_LENGTH, TAG_LENGTH } from './crypto.ts';

/** No key seals more records than this (docs/protocol.md §4.2). */
export const MAX_RECORDS_PER_KEY: number = 2 ** 24;

const NO_ASSOCIATED_DATA = new Uint8Array(0);

/**
 * Record protection in one direction under one key: a counter that only goes up is the nonce (Noise §5.1, §12). It
 * keeps no record and makes no object per record.
 */
export class RecordKeys {
  readonly #aead: Aead;
  readonly #littleEndian: boolean;
  readonly #nonce = new Uint8Array(NONCE_LENGTH);
  #counter = 0;

  /** @param key - 32 bytes; the provider copies it */
  constructor(provider: CryptoProvider, suite: SuiteName, key: Uint8Array) {
    this.#aead = provider.aead(suite, key);
    // Noise §12.3: ChaChaPoly counts little-endian; §12.4: AESGCM counts big-endian.
    this.#littleEndian = suite === 'chacha20poly1305';
  }

  /** Counter of the next record. */
  get counter(): number {
    return this.#counter;
  }

  /**
   * Seals `plaintext` into `out` and returns the record's length, `plaintext.length + 16`. Both may begin at the same byte.
   * @throws MatryoshkaError `session.key-exhausted`
   */
  seal(plaintext: Uint8Array, out: Uint8Array): number {
    if (this.#counter >= MAX_RECORDS_PER_KEY) throw new MatryoshkaError('session.key-exhausted');
    return this.#aead.seal(this.#nonceOf(this.#counter++), NO_ASSOCIATED_DATA, plaintext, out);
  }

  /**
   * Opens the next record into `out` and returns the plaintext's length. Both may begin at the same byte.
   * @throws MatryoshkaError `session.record-failed`; the counter then stays, and the epoch is over
   */
  open(record: Uint8Array, out: Uint8Array): number {
    if (this.#counter >= MAX_RECORDS_PER_KEY) throw new MatryoshkaError('session.key-exhausted');
    const length = this.reopen(this.#counter, record, out);
    this.#counter++;
    return length;
  }

  /**
   * Opens one's own retained record by its counter, to seal it again in the next epoch (docs/protocol.md §5).
   * @throws MatryoshkaError `session.record-failed`
   */
  reopen(counter: number, record: Uint8Array, out: Uint8Array): number {
    if (record.length < TAG_LENGTH || !this.#aead.open(this.#nonceOf(counter), NO_ASSOCIATED_DATA, record, out)) {
      throw new MatryoshkaError('session.record-failed');
    }
    return record.length - TAG_LENGTH;
  }

  /** Overwrites the key; nothing can be sealed or opened afterwards. */
  wipe(): void {
    this.#aead.wipe();
  }

  #nonceOf(counter: number): Uint8Array {
    const nonce = this.#nonce;
    // Counters end at 2^24, so the low 32 bits of the 64-bit counter are all there is.
    if (this.#littleEndian) {
      nonce[4] = counter;
      nonce[5] = counter >>> 8;
      nonce[6] = counter >>> 16;
      nonce[7] = counter >>> 24;
    } else {
      nonce[8] = counter >>> 24;
      nonce[9] = counter >>> 16;
      nonce[10] = counter >>> 8;
      nonce[11] = counter;
    }
    return nonce;
  }
}
