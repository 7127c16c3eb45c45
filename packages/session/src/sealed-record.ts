import type { RecordKeys } from './records.ts';
import type { Slab } from './slab.ts';

/** Where the bytes of a record are: in a slab that others share, or in memory of its own. */
export type RecordMemory = Slab | Uint8Array<ArrayBuffer>;

/**
 * A sealed record. Its bytes stay until the link has written it and, where it is numbered, the other side has
 * acknowledged it.
 */
export class SealedRecord {
  /** The record's bytes, one part behind the other. */
  readonly parts: readonly Uint8Array[];
  /** Length of the record. */
  readonly length: number;
  /** Counter it was sealed with. */
  readonly counter: number;
  /** Whether it is counted, kept and acknowledged (docs/protocol.md §5). */
  readonly numbered: boolean;
  /** The slab it is in, if it is in one. */
  readonly slab: Slab | undefined;
  readonly #own: Uint8Array<ArrayBuffer> | undefined;
  readonly #keys: RecordKeys | undefined;
  #written = false;
  #acknowledged: boolean;

  /**
   * Takes a hold of a slab; frees memory of its own when it is done.
   * @param keys - what a numbered record was sealed with, which is held until it is acknowledged
   */
  constructor(memory: RecordMemory, parts: readonly Uint8Array[], counter: number, numbered: boolean, keys?: RecordKeys) {
    if (memory instanceof Uint8Array) {
      this.#own = memory;
      this.slab = undefined;
    } else {
      memory.hold();
      this.slab = memory;
      this.#own = undefined;
    }
    this.parts = parts;
    this.length = 0;
    for (const part of parts) this.length += part.length;
    this.counter = counter;
    this.numbered = numbered;
    this.#acknowledged = !numbered;
    if (numbered) {
      keys?.hold();
      this.#keys = keys;
    }
  }

  /**
   * Opens a numbered record again, into `out`, and returns the plaintext's length.
   * @throws MatryoshkaError `session.record-failed`; TypeError for one that was not kept
   */
  reopen(out: Uint8Array): number {
    if (this.#keys === undefined || this.#acknowledged) throw new TypeError('a record that is not kept');
    let at = 0;
    for (const part of this.parts) {
      out.set(part, at);
      at += part.length;
    }
    const record = out.subarray(0, at);
    return this.#keys.reopen(this.counter, record, record);
  }

  /** The link does not need the bytes any more. Idempotent. */
  written(): void {
    if (this.#written) return;
    this.#written = true;
    if (this.#acknowledged) this.#free();
  }

  /** The other side has it. Idempotent. */
  acknowledged(): void {
    if (this.#acknowledged) return;
    this.#acknowledged = true;
    this.#keys?.letGo();
    if (this.#written) this.#free();
  }

  #free(): void {
    this.slab?.release();
    // At once: the collector sees memory outside its heap too late.
    this.#own?.buffer.transfer(0);
  }
}
