import {
  MESSAGE_HEADER_LENGTH,
  MatryoshkaError,
  type Message,
  MessageType,
  RELAY_DATA_MORE,
  RELAY_DATA_OVERHEAD,
  STREAM_DATA_OVERHEAD,
  Writer,
  encodeMessage,
  isNumbered,
  messageLength,
  messageType,
} from '@matryoshka/wire';
import { TAG_LENGTH } from './crypto.ts';
import { CutMessage } from './cut-message.ts';
import type { RecordKeys } from './records.ts';
import { SealedRecord } from './sealed-record.ts';
import { SLAB_LENGTH, type Slab, type SlabPool } from './slab.ts';

/** Most bytes of its own that a session puts into one record, at every nesting depth (docs/protocol.md §4.1). */
export const MAX_OWN_PLAINTEXT_LENGTH: number = 63 * 1024;
/** Largest plaintext of a record: a link carries messages of up to 65,535 bytes. */
export const MAX_PLAINTEXT_LENGTH: number = 65_535 - TAG_LENGTH;
/** Kept free at the end of each record for the acknowledgement that rides along. */
export const ACKNOWLEDGE_LENGTH: number = MESSAGE_HEADER_LENGTH + 8;

/** A smaller rest of a record is not worth a part of a message; the headers of both fit, in bytes (docs/protocol.md §4.5). */
const MIN_PART_SPACE = 16;

const EMPTY = new Uint8Array(0);

/**
 * Assembles messages into records in place: they are encoded where they will be sealed and sent from, so that bytes of
 * the user are copied once. One writer per session.
 */
export class RecordWriter {
  readonly #pool: SlabPool;
  readonly #writer = new Writer();
  #slab: Slab | undefined;
  #start = 0;
  #numbered = false;
  #open = false;
  /** Of every record, where all have one; 0 otherwise. */
  #recordLength = 0;
  #ownLimit = MAX_OWN_PLAINTEXT_LENGTH;
  readonly #rest = new CutMessage();
  /** The record under assembly ends with a part of a message, to whose bytes so many are missing. */
  #cutting = false;
  #partSpace = 0;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** Whether a record is begun and not sealed yet. */
  get pending(): boolean {
    return this.#open;
  }

  /** What was assembled and is not sealed yet; a view. */
  get assembled(): Uint8Array {
    return this.#open ? (this.#slab as Slab).bytes.subarray(this.#start, this.#writer.offset) : EMPTY;
  }

  /** Bytes of plaintext that are assembled. */
  get length(): number {
    return this.#open ? this.#writer.offset - this.#start : 0;
  }

  /** The same and what is left of a message that is cut: by how much it grows a message was long. */
  get taken(): number {
    return this.length + this.#rest.length;
  }

  /** Bytes of own messages that still fit, headers included. */
  get space(): number {
    // Nothing comes before the rest of a message that is cut.
    return this.#rest.length > 0 ? 0 : this.#room;
  }

  get #room(): number {
    return Math.max(0, this.#ownLimit - ACKNOWLEDGE_LENGTH - this.length);
  }

