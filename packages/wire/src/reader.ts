import { DecodeError } from './errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EMPTY = new Uint8Array(0);

/**
 * Reads big-endian fields from bytes it borrows. Short input throws `wire.truncated`, it is never clamped; `end()`
 * rejects what follows. What `bytes()` and `rest()` return are views: whoever keeps them past the call copies.
 */
export class Reader {
  #bytes: Uint8Array;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array = EMPTY) {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
  }

  /** Starts over on `bytes[start, end)`, so that one reader serves a whole session. */
  reset(bytes: Uint8Array, start = 0, end: number = bytes.length): this {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    return this;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Offset of the next byte, in the bytes given. */
  get offset(): number {
    return this.#at;
  }

  #take(length: number): number {
    const at = this.#at;
    if (this.#end - at < length) throw new DecodeError('wire.truncated', `${length} bytes expected, ${this.#end - at} there`, at);
    this.#at = at + length;
    return at;
  }

  /** An 8-bit number. */
  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** A 16-bit number. */
  u16(): number {
    const at = this.#take(2);
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }

  /** A 32-bit number. */
  u32(): number {
    const at = this.#take(4);
    const b = this.#bytes;
    return (((b[at] as number) << 24) | ((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number)) >>> 0;
  }

  /** A 64-bit number that is an identifier. */
  u64(): bigint {
    const high = this.u32();
    return (BigInt(high) << 32n) | BigInt(this.u32());
  }

  /** A 64-bit count. Counts end at 2^53 - 1 (docs/protocol.md §1). @throws DecodeError `wire.invalid` above it */
  count(): number {
    const at = this.#at;
    const high = this.u32();
    if (high > 0x1fffff) throw new DecodeError('wire.invalid', 'count above 2^53 - 1', at);
    return high * 0x1_0000_0000 + this.u32();
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.bytes(this.#end - this.#at);
  }

  /** Text behind an 8-bit length. @throws DecodeError `wire.invalid` where it is not UTF-8 */
  text(): string {
    const at = this.#at;
    const bytes = this.bytes(this.u8());
    try {
      return utf8.decode(bytes);
    } catch {
      throw new DecodeError('wire.invalid', 'text is not UTF-8', at);
    }
  }

  /** Goes over `length` bytes. */
  skip(length: number): void {
    this.#take(length);
  }

  /** @throws DecodeError `wire.trailing` if anything is left */
  end(): void {
    if (this.#at !== this.#end) throw new DecodeError('wire.trailing', `${this.#end - this.#at} bytes too many`, this.#at);
  }
}
