import { MatryoshkaError, type SuiteName } from '@matryoshka/wire';
import { type Aead, type CryptoProvider, type DetachedAead, NONCE_LENGTH, TAG_LENGTH } from './crypto.ts';
import { nextKey } from './key-update.ts';

/** No key seals more records than this (docs/protocol.md §4.2). */
export const MAX_RECORDS_PER_KEY: number = 2 ** 24;

const NO_ASSOCIATED_DATA = new Uint8Array(0);

/**
 * Record protection in one direction under one key, one generation of it (docs/protocol.md §4.4): a counter that only goes
 * up is the nonce (Noise §5.1, §12). It keeps no record and makes no object per record.
 */
export class RecordKeys {
  readonly #provider: CryptoProvider;
  readonly #suite: SuiteName;
  readonly #aead: Aead;
  readonly #littleEndian: boolean;
  /** What the next generation's is made of, until it is made or never will be. */
  #key: Uint8Array | undefined;
  readonly #nonce = new Uint8Array(NONCE_LENGTH);
  #counter = 0;
  #opened: Uint8Array<ArrayBuffer> | undefined;
  #held = 0;
  #retired = false;

  /** @param key - 32 bytes, which are copied */
  constructor(provider: CryptoProvider, suite: SuiteName, key: Uint8Array) {
    this.#provider = provider;
    this.#suite = suite;
    this.#key = key.slice();
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
   * Seals into memory of its own where that costs less; undefined where `seal` does.
   * @throws MatryoshkaError `session.key-exhausted`
   */
  sealDetached(plaintext: Uint8Array): ReturnType<DetachedAead['seal']> | undefined {
    const { detached } = this.#aead;
    if (detached === undefined || plaintext.length < detached.fromLength) return undefined;
    if (this.#counter >= MAX_RECORDS_PER_KEY) throw new MatryoshkaError('session.key-exhausted');
    return detached.seal(this.#nonceOf(this.#counter++), plaintext);
  }

  /**
   * Opens the next record and returns its plaintext: a view of `record`, which is overwritten, or of memory of its own.
   * `free` takes it back either way.
   * @throws MatryoshkaError `session.record-failed`; the counter then stays, and the epoch is over
   */
  open(record: Uint8Array): Uint8Array {
    if (this.#counter >= MAX_RECORDS_PER_KEY) throw new MatryoshkaError('session.key-exhausted');
    const { detached } = this.#aead;
    if (detached === undefined || record.length < detached.fromLength + TAG_LENGTH) {
      const length = this.reopen(this.#counter, record, record);
      this.#counter++;
      return record.subarray(0, length);
    }
    const plaintext = detached.open(this.#nonceOf(this.#counter), record);
    if (plaintext === undefined) throw new MatryoshkaError('session.record-failed');
    this.#counter++;
    this.#opened = plaintext;
    return plaintext;
  }

  /** The plaintext that was opened last is not needed any more. */
  free(): void {
    // At once: the collector sees memory outside its heap too late.
    this.#opened?.buffer.transfer(0);
    this.#opened = undefined;
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

  /**
   * The next generation, which counts from 0; nothing may be sealed or opened with this one after it, but `reopen`ed. To be
   * asked for once: what it was made of is overwritten. The caller retires or wipes this one.
   * @param secret - 32 bytes of a key exchange, mixed in
   */
  next(secret?: Uint8Array): RecordKeys {
    if (this.#key === undefined) throw new TypeError('the key is gone');
    const key = nextKey(this.#provider, this.#key, secret);
    this.#forgetKey();
    const next = new RecordKeys(this.#provider, this.#suite, key);
    key.fill(0);
    return next;
  }

  /** A record sealed with this key is kept and may have to be opened again; `letGo` ends that. */
  hold(): void {
    this.#held++;
  }

  /** One such record is no longer kept. */
  letGo(): void {
    if (--this.#held === 0 && this.#retired) this.wipe();
  }

  /** Nothing is sealed any more: the key is overwritten once no record is kept that was sealed with it. */
  retire(): void {
    this.#retired = true;
    this.#forgetKey();
    if (this.#held === 0) this.wipe();
  }

  /** Overwrites the key; nothing can be sealed or opened afterwards. */
  wipe(): void {
    this.#forgetKey();
    this.#aead.wipe();
  }

  #forgetKey(): void {
    this.#key?.fill(0);
    this.#key = undefined;
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
