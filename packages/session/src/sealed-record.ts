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
  /** Where its bytes are. */
  readonly slab: Slab;
  #written = false;
  #acknowledged: boolean;

  /** Takes a hold of `slab`. */
  constructor(slab: Slab, bytes: Uint8Array, counter: number, numbered: boolean) {
    slab.hold();
    this.slab = slab;
    this.bytes = bytes;
    this.counter = counter;
    this.numbered = numbered;
    this.#acknowledged = !numbered;
  }

  /** The link does not need the bytes any more. Idempotent. */
  written(): void {
    if (this.#written) return;
    this.#written = true;
    if (this.#acknowledged) this.slab.release();
  }

  /** The other side has it. Idempotent. */
  acknowledged(): void {
    if (this.#acknowledged) return;
    this.#acknowledged = true;
    if (this.#written) this.slab.release();
  }
}
