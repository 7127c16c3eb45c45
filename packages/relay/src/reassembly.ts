import { MAX_MESSAGE_LENGTH } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';

/**
 * Joins relay data with the `more` bit into messages again: one under assembly at most, and no longer than a message of
 * a link may be (docs/protocol.md §8.3). Messages that came whole go through untouched.
 */
export class Reassembly {
  #buffer: Uint8Array | undefined;
  #length = 0;

  /**
   * Returns the message once it is complete: a view of `bytes` or of the assembly, valid until the next call.
   * @throws MatryoshkaError `relay.protocol` for a message that grows too long
   */
  add(bytes: Uint8Array, more: boolean): Uint8Array | undefined {
    if (this.#length === 0 && !more) return bytes;
    if (this.#length + bytes.length > MAX_MESSAGE_LENGTH) throw new MatryoshkaError('relay.protocol', `a carried message above ${MAX_MESSAGE_LENGTH} bytes`);
    this.#buffer ??= new Uint8Array(MAX_MESSAGE_LENGTH);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    if (more) return undefined;
    const message = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    return message;
  }

  release(): void {
    this.#buffer = undefined;
    this.#length = 0;
  }
}
