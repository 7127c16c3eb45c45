const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** What is left of a message that is cut, until the next record is begun. Keeps its memory for the next one until it is released. */
export class CutMessage {
  #bytes = EMPTY;
  #start = 0;
  #end = 0;

  /** Bytes that are left. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The message that comes next leaves so many bytes. Nothing of another one may be left. */
  begin(length: number): void {
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length);
    this.#start = 0;
    this.#end = 0;
  }

  /** The next bytes of it, copied. */
  add(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Takes the next `length` bytes off: a view, valid until `begin`. */
  take(length: number): Uint8Array {
    const at = this.#start;
    this.#start += length;
    return this.#bytes.subarray(at, at + length);
  }

  /** Forgets what is left, and its memory. */
  release(): void {
    this.#bytes = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }
}
