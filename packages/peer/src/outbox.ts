import {
  ACKNOWLEDGE_LENGTH,
  type Delivery,
  MAX_OWN_PLAINTEXT_LENGTH,
  MAX_RECORDS_PER_KEY,
  Queue,
  type RecordKeys,
  type RecordWriter,
  type SealedRecord,
} from '@matryoshka/session';
import type { Clock, Link } from '@matryoshka/transport';
import { MatryoshkaError, type Message, isNumbered, messageLength, messageType } from '@matryoshka/wire';

/**
 * Control messages that wait may take this much memory, in bytes; beyond it the session ends: the other side causes
 * answers and does not take them.
 */
export const CONTROL_LIMIT_BYTES: number = 8 * 1024 * 1024;
/** What a waiting control message takes beside its own length, in bytes: most are a few bytes only. */
export const CONTROL_OVERHEAD_BYTES = 64;
/** A longer control message fits into no record. */
const MAX_CONTROL_LENGTH: number = MAX_OWN_PLAINTEXT_LENGTH - ACKNOWLEDGE_LENGTH;

/** Whatever has bytes to send: a stream, a relay link. The flush asks those that are ready in turn. */
export interface Source {
  /**
   * Writes at most one message into `writer`. Returns whether it has more to send now; it writes nothing and returns
   * true where the record has no room for it. What is written counts as consumed.
   */
  pull(writer: RecordWriter): boolean;
  /** Comes after the pull that asked for it by `Outbox.drained`, when the source may send again. */
  drained(): void;
}

/** What an outbox needs of its session. */
export interface OutboxHost {
  /** Whether a session may send at all. */
  readonly sending: boolean;
  /** Sealing or sending failed, or control messages pile up: the session ends. */
  failed(error: unknown): void;
}

/** What an outbox sends with: the link and the keys of this epoch. */
export interface OutboxEpoch {
  readonly link: Link;
  readonly sendKeys: RecordKeys;
  /** Sends made on the link before. */
  readonly sends: number;
}

/**
 * The sending half of a session: control messages first, then the ready sources round robin, into records that are
 * sealed at the end of the tick or when full. It stops while the link says so, and holds numbered messages back while
 * too much waits for acknowledgement (docs/protocol.md §5).
 */
export class Outbox {
  readonly #host: OutboxHost;
  readonly #clock: Clock;
  readonly #writer: RecordWriter;
  readonly #delivery: Delivery;
  readonly #unnumbered = new Queue<Message>();
  readonly #numbered = new Queue<Message>();
  readonly #ready = new Queue<Source>();
  readonly #queued = new Set<Source>();
  readonly #drained = new Queue<Source>();
  readonly #inFlight = new Queue<SealedRecord>();
  readonly #link: Link;
  readonly #keys: RecordKeys;
  #controlBytes = 0;
  #writtenSends: number;
  #flushDue = false;
  #linkFull = false;
  #pumping = false;
  #notifying = false;
  #acknowledgeDue = false;
  #finishing = false;

  constructor(host: OutboxHost, clock: Clock, writer: RecordWriter, delivery: Delivery, epoch: OutboxEpoch) {
    this.#host = host;
    this.#clock = clock;
    this.#writer = writer;
    this.#delivery = delivery;
    this.#link = epoch.link;
    this.#keys = epoch.sendKeys;
    this.#writtenSends = epoch.sends;
  }

