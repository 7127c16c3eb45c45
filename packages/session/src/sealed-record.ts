import type { Slab } from './slab.ts';

/**
 * A sealed record in its slab. Its bytes stay until the link has written it and, where it is numbered, the other side
 * has acknowledged it.
 */
export class SealedRecord {
  /** A view into the slab. */
  readonly bytes: Uint8Array;
  /** Counter it was sealed with. */
  readonly counter: number;
  /** Whether it is counted, kept and acknowledged (docs/protocol.md §5). */
  readonly numbered: boolean;
  #slab: Slab | undefined;
  #written = false;
  #acknowledged: boolean;

  /** Takes a hold of `slab`. */
  constructor(slab: Slab, bytes: Uint8Array, counter: number, numbered: boolean) {
    slab.hold();
    this.#slab = slab;
    this.bytes = bytes;
    this.counter = counter;
    this.numbered = numbered;
    this.#acknowledged = !numbered;
  }

  /** The link does not need the bytes any more. */
  written(): void {
    this.#written = true;
    this.#settle();
  }

  /** The other side has it. */
  acknowledged(): void {
    this.#acknowledged = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#written || !this.#acknowledged) return;
    this.#slab?.release();
    this.#slab = undefined;
  }
}
