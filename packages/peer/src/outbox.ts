import {
  ACKNOWLEDGE_LENGTH,
  type Delivery,
  MAX_OWN_PLAINTEXT_LENGTH,
  MAX_PLAINTEXT_LENGTH,
  MAX_RECORDS_PER_KEY,
  Queue,
  type RecordWriter,
  type SealedRecord,
  TAG_LENGTH,
} from '@matryoshka/session';
import type { Clock } from '@matryoshka/transport';
import { MatryoshkaError, type Message, MessageType, Reader, isNumbered, messageLength, messageType } from '@matryoshka/wire';
import type { Epoch } from './epoch.ts';
import { Scheduler, type Source, type Turn } from './scheduler.ts';

/**
 * Control messages that wait may take this much memory, in bytes; beyond it the session ends: the other side causes
 * answers and does not take them.
 */
export const CONTROL_LIMIT_BYTES: number = 8 * 1024 * 1024;
/** What a waiting control message takes beside its own length, in bytes: most are a few bytes only. */
export const CONTROL_OVERHEAD_BYTES = 64;
/** A longer control message fits into no record. */
const MAX_CONTROL_LENGTH: number = MAX_OWN_PLAINTEXT_LENGTH - ACKNOWLEDGE_LENGTH;
/**
 * In a tick that takes longer, control messages go out meanwhile, in milliseconds: the answers to many handshakes that came
 * together must not wait for the last of them while all who wait for one do nothing.
 */
const HOLD_MS = 1;
/** What cover is made of; nobody sees that. */
const NOTHING = new Uint8Array(1024);

/** How the records of an outbox look from outside. */
export interface Shaping {
  /** Pads them; undefined: they are as long as what is in them. */
  readonly padding: { paddedLength(length: number): number } | undefined;
  /** Length of all of them, tag included; 0: they have several. */
  readonly recordLength: number;
  /** They go out in `slots` only. */
  readonly paced: boolean;
}

/** What an outbox needs of its session. */
export interface OutboxHost {
  /** Whether a session may send at all. */
  readonly sending: boolean;
  /** The other side owes an acknowledgement, after it owed none. */
  owes(): void;
  /** Sealing or sending failed, or control messages pile up: the session ends. */
  failed(error: unknown): void;
}

/**
 * The sending half of a session: control messages first, then the ready sources in fair turns, into records that are
 * sealed at the end of the tick, when full, or in a long tick meanwhile. It stops while the link says so or there is none, and holds numbered
 * messages back while too much waits for acknowledgement (docs/protocol.md §5).
 */
export class Outbox {
  readonly #host: OutboxHost;
  readonly #clock: Clock;
  readonly #writer: RecordWriter;
  readonly #delivery: Delivery;
  readonly #unnumbered = new Queue<Message>();
  readonly #numbered = new Queue<Message>();
  readonly #ready = new Scheduler();
  readonly #drained = new Queue<Source>();
  #epoch: Epoch | undefined;
  /** Seals kept records again, beside the one under assembly. */
  #resender: RecordWriter | undefined;
  #controlBytes = 0;
  #flushDue = false;
  /** Since when something waits for the flush, or when some of it went out before. */
  #heldSinceMs = 0;
  #pumping = false;
  #notifying = false;
  #acknowledgeDue = false;
  #finishing = false;
  #padding: Shaping['padding'];
  /** Records that may go out now; one by one where they go out at a fixed pace. */
  #slots = Number.POSITIVE_INFINITY;
  #coverBytesSent = 0;

  constructor(host: OutboxHost, clock: Clock, writer: RecordWriter, delivery: Delivery, epoch: Epoch) {
    this.#host = host;
    this.#clock = clock;
    this.#writer = writer;
    this.#delivery = delivery;
    this.#epoch = epoch;
  }

  /** Memory that control messages take which wait, in bytes, with an overhead for each. */
  get controlBytes(): number {
    return this.#controlBytes;
  }