  /** Memory that control messages take which wait, in bytes, {@link CONTROL_OVERHEAD_BYTES} for each included. */
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
    else this.flushSoon();
  }

  /** `source` has something to send. What fits goes into the record under assembly at once, so that it may lend its bytes. */
  ready(source: Source): void {
    if (!this.#queued.has(source)) {
      this.#queued.add(source);
      this.#ready.push(source);
    }
    this.#pump();
    this.flushSoon();
  }

  /** `source` is gone. */
  remove(source: Source): void {
    this.#queued.delete(source);
  }

  /** Called within `pull` by a source that wants to hear `drained` once the records are filled. */
  drained(source: Source): void {
    this.#drained.push(source);
  }

  /** Makes sure that the record under assembly is sealed at the end of this tick. */
  flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
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
      if (this.#open) this.#seal();
    } catch (error) {
      this.#failed(error);
    }
    this.#writer.rest();
  }

  /** The link may be sent to again. */
  writable(): void {
    this.#linkFull = false;
    this.flush();
  }

  /** The first `sends` records are written (`LinkHandler.written`). */
  written(sends: number): void {
    while (this.#writtenSends < sends) {
      this.#writtenSends++;
      this.#inFlight.shift()?.written();
    }
    if (!this.#flushDue) this.#writer.rest();
  }

  /** The session is over: lets go of every buffer. */
  release(): void {
    this.#writer.discard();
    this.linkClosed();
    this.#delivery.release();
  }

  /** The link does not borrow anything any more. */
  linkClosed(): void {
    for (let record = this.#inFlight.shift(); record !== undefined; record = this.#inFlight.shift()) record.written();
  }

  get #open(): boolean {
    return this.#host.sending && !this.#linkFull;
  }

  /**
   * Sends the last message of the session, behind what may go out now; the rest is lost. It goes out even where the link
   * is full or the key has one record left.
   * @param orderly - nothing is wrong: numbered messages that wait go along, a record of them at most
   */
  finish(message: Message, orderly: boolean): void {
    this.#finishing = true;
    this.#pump();
    // Once more for what that made due: ends of streams.
    this.#pump();
    try {
      // Ends of streams among them: whoever has sent all it had may close without losing any of it. One record of them,
      // so that nobody makes us send more than that over a link that is full.
      if (orderly) this.#pumpControl(this.#numbered);
      if (messageLength(message) > this.#writer.space) this.#seal();
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
      while (this.#open && this.#pumpControl(this.#unnumbered)) this.#seal();
      while (this.#open && !this.#delivery.full && this.#pumpControl(this.#numbered)) this.#seal();
      while (this.#open && !this.#delivery.full && this.#numbered.length === 0 && this.#pumpSources()) this.#seal();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#pumping = false;
    }
    this.#notify();
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
      if (length > this.#writer.space) return true;
      queue.shift();
      this.#controlBytes -= length + CONTROL_OVERHEAD_BYTES;
      this.#writer.message(message);
    }
    return false;
  }

  /** Returns true where the record is full. */
  #pumpSources(): boolean {
    for (let source = this.#ready.peek(); source !== undefined; source = this.#ready.peek()) {
      if (this.#queued.has(source)) {
        const before = this.#writer.carriedSpace;
        const more = source.pull(this.#writer);
        if (more && this.#writer.carriedSpace === before) {
          // It keeps its turn and begins the next record.
          if (this.#writer.pending) return true;
          throw new MatryoshkaError('bug', 'a source found no room in an empty record');
        }
        if (more) this.#ready.push(source);
        else this.#queued.delete(source);
      }
      this.#ready.shift();
    }
    return false;
  }

  /**
   * Seals and sends what is assembled; an acknowledgement that is due rides along, or goes alone when it must.
   * @param reserve - records that the key must be good for after this one
   */
  #seal(reserve: number = 1): void {
    const due = this.#delivery.due;
    if (!this.#writer.pending && !(due === 'now' || (due === 'later' && this.#acknowledgeDue))) return;
    if (this.#keys.counter + reserve >= MAX_RECORDS_PER_KEY) throw new MatryoshkaError('session.key-exhausted');
    if (due !== 'no') this.#writer.message({ type: 'acknowledge', delivered: this.#delivery.tell() });
    this.#acknowledgeDue = false;
    const record = this.#writer.seal(this.#keys);
    if (record.numbered) this.#delivery.retain(record);
    this.#inFlight.push(record);
    if (!this.#link.send([record.bytes])) this.#linkFull = true;
  }
}
