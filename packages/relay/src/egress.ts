import type { Session, Source, Turn } from '@matryoshka/peer';
import { SendCredit } from '@matryoshka/peer';
import type { RecordWriter } from '@matryoshka/session';
import { MAX_RECORD_LENGTH, RELAY_DATA_OVERHEAD } from '@matryoshka/wire';
import type { Entry, Task } from './agenda.ts';
import type { CreditHolder, IdleCredit } from './idle-credit.ts';
import type { Gate } from './link-meter.ts';
import { portHalves } from './port-table.ts';
import { MIN_RELAY_WINDOW_BYTES, minPieceLength } from './relay-window.ts';
import { UnitQueue } from './unit-queue.ts';

/**
 * Bytes that a sender pays for at once where there is a rate, if it has so many, and the longest piece it sends then: what
 * waits for the same rate has its turns in shares of this. Messages of one length are no longer.
 */
const PAID_AHEAD_BYTES = MAX_RECORD_LENGTH;

/**
 * After so many questions without enough for the next piece, and none sent in between, the window is as small as it looks.
 * Fewer may have met credit that was on its way already, which comes before the answer.
 */
const MAX_ASKED = 4;

/** Nothing waits. */
const NONE = new UnitQueue();

/** What an egress tells its owner, within the flush of the session it sends on. */
export interface EgressHost {
  /** So many bytes went into a record: consumed, as far as the one before is concerned. */
  consumed(bytes: number): void;
  /** One whole unit went into records; its bytes are free again. */
  unitSent(): void;
  /** Everything queued went out; comes after the records are filled. */
  drained(): void;
  /** So much credit is given back: the other side has to hear of it. */
  giveBack(bytes: number): void;
}

/**
 * The sending half of one end of a relay link: relay data on one session, within the credit of its other side. Units
 * go out whole where credit allows, otherwise in pieces with the `more` bit (docs/protocol.md §8.3).
 */
export class Egress implements Source, CreditHolder, Task {
  readonly turn: Turn;
  readonly #session: Session;
  readonly #portHigh: number;
  readonly #portLow: number;
  readonly #credit: SendCredit;
  readonly #host: EgressHost;
  readonly #idle: IdleCredit;
  /** One of its own only while it is in use: most links are idle. */
  #units = NONE;
  #offset = 0;
  #pendingBytes = 0;
  /** By the window of the other side: the first credit that it grants, larger credit, or what comes after it was asked often enough. */
  #minPieceLength: number;
  /** How often it has asked since it sent something. */
  #asked = 0;
  #returnedBytes = 0;
  /** What holds it to a rate; undefined: nothing. */
  readonly #gate: Gate | undefined;
  #paidBytes = 0;
  #waiting: Entry | undefined;
  /** Whether it has given credit back and not begun again; it asks for what it needs by giving back the rest. */
  #idling: 'no' | 'yes' | 'asking' = 'no';

  /**
   * @param credit - what the other side has granted, in bytes
   * @param carriedFor - whom the link is carried for, with whose other links it shares one turn; undefined: it is this node's own
   */
  constructor(session: Session, port: bigint, credit: number, host: EgressHost, idle: IdleCredit, carriedFor?: object, gate?: Gate) {
    this.#session = session;
    this.turn = session.outbox.turn(this, carriedFor);
    const { high, low } = portHalves(port);
    this.#portHigh = high;
    this.#portLow = low;
    this.#credit = new SendCredit(credit);
    this.#minPieceLength = minPieceLength(credit);
    this.#host = host;
    this.#idle = idle;
    this.#gate = gate;
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
    return this.#credit.used - this.#returnedBytes;
  }

