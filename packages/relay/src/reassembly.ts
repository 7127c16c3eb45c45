import { MAX_MESSAGE_LENGTH } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';

/** First size of the buffer: two pieces of the smallest size, in bytes. */
const INITIAL_LENGTH = 4 * 1024;

/**
 * Joins relay data with the `more` bit into messages again: one under assembly at most, and no longer than a message of
 * a link may be (docs/protocol.md §8.3). Messages that came whole go through untouched. Its buffer grows with what has
 * come, so that who sends little takes little.
 */
export class Reassembly {
  #buffer: Uint8Array | undefined;
  #length = 0;

  /**
   * Returns the message once it is complete: a view of `bytes` or of the assembly, valid until the next call.
   * @throws MatryoshkaError `relay.protocol` for a message that grows too long
   */
  add(bytes: Uint8Array, more: boolean): Uint8Array | undefined {
    const length = this.#length + bytes.length;
    if (length > MAX_MESSAGE_LENGTH) throw new MatryoshkaError('relay.protocol', `a carried message above ${MAX_MESSAGE_LENGTH} bytes`);
    if (this.#length === 0 && !more) return bytes;
    const buffer = this.#grown(length);
    buffer.set(bytes, this.#length);
    this.#length = more ? length : 0;
    return more ? undefined : buffer.subarray(0, length);
  }

  /** Lets go of the buffer and of what is under assembly. */
  release(): void {
    this.#buffer = undefined;
    this.#length = 0;
  }

  #grown(length: number): Uint8Array {
    const old = this.#buffer;
    if (old !== undefined && old.length >= length) return old;
    const buffer = new Uint8Array(Math.min(MAX_MESSAGE_LENGTH, Math.max(INITIAL_LENGTH, length, (old?.length ?? 0) * 2)));
    if (old !== undefined) buffer.set(old.subarray(0, this.#length));
    this.#buffer = buffer;
    return buffer;
  }
}
