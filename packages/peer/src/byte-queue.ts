import { Queue } from '@matryoshka/session';

/** Small pieces are packed into blocks of this length, in bytes. */
const BLOCK_LENGTH = 4096;
/** Blocks from this length on are freed at once, in bytes: the collector sees memory outside its heap too late. */
const FREE_FROM_LENGTH: number = 16 * 1024;

interface Block {
  readonly bytes: Uint8Array;
  start: number;
  end: number;
}

/**
 * Bytes that wait, in order. What is pushed is copied, and packed: all blocks but the last are full, so that a million
 * pieces of one byte take little more memory than one piece of a million.
 */
export class ByteQueue {
  readonly #blocks = new Queue<Block>();
  /** The block of the view that was taken last, once it is empty. */
  #spent: Uint8Array | undefined;
  #length = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Copies `bytes` to the end. */
  push(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let rest = bytes;
    const last = this.#blocks.last;
    if (last !== undefined) {
      const fits = Math.min(rest.length, last.bytes.length - last.end);
      last.bytes.set(rest.subarray(0, fits), last.end);
      last.end += fits;
      rest = rest.subarray(fits);
    }
    if (rest.length === 0) return;
    const block = new Uint8Array(Math.max(rest.length, BLOCK_LENGTH));
    block.set(rest);
    this.#blocks.push({ bytes: block, start: 0, end: rest.length });
  }

  /** Takes some of the oldest bytes, at most `limit` of them; undefined of none. The view is valid until the next take or clear. */
  take(limit: number = Number.POSITIVE_INFINITY): Uint8Array | undefined {
    this.#free();
    const block = this.#blocks.peek();
    if (block === undefined) return undefined;
    const view = block.bytes.subarray(block.start, Math.min(block.end, block.start + limit));
    block.start += view.length;
    this.#length -= view.length;
    if (block.start === block.end) this.#spent = this.#blocks.shift()?.bytes;
    return view;
  }

  /** Forgets everything. */
  clear(): void {
    // Not freed by force: whoever took the last view may still be looking at it.
    this.#spent = undefined;
    this.#blocks.clear();
    this.#length = 0;
  }

  #free(): void {
    if (this.#spent === undefined) return;
    if (this.#spent.length >= FREE_FROM_LENGTH) (this.#spent.buffer as ArrayBuffer).transfer(0);
    this.#spent = undefined;
  }
}