  /**
   * Queues a control message; it goes out with the next flush, before all data.
   * @throws RangeError for one that fits into no record
   */
  control(message: Message): void {
    const length = messageLength(message);
    if (length > MAX_CONTROL_LENGTH) throw new RangeError(`${message.type} of ${length} bytes does not fit into a record`);
    (isNumbered(messageType(message)) ? this.#numbered : this.#unnumbered).push(message);
    this.#controlBytes += length + CONTROL_OVERHEAD_BYTES;
    if (this.#controlBytes > CONTROL_LIMIT_BYTES)
      this.#host.failed(new MatryoshkaError('session.unexpected', 'the other side causes more answers than it takes'));
    else if (!this.#flushDue) this.flushSoon();
    else this.#flushMeanwhile();
  }

  #flushMeanwhile(): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#heldSinceMs < HOLD_MS) return;
    this.#heldSinceMs = nowMs;
    this.flush();
  }

  /**
   * A place among those who send through this outbox.
   * @param carriedFor - see {@link Scheduler.turn}
   */
  turn(source: Source, carriedFor?: object): Turn {
    return this.#ready.turn(source, carriedFor);
  }

  /** `source` has something to send. What fits goes into the record under assembly at once, so that it may lend its bytes. */
  ready(source: Source): void {
    this.#ready.add(source.turn);
    this.#pump();
    this.flushSoon();
  }

  /** `source` is gone. */
  remove(source: Source): void {
    this.#ready.remove(source.turn);
  }

  /** Called within `pull` by a source that wants to hear `drained` once the records are filled. */
  drained(source: Source): void {
    this.#drained.push(source);
  }

  /** From the next record on they look like this. */
  shape({ padding, recordLength, paced }: Shaping): void {
    this.#padding = padding;
    this.#writer.shape(recordLength);
    // The first record goes out at once, as that of a resume does.
    if (paced !== Number.isFinite(this.#slots)) this.#slots = paced ? 1 : Number.POSITIVE_INFINITY;
    this.flushSoon();
  }

  /**
   * Sends a record that nobody needs, with so many bytes in it; not where something that waited goes out in its place, nor
   * where the link has something to do: so it never waits, and nothing waits for it.
   */
  cover(length: number): void {
    this.flush();
    if (this.#epoch?.idle === true) this.#sendCover(length);
  }

  /** So many records go out now: what waits, and for the rest of them such as nobody needs, unless the link is busy. */
  slots(count: number): void {
    const idle = this.#epoch?.idle === true;
    // What was sent out of turn counts, what could not be sent does not come later.
    this.#slots = Math.min(0, this.#slots) + count;
    this.flush();
    while (idle && this.#slots > 0 && this.#sendCover(0));
    this.#slots = Math.min(0, this.#slots);
  }

  /** Bytes of all records that nobody needed. */
  get coverBytesSent(): number {
    return this.#coverBytesSent;
  }

  /** Returns false where it cannot go out. */
  #sendCover(length: number): boolean {
    if (!this.#open || this.#delivery.stale !== undefined || this.#writer.pending) return false;
    const sentBefore = this.#epoch?.bytesSent ?? 0;
    try {
      this.#writer.message({ type: 'cover', bytes: NOTHING.subarray(0, length) });
      this.#seal();
      this.#coverBytesSent += (this.#epoch?.bytesSent ?? sentBefore) - sentBefore;
    } catch (error) {
      this.#failed(error);
      return false;
    }
    this.#writer.rest();
    return true;
  }

  /** Makes sure that the record under assembly is sealed at the end of this tick. */
  flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#heldSinceMs = this.#clock.now();
    this.#clock.soon(this.#onFlush);
  }

  readonly #onFlush = (): void => {
    this.#flushDue = false;
    this.flush();
  };

  /** Sends an acknowledgement with this flush, alone if need be. */
  acknowledge(): void {
    this.#acknowledgeDue = true;
    this.flushSoon();
  }

  /** Sends all that may be sent now. */
  flush(): void {
    if (this.#pumping) {
      this.flushSoon();
      return;
    }
    this.#pump();
    try {
      // More than one where a message is cut.
      if (this.#open && this.#delivery.stale === undefined)
        do this.#seal();
        while (this.#writer.pending && this.#open);
    } catch (error) {
      this.#failed(error);
    }
    this.#writer.rest();
  }

  /** Records were written: whatever was in them may be free. */
  written(): void {
    if (!this.#flushDue) this.#writer.rest();
  }

  /** The link is gone: nothing is sent until `resume`. What is under assembly stays. */
  suspend(): void {
    this.#epoch = undefined;
  }

  /**
   * Goes on over another link. What the other side has not received is sealed again and sent first, then the rest.
   * @param delivered - numbered records that the other side has received in all
   * @throws MatryoshkaError `session.acknowledge-invalid`
   */
  resume(epoch: Epoch, delivered: number): void {
    // First, so that what is wrong with the count can be said.
    this.#epoch = epoch;
    this.#delivery.resume(delivered);
    // They meant the old link: credit is told anew, and a pong that is late answers nothing.
    for (let message = this.#unnumbered.shift(); message !== undefined; message = this.#unnumbered.shift())
      this.#controlBytes -= messageLength(message) + CONTROL_OVERHEAD_BYTES;
    this.#acknowledgeDue = true;
    this.flushSoon();
  }

  /** Bytes per stream in records that the other side has not received, as far as is known here. */
  undelivered(): Map<number, number> {
    const bytes = new Map<number, number>();
    const scratch = new Uint8Array(MAX_PLAINTEXT_LENGTH + TAG_LENGTH);
    for (const record of this.#delivery.retained) addStreamBytes(bytes, scratch.subarray(0, record.reopen(scratch)));
    addStreamBytes(bytes, this.#writer.assembled);
    return bytes;
  }

  /** The session is over: lets go of every buffer. */
  release(): void {
    this.#epoch = undefined;
    this.#writer.discard();
    this.#resender?.discard();
    this.#delivery.release();
  }

  get #open(): boolean {
    return this.#host.sending && this.#epoch !== undefined && !this.#epoch.full && this.#slots > 0;
  }

  /**
   * Sends the last message of the session, behind what may go out now; the rest is lost. It goes out even where the link
   * is full or the key has one record left.
   * @param orderly - nothing is wrong: numbered messages that wait go along, a record of them at most
   */
  finish(message: Message, orderly: boolean): void {
    this.#finishing = true;
    // The end is seen anyway.
    this.#slots = Number.POSITIVE_INFINITY;
    if (this.#epoch === undefined) return;
    this.#pump();
    // Once more for what that made due: ends of streams.
    this.#pump();
    try {
      // Ends of streams among them: whoever has sent all it had may close without losing any of it. One record of them,
      // so that nobody makes us send more than that over a link that is full.
      if (orderly) this.#pumpControl(this.#numbered);
      while (messageLength(message) > this.#writer.space) this.#seal();
      this.#writer.message(message);
      this.#seal(0);
    } catch {
      // What ends the session stands already: without a goodbye the other side sees its link close.
      this.#writer.discard();
    }
  }

  #failed(error: unknown): void {
    // Whatever is half written must not come before the goodbye.
    this.#writer.discard();
    if (!this.#finishing) this.#host.failed(error);
  }

  /** Fills records: control, then sources in turn. Leaves the last one open for what else this tick brings. */
  #pump(): void {
    // A source may make another one ready while it is pulled; the loop below comes to that one anyway.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      if (this.#resend()) {
        while (this.#open && this.#pumpControl(this.#unnumbered)) this.#seal();
        while (this.#open && !this.#delivery.full && this.#pumpControl(this.#numbered)) this.#seal();
        while (this.#open && !this.#delivery.full && this.#numbered.length === 0 && this.#pumpSources()) this.#seal();
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#pumping = false;
    }
    this.#notify();
  }

  /** What was sent on a link that is gone goes out again, in its order and before anything else. Says whether all of it has. */
  #resend(): boolean {
    for (let record = this.#delivery.stale; record !== undefined; record = this.#delivery.stale) {
      // The last flush of a session does not wait for its link, which takes everything.
      if (!(this.#open || (this.#finishing && this.#epoch !== undefined))) return false;
      const epoch = this.#epoch as Epoch;
      this.#resender ??= this.#writer.sibling();
      const again: SealedRecord = this.#resender.reseal(record, epoch.keys.send);
      this.#delivery.resealed(again);
      this.#send(epoch, again);
      if (epoch.keys.due) this.#updateKeys(epoch, this.#resender);
    }
    this.#resender?.discard();
    this.#resender = undefined;
    return true;
  }

  /** Sources write again from here, not from within their pull; a loop, so that a long run does not nest calls. */
  #notify(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    try {
      for (let source = this.#drained.shift(); source !== undefined; source = this.#drained.shift()) source.drained();
    } catch (error) {
      this.#host.failed(error);
    } finally {
      this.#notifying = false;
    }
  }

  /** Returns true where the record is full. */
  #pumpControl(queue: Queue<Message>): boolean {
    for (let message = queue.peek(); message !== undefined; message = queue.peek()) {
      const length = messageLength(message);
      const fits = length <= this.#writer.space;
      // Only what is numbered is cut: nothing else would come again with the rest of it (docs/protocol.md §4.5).
      if (!fits && !(this.#writer.cuts && queue === this.#numbered)) return true;
      queue.shift();
      this.#controlBytes -= length + CONTROL_OVERHEAD_BYTES;
      if (fits) this.#writer.message(message);
      else this.#writer.cut(message);
    }
    return false;
  }

  /** Returns true where the record is full. */
  #pumpSources(): boolean {
    for (let source = this.#ready.next(); source !== undefined; source = this.#ready.next()) {
      const before = this.#writer.taken;
      const more = source.pull(this.#writer);
      const bytes = this.#writer.taken - before;
      if (more && bytes === 0) {
        // It keeps its turn and begins the next record.
        if (this.#writer.pending) return true;
        throw new MatryoshkaError('bug', 'a source found no room in an empty record');
      }
      this.#ready.sent(source.turn, bytes);
      if (!more) this.#ready.remove(source.turn);
    }
    return false;
  }

  /**
   * Seals and sends what is assembled; an acknowledgement that is due rides along, or goes alone when it must. A key update
   * that is due follows.
   * @param reserve - records that the key must be good for after this one, the goodbye: it never comes to that where keys
   * are updated
   */
  #seal(reserve: number = 1): void {
    const due = this.#delivery.due;
    const epoch = this.#epoch as Epoch;
    const { keys } = epoch;
    if (this.#writer.pending || due === 'now' || (due === 'later' && this.#acknowledgeDue)) {
      if (keys.send.counter + reserve >= MAX_RECORDS_PER_KEY) throw new MatryoshkaError('session.key-exhausted');
      if (due !== 'no') this.#writer.message({ type: 'acknowledge', delivered: this.#delivery.tell() });
      this.#acknowledgeDue = false;
      this.#pad(this.#writer);
      const record = this.#writer.seal(keys.send);
      if (record.numbered) {
        if (this.#delivery.retainedBytes === 0) this.#host.owes();
        this.#delivery.retain(record);
      }
      this.#send(epoch, record);
    }
    // Nothing follows the goodbye.
    if (reserve === 0 || !keys.due) return;
    // Where a message is cut the next record is begun.
    const aside = this.#writer.pending ? this.#writer.sibling() : undefined;
    this.#updateKeys(epoch, aside ?? this.#writer);
    aside?.discard();
  }

  /** Each key update alone in its record, also where the link is full: they are rare and small. Nothing may be begun. */
  #updateKeys(epoch: Epoch, writer: RecordWriter): void {
    const { keys } = epoch;
    for (let update = keys.take(); update !== undefined; update = keys.take()) {
      writer.message(update);
      this.#pad(writer);
      this.#send(epoch, writer.seal(keys.send));
      keys.sent(update);
    }
  }

  #pad(writer: RecordWriter): void {
    if (this.#padding !== undefined) writer.pad(this.#padding.paddedLength(writer.length));
  }

  #send(epoch: Epoch, record: SealedRecord): void {
    this.#slots--;
    epoch.send(record);
  }
}

/** Adds up the stream data in the plaintext of one of our own records. */
function addStreamBytes(bytes: Map<number, number>, plaintext: Uint8Array): void {
  const reader = new Reader(plaintext);
  while (reader.remaining > 0) {
    const type = reader.u8();
    if (type === MessageType.padding) return;
    const body = new Reader(reader.bytes(reader.u16()));
    if (type !== MessageType.streamData) continue;
    const id = body.u32();
    bytes.set(id, (bytes.get(id) ?? 0) + body.remaining);
  }
}
