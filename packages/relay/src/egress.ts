import type { Session, Source, Turn } from '@matryoshka/peer';
import { SendCredit } from '@matryoshka/peer';
import type { RecordWriter } from '@matryoshka/session';
import { RELAY_DATA_OVERHEAD } from '@matryoshka/wire';
import { type PortHalves, portHalves } from './port-table.ts';
import { minPieceLength } from './relay-window.ts';
import { UnitQueue } from './unit-queue.ts';

/** What an egress tells its owner, within the flush of the session it sends on. */
export interface EgressHost {
  /** So many bytes went into a record: consumed, as far as the one before is concerned. */
  consumed(bytes: number): void;
  /** One whole unit went into records; its bytes are free again. */
  unitSent(): void;
  /** Everything queued went out; comes after the records are filled. */
  drained(): void;
}

/**
 * The sending half of one end of a relay link: relay data on one session, within the credit of its other side. Units
 * go out whole where credit allows, otherwise in pieces with the `more` bit (docs/protocol.md §8.3).
 */
export class Egress implements Source {
  readonly turn: Turn;
  readonly #session: Session;
  readonly #port: PortHalves;
  readonly #credit: SendCredit;
  readonly #host: EgressHost;
  readonly #units = new UnitQueue();
  #offset = 0;
  #pendingBytes = 0;
  /** By the window of the other side, which is the first credit that it grants. */
  #minPieceLength: number;

  /** @param carriedFor - whom the link is carried for, with whose other links it shares one turn; undefined: it is this node's own */
  constructor(session: Session, port: bigint, credit: number, host: EgressHost, carriedFor?: object) {
    this.#session = session;
    this.turn = session.outbox.turn(this, carriedFor);
    this.#port = portHalves(port);
    this.#credit = new SendCredit(credit);
    this.#minPieceLength = minPieceLength(credit);
    this.#host = host;
  }

  /** Bytes that wait for credit or for the session. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Units that wait. */
  get pendingUnits(): number {
    return this.#units.length;
  }

  /** Bytes sent so far. */
  get sentBytes(): number {
    return this.#credit.used;
  }

  /** Sends one unit of 1 byte or more, its parts lent until `unitSent`. `more`: the message goes on in the next unit. */
  lend(parts: readonly Uint8Array[], more: boolean): void {
    this.#units.lend(parts, more);
    this.#pendingBytes += lengthOf(parts);
    this.#session.outbox.ready(this);
  }

  /** Sends one unit whose bytes are the caller's again when it returns: what cannot go out at once is copied. */
  pass(bytes: Uint8Array, more: boolean): void {
    if (this.#units.length > 0) {
      // It has to wait for those before it.
      this.#units.keep(bytes, more);
      this.#pendingBytes += bytes.length;
      this.#session.outbox.ready(this);
      return;
    }
    this.lend([bytes], more);
    if (this.#units.length === 0) return;
    this.#units.keepSole(this.#offset);
    this.#offset = 0;
  }

  /** The newest total the other side grants. */
  credited(total: number): void {
    if (this.#credit.used === 0) this.#minPieceLength = minPieceLength(total);
    if (this.#credit.raise(total) && this.#units.length > 0) this.#session.outbox.ready(this);
  }

  /** Forgets what waits. */
  stop(): void {
    this.#session.outbox.remove(this);
    this.#units.clear();
    this.#pendingBytes = 0;
    this.#offset = 0;
  }

  pull(writer: RecordWriter): boolean {
    const unit = this.#units.peek();
    if (unit === undefined) return false;
    const left = lengthOf(unit) - this.#offset;
    const { available } = this.#credit;
    if (available < Math.min(left, this.#minPieceLength)) return false;
    let length = Math.min(left, available);
    const space = writer.carriedSpace - RELAY_DATA_OVERHEAD;
    if (length > space) {
      if (writer.pending) return true;
      length = space;
    }
    const more = length < left || this.#units.more;
    writer.relayData(this.#port.high, this.#port.low, more, length);
    carry(writer, unit, this.#offset, length);
    this.#credit.use(length);
    this.#pendingBytes -= length;
    const whole = length === left;
    if (whole) {
      this.#units.shift();
      this.#offset = 0;
    } else {
      this.#offset += length;
    }
    this.#host.consumed(length);
    if (whole) this.#host.unitSent();
    if (this.#units.length > 0) return true;
    this.#session.outbox.drained(this);
    return false;
  }

  drained(): void {
    if (this.#units.length === 0) this.#host.drained();
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

/** Puts `length` bytes of `parts` into the record, from byte `from` of them on. */
function carry(writer: RecordWriter, parts: readonly Uint8Array[], from: number, length: number): void {
  let start = from;
  let left = length;
  for (const part of parts) {
    if (start >= part.length) {
      start -= part.length;
      continue;
    }
    const piece = start === 0 && part.length <= left ? part : part.subarray(start, start + left);
    writer.carried(piece);
    left -= piece.length;
    if (left === 0) return;
    start = 0;
  }
}
