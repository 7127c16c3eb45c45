import { type Cipheriv, createCipheriv, createHash } from 'node:crypto';

const BLOCK_LENGTH = 256 * 1024;
const ZEROS = new Uint8Array(BLOCK_LENGTH);

/** An endless sequence of bytes that follows from its name: the keystream of AES-128 in counter mode. Never all in memory. */
export class Content {
  readonly #cipher: Cipheriv;
  #block: Uint8Array = new Uint8Array();
  #position = 0;

  /** @param name - another one gives other bytes */
  constructor(name: string) {
    const key = createHash('sha256').update(name).digest();
    this.#cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  }

  /** Bytes taken or matched so far. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes, one at least and `length` at most. Nobody else gets this memory. */
  take(length: number): Uint8Array {
    if (this.#block.length === 0) this.#block = this.#cipher.update(ZEROS);
    const bytes = this.#block.subarray(0, length);
    this.#block = this.#block.subarray(bytes.length);
    this.#position += bytes.length;
    return bytes;
  }

  /** Goes on behind `got`; returns where in `got` the first byte is that is not what comes next, or undefined. */
  mismatch(got: Uint8Array): number | undefined {
    let wrongAt: number | undefined;
    for (let at = 0; at < got.length;) {
      const expected = this.take(got.length - at);
      const piece = got.subarray(at, at + expected.length);
      if (wrongAt === undefined && Buffer.compare(expected, piece) !== 0)
        wrongAt = at + piece.findIndex((byte, index) => byte !== expected[index]);
      at += expected.length;
    }
    return wrongAt;
  }
}