  /**
   * Bytes of carried messages that still fit, headers included: they may go beyond `space` (docs/protocol.md §4.1), and
   * where messages are cut any of them fits.
   */
  get carriedSpace(): number {
    if (this.#rest.length > 0) return 0;
    if (this.#recordLength === 0) return MAX_PLAINTEXT_LENGTH - ACKNOWLEDGE_LENGTH - this.length;
    return this.cuts ? MAX_PLAINTEXT_LENGTH - ACKNOWLEDGE_LENGTH : 0;
  }

  /** Whether a numbered message that does not fit may be cut here. */
  get cuts(): boolean {
    return this.#recordLength > 0 && this.space >= MIN_PART_SPACE;
  }

  /**
   * From now on records are `recordLength` bytes long at most, tag included, and numbered messages that do not fit are cut
   * (docs/protocol.md §4.5); 0: as long as records may be. One that is begun may be longer.
   */
  shape(recordLength: number): void {
    this.#recordLength = recordLength;
    this.#ownLimit = recordLength === 0 ? MAX_OWN_PLAINTEXT_LENGTH : recordLength - TAG_LENGTH;
  }

  /**
   * Adds a whole message. The caller has checked that it fits.
   * @throws RangeError for one that cannot be encoded; the record is as it was
   */
  message(message: Message): void {
    this.#begin();
    const at = this.#writer.offset;
    try {
      encodeMessage(this.#writer, message);
    } catch (error) {
      this.#writer.reset((this.#slab as Slab).bytes, at, this.#start + MAX_PLAINTEXT_LENGTH);
      throw error;
    }
    if (isNumbered(messageType(message))) this.#numbered = true;
  }

  /**
   * Adds the first bytes of a numbered message that does not fit; the others begin the next records. Only where it `cuts`.
   * @throws RangeError for one that cannot be encoded; the record is as it was
   */
  cut(message: Message): void {
    const bytes = new Uint8Array(messageLength(message));
    encodeMessage(new Writer(bytes), message);
    this.#beginPart(bytes.length);
    this.#addCut(bytes);
  }

  /** Begins stream data whose `length` bytes follow by `carried` (docs/protocol.md §6.3). */
  streamData(streamId: number, length: number): void {
    this.#begin();
    this.#writer
      .u8(MessageType.streamData)
      .u16(STREAM_DATA_OVERHEAD - MESSAGE_HEADER_LENGTH + length)
      .u32(streamId);
    this.#numbered = true;
  }

  /** Begins relay data whose `length` bytes follow by `carried` (docs/protocol.md §6.4). */
  relayData(portHigh: number, portLow: number, more: boolean, length: number): void {
    const cut = this.#recordLength > 0 && RELAY_DATA_OVERHEAD + length > this.space;
    if (cut) this.#beginPart(RELAY_DATA_OVERHEAD + length);
    else this.#begin();
    this.#writer
      .u8(MessageType.relayData)
      .u16(RELAY_DATA_OVERHEAD - MESSAGE_HEADER_LENGTH + length)
      .u32(portHigh)
      .u32(portLow)
      .u8(more ? RELAY_DATA_MORE : 0);
    if (cut) this.#partSpace -= RELAY_DATA_OVERHEAD;
    this.#numbered = true;
  }

  /** Bytes of the stream or relay data that was begun; they are copied. */
  carried(bytes: Uint8Array): void {
    if (this.#cutting) this.#addCut(bytes);
    else this.#writer.bytes(bytes);
  }

  /** Fills up with padding to `length` bytes of plaintext, if there are fewer; nothing but `seal` may follow. */
  pad(length: number): void {
    this.#begin();
    const missing = length - this.length;
    if (missing > 0) this.#writer.zeros(missing);
  }

  /**
   * Seals what was assembled, in place where the cipher can. The caller owns the record: it tells it when it is written and
   * acknowledged.
   * @throws MatryoshkaError `session.key-exhausted`; `bug` when nothing was assembled
   */
  seal(keys: RecordKeys): SealedRecord {
    if (!this.#open) throw new MatryoshkaError('bug', 'nothing to seal');
    const slab = this.#slab as Slab;
    const end = this.#writer.offset;
    const { counter } = keys;
    const plaintext = slab.bytes.subarray(this.#start, end);
    const apart = keys.sealDetached(plaintext);
    let record: SealedRecord;
    if (apart === undefined) {
      const out = slab.bytes.subarray(this.#start, end + TAG_LENGTH);
      keys.seal(plaintext, out);
      record = new SealedRecord(slab, [out], counter, this.#numbered, keys);
      slab.used = end + TAG_LENGTH;
    } else {
      // The slab was only where it was put together.
      record = new SealedRecord(apart.ciphertext, [apart.ciphertext, apart.tag], counter, this.#numbered, keys);
    }
    this.#open = false;
    this.#numbered = false;
    this.#cutting = false;
    if (this.#rest.length > 0) this.#continue();
    return record;
  }

  /** A writer that takes its slabs from the same pool, for use beside a record that is begun here. */
  sibling(): RecordWriter {
    return new RecordWriter(this.#pool);
  }

  /**
   * Seals a kept record again: the same contents under another key (docs/protocol.md §5.2). Nothing may be begun.
   * @throws MatryoshkaError `session.key-exhausted`
   */
  reseal(record: SealedRecord, keys: RecordKeys): SealedRecord {
    if (this.#open) throw new MatryoshkaError('bug', 'a record is begun');
    this.#begin();
    const length = record.reopen((this.#slab as Slab).bytes.subarray(this.#start));
    this.#writer.skip(length);
    this.#numbered = true;
    return this.seal(keys);
  }

  /**
   * Gives the slab back unless something is begun or records in it are still needed: an idle session holds no buffer,
   * and one that sends little by little does not take a slab for each record.
   */
  rest(): void {
    if (!this.#open && this.#slab?.sole === true) this.#giveBack();
  }

  /** Forgets what was begun and gives the slab back. */
  discard(): void {
    this.#open = false;
    this.#numbered = false;
    this.#cutting = false;
    this.#giveBack();
  }

  #giveBack(): void {
    this.#releaseSlab();
    this.#rest.release();
  }

  #releaseSlab(): void {
    this.#slab?.release();
    this.#slab = undefined;
  }

  /** What fits of a message of `length` bytes comes next, and fills the record. */
  #beginPart(length: number): void {
    this.#begin();
    const fits = this.#room - MESSAGE_HEADER_LENGTH;
    this.#writer.u8(MessageType.part).u16(fits);
    this.#rest.begin(length - fits);
    this.#cutting = true;
    this.#partSpace = fits;
    this.#numbered = true;
  }

  #addCut(bytes: Uint8Array): void {
    const fits = Math.min(bytes.length, this.#partSpace);
    this.#partSpace -= fits;
    if (fits > 0) this.#writer.bytes(bytes.subarray(0, fits));
    if (fits < bytes.length) this.#rest.add(bytes.subarray(fits));
  }

  /** The next record begins with what is left of a message. */
  #continue(): void {
    this.#begin();
    const length = Math.min(this.#rest.length, this.#room - MESSAGE_HEADER_LENGTH);
    this.#writer.u8(MessageType.part).u16(length).bytes(this.#rest.take(length));
    this.#numbered = true;
  }

  #begin(): void {
    if (this.#open) return;
    // Nobody else looks at the slab: start again at the front, where the cache is warm.
    if (this.#slab?.sole === true) this.#slab.used = 0;
    if (this.#slab !== undefined && SLAB_LENGTH - this.#slab.used < MAX_PLAINTEXT_LENGTH + TAG_LENGTH) this.#releaseSlab();
    this.#slab ??= this.#pool.take();
    this.#start = this.#slab.used;
    this.#writer.reset(this.#slab.bytes, this.#start, this.#start + MAX_PLAINTEXT_LENGTH);
    this.#open = true;
  }
}
