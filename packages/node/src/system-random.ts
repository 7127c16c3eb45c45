import type { Random } from '@matryoshka/session';

/** Longest draw that comes out of the pool, in bytes: ports, tokens and numbers. Keys are longer. */
const POOLED_LENGTH = 16;
const POOL_LENGTH = 512;

/**
 * The platform's randomness. A call of it costs the same for 4 bytes as for 512, so short draws, which are many, share one.
 * No key comes out of the pool: whoever reads our memory shall not find the keys of sessions to come.
 */
export class SystemRandom implements Random {
  readonly #draw: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly #pool = new Uint8Array(POOL_LENGTH);
  #at = POOL_LENGTH;

  /** @param draw - fills all of its argument; the platform's by default */
  constructor(draw: (bytes: Uint8Array<ArrayBuffer>) => void = (bytes) => void crypto.getRandomValues(bytes)) {
    this.#draw = draw;
  }

  fill(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length > POOLED_LENGTH) {
      this.#draw(bytes as Uint8Array<ArrayBuffer>);
      return;
    }
    if (POOL_LENGTH - this.#at < length) {
      this.#draw(this.#pool);
      this.#at = 0;
    }
    const drawn = this.#pool.subarray(this.#at, this.#at + length);
    bytes.set(drawn);
    // Each byte is handed out once.
    drawn.fill(0);
    this.#at += length;
  }
}
