const utf8 = new TextEncoder();
const EMPTY = new Uint8Array(0);

/**
 * Writes big-endian fields into bytes that its owner gave. It never grows them: running past the end is a mistake of
 * the caller, who asks for the length first, and throws `RangeError`.
 */
export class Writer {
  #bytes: Uint8Array;
  #at: number;
  #end: number;

  constructor(bytes: Uint8Array = EMPTY) {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
  }

  /** Starts over on `bytes[start, end)`. */
  reset(bytes: Uint8Array, start = 0, end: number = bytes.length): this {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    return this;
  }

  /** Offset of the next byte, in the bytes given. */
  get offset(): number {
    return this.#at;
  }

  /** Bytes that still fit. */
  get space(): number {
    return this.#end - this.#at;
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#end) throw new RangeError(`${length} bytes do not fit, ${this.#end - at} left`);
    this.#at = at + length;
    return at;
  }

  /** An 8-bit number. @throws RangeError for anything else */
  u8(value: number): this {
    if ((value & 0xff) !== value) throw new RangeError(`${value} is not an 8-bit number`);
    this.#bytes[this.#take(1)] = value;
    return this;
  }

  /** A 16-bit number. @throws RangeError for anything else */
  u16(value: number): this {
    if ((value & 0xffff) !== value) throw new RangeError(`${value} is not a 16-bit number`);
    const at = this.#take(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
    return this;
  }

  /** A 32-bit number. @throws RangeError for anything else */
  u32(value: number): this {
    if (value >>> 0 !== value) throw new RangeError(`${value} is not a 32-bit number`);
    const at = this.#take(4);
    const b = this.#bytes;
    b[at] = value >>> 24;
    b[at + 1] = value >>> 16;
    b[at + 2] = value >>> 8;
    b[at + 3] = value;
    return this;
  }

  /** A 64-bit number that is an identifier. @throws RangeError for anything else */
  u64(value: bigint): this {
    if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${value} is not a 64-bit number`);
    return this.u32(Number(value >> 32n)).u32(Number(value & 0xffff_ffffn));
  }

  /** A 64-bit count. @throws RangeError unless it is a whole number up to 2^53 - 1 */
  count(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a count`);
    return this.u32(Math.floor(value / 0x1_0000_0000)).u32(value % 0x1_0000_0000);
  }

  /** Bytes as they are, copied. */
  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#take(value.length));
    return this;
  }

  /** Bytes of a field with one length only, copied. @throws RangeError that names the field, for another length */
  fixed(value: Uint8Array, length: number, name: string): this {
    if (value.length !== length) throw new RangeError(`${name} must have ${length} bytes, not ${value.length}`);
    return this.bytes(value);
  }

  /** Text behind an 8-bit length. @throws RangeError above 255 bytes of UTF-8 */
  text(value: string): this {
    const encoded = utf8.encode(value);
    if (encoded.length > 255) throw new RangeError('text above 255 bytes');
    return this.u8(encoded.length).bytes(encoded);
  }

  /** Leaves `length` bytes as they are. */
  skip(length: number): this {
    this.#take(length);
    return this;
  }

  /** Sets the next `length` bytes to zero. */
  zeros(length: number): this {
    const at = this.#take(length);
    this.#bytes.fill(0, at, at + length);
    return this;
  }
}

/** Length of `text` behind its 8-bit length, in bytes. */
export function textLength(text: string): number {
  return 1 + utf8.encode(text).length;
}
