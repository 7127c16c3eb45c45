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
  /** Sent on the link there is. */
  readonly #retained = new Queue<SealedRecord>();
  /** Sent on a link that is gone, and all of them later than the ones above: to be sealed again. */
  readonly #stale = new Queue<SealedRecord>();
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

  /** Sent records that wait for their acknowledgement, oldest first. */
  get retained(): Iterable<SealedRecord> {
    return this.#all();
  }

  /** The oldest record that was sent on a link that is gone. */
  get stale(): SealedRecord | undefined {
    return this.#stale.peek();
  }

  /** Takes a numbered record that is about to be sent. */
  retain(record: SealedRecord): void {
    this.#keep(record);
    this.#sent++;
  }

  /**
   * There is a new link, and the other side has received `delivered` records in all: the rest is to be sealed again.
   * @throws MatryoshkaError `session.acknowledge-invalid` for more than were sent, and for less than were acknowledged
   */
  resume(delivered: number): void {
    if (delivered > this.#sent || delivered < this.#acknowledged) {
      const known = `${this.#acknowledged} were acknowledged and ${this.#sent} sent`;
      throw new MatryoshkaError('session.acknowledge-invalid', `${delivered} acknowledged, where ${known}`);
    }
    const kept = [...this.#all()];
    this.#retained.clear();
    this.#stale.clear();
    for (const record of kept) {
      if (this.#acknowledged < delivered) {
        this.#letGo(record);
        this.#acknowledged++;
      } else {
        this.#stale.push(record);
      }
    }
  }

  /** The record in {@link stale} was sealed again as `record`, and is sent now. */
  resealed(record: SealedRecord): void {
    const old = this.#stale.shift() as SealedRecord;
    this.#letGo(old);
    this.#keep(record);
  }

  /**
   * The other side has received `delivered` numbered records in all; older news is ignored.
   * @throws MatryoshkaError `session.acknowledge-invalid` for more than were sent on this link
   */
  acknowledge(delivered: number): void {
    const sent = this.#sent - this.#stale.length;
    if (delivered > sent) throw new MatryoshkaError('session.acknowledge-invalid', `${delivered} acknowledged, ${sent} sent`);
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
    for (const record of this.#all()) this.#letGo(record);
    this.#retained.clear();
    this.#stale.clear();
  }

  *#all(): Generator<SealedRecord> {
    yield* this.#retained;
    yield* this.#stale;
  }

  #keep(record: SealedRecord): void {
    if (record.slab !== undefined && record.slab.retained++ === 0) this.#retainedSlabs++;
    this.#retained.push(record);
    this.#retainedBytes += record.length;
  }

  #letGo(record: SealedRecord): void {
    this.#retainedBytes -= record.length;
    if (record.slab !== undefined && --record.slab.retained === 0) this.#retainedSlabs--;
    record.acknowledged();
  }
}
