import { DecodeError, MAX_DESCRIPTOR_LENGTH, Reader } from '@matryoshka/wire';

const LENGTH_BYTES = 2;

/** An entry of a list of descriptors on a stream: length `u16`, descriptor (docs/protocol.md §9.2). */
export function listEntry(descriptor: Uint8Array): Uint8Array {
  const entry = new Uint8Array(LENGTH_BYTES + descriptor.length);
  new DataView(entry.buffer).setUint16(0, descriptor.length);
  entry.set(descriptor, LENGTH_BYTES);
  return entry;
}

/** Takes such a list apart as its bytes come, however they are cut. It keeps one entry at most. */
export class DescriptorListReader {
  readonly #maxEntries: number;
  readonly #found: (descriptor: Uint8Array) => void;
  readonly #entry = new Uint8Array(LENGTH_BYTES + MAX_DESCRIPTOR_LENGTH);
  #have = 0;
  #entries = 0;

  /** @param found - gets each descriptor as a view that is valid during the call */
  constructor(maxEntries: number, found: (descriptor: Uint8Array) => void) {
    this.#maxEntries = maxEntries;
    this.#found = found;
  }

  /** @throws DecodeError `wire.invalid` for an empty entry, `wire.too-long` for one that is too long or too many; what `found` throws */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const piece = bytes.subarray(at, at + this.#missing);
      this.#entry.set(piece, this.#have);
      this.#have += piece.length;
      at += piece.length;
      if (this.#have >= LENGTH_BYTES && this.#missing === 0) this.#emit();
    }
  }

  /** Nothing follows. @throws DecodeError `wire.truncated` in the middle of an entry */
  end(): void {
    if (this.#have > 0) throw new DecodeError('wire.truncated', 'a list of descriptors ends within one', this.#have);
  }

  /** Bytes until the length is there, and then until the entry is. */
  get #missing(): number {
    if (this.#have < LENGTH_BYTES) return LENGTH_BYTES - this.#have;
    const length = new Reader(this.#entry).u16();
    if (length === 0) throw new DecodeError('wire.invalid', 'an empty descriptor', 0);
    if (length > MAX_DESCRIPTOR_LENGTH) throw new DecodeError('wire.too-long', `a descriptor of ${length} bytes`, 0);
    return LENGTH_BYTES + length - this.#have;
  }

  #emit(): void {
    if (++this.#entries > this.#maxEntries) throw new DecodeError('wire.too-long', `more than ${this.#maxEntries} descriptors`, 0);
    const descriptor = this.#entry.subarray(LENGTH_BYTES, this.#have);
    this.#have = 0;
    this.#found(descriptor);
  }
}
