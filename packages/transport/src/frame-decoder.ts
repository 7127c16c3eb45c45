import { MatryoshkaError } from '@matryoshka/wire';
import { MAX_MESSAGE_LENGTH } from './link.ts';

/** Length of what stands before each frame's body on a byte stream (docs/protocol.md §2). */
export const FRAME_HEADER_LENGTH = 2;

/** First size of the buffer in which bodies are put together. */
const FIRST_ASSEMBLY_LENGTH = 1024;
const EMPTY = new Uint8Array(0);

/** What lengths are masked with in one direction: 16 bits for each frame (docs/protocol.md §2.2). */
export interface LengthMask {
  /** The 16 bits of the next frame. */
  next(): number;
}

/** Writes the header of the next frame (docs/protocol.md §2) to `header[at, at + 2)`. */
export function writeFrameHeader(header: Uint8Array, at: number, bodyLength: number, mask: LengthMask): void {
  const masked = bodyLength ^ mask.next();
  header[at] = masked >>> 8;
  header[at + 1] = masked;
}

/**
 * Cuts a byte stream into frames. The caller feeds chunks and takes frames; to pause, it just takes no more. Frames
 * that lie in one chunk are views of it, others are put together in one buffer: either way a frame is valid until the
 * next `next()`, `feed()` or `release()`. Before the first frame come bytes without a header, which are
 * given as if they were a frame; whoever gets them sets the mask.
 */
export class FrameDecoder {
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  /** First byte of a header that is split between chunks, else -1. */
  #headerStart = -1;
  /** Length of the body that is awaited; 0 while it is the header that is. */
  #length: number;
  #mask: LengthMask | undefined;
  #maxLength = 0;
  /** Bytes of the body that are in `#assembly`. */
  #filled = 0;
  #assembly: Uint8Array = EMPTY;

  /** @param preludeLength - of the bytes before the first frame */
  constructor(preludeLength: number) {
    this.#length = preludeLength;
  }

  /** Unmasks lengths with `mask` from the next header on that is not complete, and allows none above `maxLength`. */
  remask(mask: LengthMask, maxLength: number): void {
    this.#mask = mask;
    this.#maxLength = maxLength;
  }

  /** Whether a frame has begun that has not ended; only once `next()` said undefined. */
  get incomplete(): boolean {
    // Without a mask what is awaited is the prelude, and it may not have begun.
    return this.#headerStart >= 0 || (this.#mask === undefined ? this.#filled > 0 : this.#length > 0);
  }

  /**
   * Takes the next bytes of the stream. `chunk` is borrowed until `next()` says undefined or `keep()`.
   * @throws RangeError while the chunk before it is not used up
   */
  feed(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) throw new RangeError('the previous chunk is not used up');
    // Sockets give a subclass whose slice() does not copy; whoever gets a frame relies on one that does.
    this.#chunk = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#at = 0;
  }

  /**
   * The body of the next frame, or undefined when the chunk is used up.
   * @throws MatryoshkaError `transport.frame-length`; the stream is of no use after it. TypeError without a mask
   */
  next(): Uint8Array | undefined {
    if (this.#length === 0 && !this.#readHeader()) return this.#usedUp();
    const end = this.#at + this.#length;
    if (this.#filled === 0 && end <= this.#chunk.length) {
      const frame = this.#chunk.subarray(this.#at, end);
      this.#at = end;
      this.#length = 0;
      return frame;
    }
    return this.#assemble() ?? this.#usedUp();
  }

  /** Copies what is left of the chunk that was fed: its owner gets it back. */
  keep(): void {
    if (this.#chunk === EMPTY) return;
    this.#chunk = this.#chunk.slice(this.#at);
    this.#at = 0;
  }

  /** Gives the memory back that a quiet stream does not need. */
  release(): void {
    if (this.#filled === 0) this.#assembly = EMPTY;
  }

  /** The one place where lengths are read. Says whether the header is complete. */
  #readHeader(): boolean {
    const chunk = this.#chunk;
    if (this.#headerStart < 0) {
      if (this.#at === chunk.length) return false;
      this.#headerStart = chunk[this.#at++] as number;
    }
    if (this.#at === chunk.length) return false;
    const mask = this.#mask;
    if (mask === undefined) throw new TypeError('the prelude was taken, and no mask was set');
    const length = ((this.#headerStart << 8) | (chunk[this.#at++] as number)) ^ mask.next();
    this.#headerStart = -1;
    if (length === 0 || length > this.#maxLength) throw new MatryoshkaError('transport.frame-length', `a frame of ${length} bytes`);
    this.#length = length;
    return true;
  }

  /** Moves what there is of the body to the assembly buffer; the body if it is complete with that. */
  #assemble(): Uint8Array | undefined {
    const part = this.#chunk.subarray(this.#at, this.#at + this.#length - this.#filled);
    const filled = this.#filled + part.length;
    // It grows with what has arrived, not with what was announced.
    if (filled > this.#assembly.length) this.#grow(filled);
    this.#assembly.set(part, this.#filled);
    this.#at += part.length;
    this.#filled = filled;
    if (filled < this.#length) return undefined;
    this.#length = 0;
    this.#filled = 0;
    return this.#assembly.subarray(0, filled);
  }

  #grow(needed: number): void {
    let size = Math.max(this.#assembly.length, FIRST_ASSEMBLY_LENGTH);
    while (size < needed) size *= 2;
    const grown = new Uint8Array(Math.min(size, MAX_MESSAGE_LENGTH));
    grown.set(this.#assembly.subarray(0, this.#filled));
    this.#assembly = grown;
  }

  #usedUp(): undefined {
    this.#chunk = EMPTY;
    this.#at = 0;
  }
}
