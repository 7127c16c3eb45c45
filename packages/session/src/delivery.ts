import { MatryoshkaError } from '@matryoshka/wire';
import { Queue } from './queue.ts';
import type { SealedRecord } from './sealed-record.ts';
import { SLAB_LENGTH } from './slab.ts';

/** Sealed records are kept up to this many bytes; above it numbered messages wait (docs/protocol.md §5). */
export const RETAINED_LIMIT_BYTES: number = 4 * 1024 * 1024;
/** Received bytes after which an acknowledgement goes out at once. */
export const ACKNOWLEDGE_AFTER_BYTES: number = 256 * 1024;
/** How long received records stay without acknowledgement otherwise, in milliseconds. */
export const ACKNOWLEDGE_AFTER_MS = 25;

/**
 * Delivery of a session (docs/protocol.md §5): counts the numbered records of both directions across epochs and keeps
 * the sent ones, sealed, until the other side has acknowledged them. A pure machine: no time, no I/O.
 */
export class Delivery {
  readonly #retained = new Queue<SealedRecord>();
  readonly #limitBytes: number;
  #retainedBytes = 0;
  #retainedSlabs = 0;
  #sent = 0;
  #acknowledged = 0;
  #received = 0;
  #told = 0;
  #bytesSinceTold = 0;

  /** @param limitBytes - bound of the retained records */
  constructor(limitBytes: number = RETAINED_LIMIT_BYTES) {
    this.#limitBytes = limitBytes;
  }

  /** Numbered records sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Numbered records received so far: what an acknowledgement or a resume says. */
  get received(): number {
    return this.#received;
  }

  /** Bytes of sent records that wait for their acknowledgement. */
  get retainedBytes(): number {
    return this.#retainedBytes;
  }

  /**
   * Whether numbered messages have to wait for acknowledgements. Memory counts as well as bytes: one small record keeps
   * its whole slab, whatever else was in it.
   */
  get full(): boolean {
    return this.#retainedBytes >= this.#limitBytes || (this.#retainedSlabs - 1) * SLAB_LENGTH >= this.#limitBytes;
  }

  /** Sent records that wait for their acknowledgement, oldest first: what a resume seals again. */
  get retained(): Iterable<SealedRecord> {
    return this.#retained;
  }

  /** Takes a numbered record that is about to be sent. */
  retain(record: SealedRecord): void {
    // Records fill one slab after the other, so the slabs that are kept change only at the two ends.
    if (this.#retained.last?.slab !== record.slab) this.#retainedSlabs++;
    this.#retained.push(record);
    this.#retainedBytes += record.bytes.length;
    this.#sent++;
  }

  /**
   * The other side has received `delivered` numbered records in all; older news is ignored.
   * @throws MatryoshkaError `session.acknowledge-invalid` for more than were sent
   */
  acknowledge(delivered: number): void {
    if (delivered > this.#sent) throw new MatryoshkaError('session.acknowledge-invalid', `${delivered} acknowledged, ${this.#sent} sent`);
    while (this.#acknowledged < delivered) {
      this.#letGo(this.#retained.shift() as SealedRecord);
      this.#acknowledged++;
    }
  }

  /** Counts a numbered record that was received and handled. */
  receive(bytes: number): void {
    this.#received++;
    this.#bytesSinceTold += bytes;
  }

  /** Whether the other side should be told: `no`, `later` (within 25 ms or with anything outgoing) or `now`. */
  get due(): 'no' | 'later' | 'now' {
    if (this.#received === this.#told) return 'no';
    return this.#bytesSinceTold >= ACKNOWLEDGE_AFTER_BYTES ? 'now' : 'later';
  }

  /** The newest acknowledgement goes out; returns its number. */
  tell(): number {
    this.#told = this.#received;
    this.#bytesSinceTold = 0;
    return this.#received;
  }

  /** Lets go of everything retained, at the end of the session. */
  release(): void {
    for (let record = this.#retained.shift(); record !== undefined; record = this.#retained.shift()) this.#letGo(record);
  }

  #letGo(record: SealedRecord): void {
    this.#retainedBytes -= record.bytes.length;
    if (this.#retained.peek()?.slab !== record.slab) this.#retainedSlabs--;
    record.acknowledged();
  }
}
