const NONCE_LENGTH = 12;
const LOW_AT = 4;
const HIGH_AT = 8;

/** Nonces of ChaCha20-Poly1305 that count from 0, as those of records do (docs/protocol.md §4.2). */
export class CounterNonce {
  readonly #bytes = new Uint8Array(NONCE_LENGTH);
  readonly #view = new DataView(this.#bytes.buffer);
  #counter = 0;

  /** Valid until the next one is asked for. */
  next(): Uint8Array {
    const counter = this.#counter++;
    this.#view.setUint32(LOW_AT, counter, true);
    this.#view.setUint32(HIGH_AT, Math.floor(counter / 2 ** 32), true);
    return this.#bytes;
  }
}
