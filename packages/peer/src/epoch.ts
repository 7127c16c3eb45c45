import { Queue, type RecordKeys, type Role, type SealedRecord } from '@matryoshka/session';
import type { CloseReason, Link } from '@matryoshka/transport';
import { KeySchedule, type KeyScheduleEnvironment } from './key-schedule.ts';

/** What an epoch is made of. */
export interface EpochParts {
  /** What it runs over. */
  readonly link: Link;
  /** Under which it seals. */
  readonly sendKeys: RecordKeys;
  /** Under which it opens. */
  readonly receiveKeys: RecordKeys;
  /** Sends made on the link by the handshake. */
  readonly sends: number;
}

/** One epoch of a session: one link, one handshake, and the keys that begin with it (docs/protocol.md §5). */
export class Epoch {
  readonly link: Link;
  readonly keys: KeySchedule;
  /** Sent, and still borrowed by the link. */
  readonly #inFlight = new Queue<SealedRecord>();
  #writtenSends: number;
  #full = false;
  #bytesSent = 0;

  constructor(environment: KeyScheduleEnvironment, role: Role, parts: EpochParts) {
    this.link = parts.link;
    this.keys = new KeySchedule(environment, role, parts.sendKeys, parts.receiveKeys);
    this.#writtenSends = parts.sends;
  }

  /** Whether the link has said stop. */
  get full(): boolean {
    return this.#full;
  }

  /** Bytes of all records that were sent, those of the handshake not counted. */
  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** Whether the link has written all that was sent. */
  get idle(): boolean {
    return this.#inFlight.length === 0;
  }

  /** Sends a record that was sealed with `keys.send`. */
  send(record: SealedRecord): void {
    this.keys.sealed(record.length);
    this.#bytesSent += record.length;
    this.#inFlight.push(record);
    if (!this.link.send(record.parts)) this.#full = true;
  }

  /** The link may be sent to again. */
  writable(): void {
    this.#full = false;
  }

  /** The first `sends` sends are written (`LinkHandler.written`). */
  written(sends: number): void {
    while (this.#writtenSends < sends) {
      this.#writtenSends++;
      this.#inFlight.shift()?.written();
    }
  }

  /** The link is closed: it borrows nothing any more. */
  closed(): void {
    for (let record = this.#inFlight.shift(); record !== undefined; record = this.#inFlight.shift()) record.written();
  }

  /** Nothing is sent or read any more. What was sent stays with the link until it has closed. */
  end(reason: CloseReason): void {
    this.link.close(reason);
    this.keys.end();
  }
}
