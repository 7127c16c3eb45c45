import type { Aead, CryptoProvider } from '@matryoshka/session';
import { CounterNonce } from './counter-nonce.ts';

/** Keystream made at once, in bytes: enough for 512 frames, so that a frame costs next to nothing. */
const BLOCK_LENGTH = 1024;
const TAG_LENGTH = 16;
const NOTHING = new Uint8Array(0);

/**
 * The keystream that the lengths of frames in one direction are masked with (docs/protocol.md §2.2): ChaCha20 under a key
 * that is used for nothing else, 1,024 bytes for each nonce, two bytes for each frame.
 */
export class FrameMask {
  readonly #aead: Aead;
  readonly #nonce = new CounterNonce();
  readonly #block = new Uint8Array(BLOCK_LENGTH + TAG_LENGTH);
  #at = BLOCK_LENGTH;

  /**
   * @param key - 32 bytes, which are copied
   * @throws RangeError for a key of another length
   */
  constructor(provider: CryptoProvider, key: Uint8Array) {
    this.#aead = provider.aead('chacha20poly1305', key);
  }

  /** What the next length is combined with by exclusive or: 16 bits. */
  next(): number {
    if (this.#at === BLOCK_LENGTH) this.#fill();
    const at = this.#at;
    this.#at = at + 2;
    return ((this.#block[at] as number) << 8) | (this.#block[at + 1] as number);
  }

  /** Zeros, sealed: their ciphertext is the keystream (RFC 8439 §2.8), of their tag nobody has a use. */
  #fill(): void {
    const zeros = this.#block.subarray(0, BLOCK_LENGTH).fill(0);
    this.#aead.seal(this.#nonce.next(), NOTHING, zeros, this.#block);
    this.#at = 0;
  }
}