  /** The link is open: credit that is not used goes back from now on. */
  open(): void {
    if (this.#credit.available > MIN_RELAY_WINDOW_BYTES) this.#idle.watch(this);
  }

  /** Sends one unit of 1 byte or more, its parts lent until `unitSent`. `more`: the message goes on in the next unit. */
  lend(parts: readonly Uint8Array[], more: boolean): void {
    if (this.#units === NONE) this.#units = new UnitQueue();
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
    const { used } = this.#credit;
    if (!this.#credit.raise(total)) return;
    const { available } = this.#credit;
    const length = minPieceLength(available);
    // The window is never smaller than what there is of it, but may be larger by what waits there or is on its way.
    if (used === 0 || length > this.#minPieceLength || this.#asked >= MAX_ASKED) this.#minPieceLength = length;
    // Of a smaller window so much may be left that the other side grants no more of it, and too little for a piece.
    this.#idling = available >= 2 * this.#minPieceLength || this.#idling === 'no' ? 'no' : 'yes';
    this.open();
    if (this.#units.length > 0) this.#session.outbox.ready(this);
  }

  giveBack(): boolean {
    // What waits is held up, and will need it.
    if (this.#units.length > 0) return true;
    this.#units = NONE;
    if (this.#credit.available > MIN_RELAY_WINDOW_BYTES) {
      // The smallest window stays, with which it may begin again at any time.
      this.#giveBack(this.#credit.available - MIN_RELAY_WINDOW_BYTES);
      this.#idling = 'yes';
    }
    return false;
  }

  #giveBack(bytes: number): void {
    this.#credit.use(bytes);
    this.#returnedBytes += bytes;
    this.#host.giveBack(bytes);
  }

  /** There is less credit than the next unit needs. */
  #starve(): void {
    if (this.#idling !== 'yes' || this.#credit.available < MIN_RELAY_WINDOW_BYTES) return;
    // The other side does not know that there is more to send than the smallest window lets through.
    this.#giveBack(this.#credit.available);
    this.#idling = 'asking';
    this.#asked++;
  }

  /** Forgets what waits. */
  stop(): void {
    this.#session.outbox.remove(this);
    this.#idle.forget(this);
    this.#leaveGate();
    this.#units.clear();
    this.#units = NONE;
    this.#pendingBytes = 0;
    this.#offset = 0;
  }

  pull(writer: RecordWriter): boolean {
    const unit = this.#units.peek();
    if (unit === undefined) return false;
    const left = lengthOf(unit) - this.#offset;
    const { available } = this.#credit;
    if (available < Math.min(left, this.#minPieceLength)) {
      this.#starve();
      return false;
    }
    let length = Math.min(left, available);
    const space = writer.carriedSpace - RELAY_DATA_OVERHEAD;
    if (length > space) {
      if (writer.pending) return true;
      length = space;
    }
    if (this.#gate?.limited === true) {
      length = Math.min(length, PAID_AHEAD_BYTES);
      if (!this.#paid(this.#gate, length)) return false;
    }
    const more = length < left || this.#units.more;
    writer.relayData(this.#portHigh, this.#portLow, more, length);
    carry(writer, unit, this.#offset, length);
    this.#credit.use(length);
    this.#asked = 0;
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

  /** What was paid for may go out. */
  due(): void {
    this.#waiting = undefined;
    this.#session.outbox.ready(this);
  }

  /** Whether so many bytes are paid for and may go out; otherwise it hears when they may. */
  #paid(gate: Gate, length: number): boolean {
    if (this.#waiting !== undefined) return false;
    if (this.#paidBytes < length) {
      const bytes = Math.max(length, Math.min(PAID_AHEAD_BYTES, this.#pendingBytes)) - this.#paidBytes;
      this.#paidBytes += bytes;
      const waitMs = gate.pay(bytes);
      if (waitMs > 0) {
        this.#waiting = gate.wake(waitMs, this);
        return false;
      }
    }
    this.#paidBytes -= length;
    return true;
  }

  #leaveGate(): void {
    if (this.#waiting !== undefined) this.#gate?.forget(this.#waiting);
    this.#waiting = undefined;
    if (this.#paidBytes > 0) this.#gate?.refund(this.#paidBytes);
    this.#paidBytes = 0;
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
