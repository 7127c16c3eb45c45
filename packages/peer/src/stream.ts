import { ACKNOWLEDGE_AFTER_BYTES, type RecordWriter } from '@matryoshka/session';
import { MatryoshkaError, type ReasonCode, STREAM_DATA_OVERHEAD, type StreamProgress, asMatryoshkaError } from '@matryoshka/wire';
import { ByteQueue } from './byte-queue.ts';
import { ReceiveWindow, SendCredit } from './credit.ts';
import type { Outbox } from './outbox.ts';
import type { Source, Turn } from './scheduler.ts';

/** Credit each side has on a new stream before the other one grants more, in bytes (docs/protocol.md §7). */
export const INITIAL_STREAM_CREDIT_BYTES: number = 64 * 1024;
/** `write` returns false from this many waiting bytes on. */
export const STREAM_HIGH_WATER_BYTES: number = 64 * 1024;
/** A small rest of a record is not worth a header of its own. */
const MIN_PIECE_LENGTH = 512;

/** What the owner of a stream hears. A callback that throws resets its stream, and nothing else. */
export interface StreamHandler {
  /** Bytes as they come: a view, valid during the call only. Returning from the call consumes them (principle 4). */
  data?(bytes: Uint8Array): void;
  /** The other side has ended its direction. */
  end?(): void;
  /** `write` returned false and may go on. */
  writable?(): void;
  /** After `end()`: all that was written has gone out, so that the session may be closed without losing any of it. */
  finished?(): void;
  /** Exactly once: both directions have ended (`error` is undefined), or the stream or its session failed. */
  closed?(error: MatryoshkaError | undefined): void;
}

/** What a stream needs of its table. */
export interface StreamHost {
  readonly outbox: Outbox;
  /** Both directions are over. */
  forget(stream: Stream, error: MatryoshkaError | undefined): void;
}

type SendState = 'open' | 'ending' | 'flushed' | 'ended';
type ReceiveState = 'open' | 'ended';

/**
 * One bidirectional byte stream inside a session, with credit on consumption in each direction. Its core is
 * synchronous; `asyncStream`, `webStreams` and Node's `Duplex` are adapters over it.
 *
 * | state | on | next |
 * |---|---|---|
 * | send `open` | `end()` | `ending` |
 * | send `ending` | the last bytes are in a record | stream-end, `flushed` until the flush is over, then `ended` |
 * | receive `open` | stream-end | `ended` once all is consumed |
 * | any | both `ended`, reset by either side, session over | closed |
 *
 * One exception: whoever has ended its direction has said all. What of it still waits for a slow reader is delivered
 * before a later reset or the end of the session is.
 */
export class Stream implements Source {
  /** Even where the session's initiator has opened it, else odd (docs/protocol.md §6.3). */
  readonly id: number;
  /** What its opener wants to speak, as `/echo/1`. */
  readonly protocol: string;
  readonly turn: Turn;
  readonly #host: StreamHost;
  readonly #window: ReceiveWindow;
  readonly #credit: SendCredit;
  #handler: StreamHandler | undefined;
  #closed: { readonly error: MatryoshkaError | undefined } | undefined;

  #send: SendState = 'open';
  readonly #outgoing = new ByteQueue();
  /** What is being written right now, behind `#outgoing`: borrowed until `write` returns. */
  #lent: Uint8Array | undefined;
  #wantsWritable = false;

  #receive: ReceiveState = 'open';
  readonly #incoming = new ByteQueue();
  #endReceived = false;
  /** Fails the stream once all that has come is consumed. */
  #failure: MatryoshkaError | undefined;
  #paused = false;
  #draining = false;

  /** @internal Made by a session; see `Session.openStream` and `Protocols.serve`. */
  constructor(host: StreamHost, id: number, protocol: string, credit: number, window: number) {
    this.#host = host;
    this.id = id;
    this.protocol = protocol;
    this.turn = host.outbox.turn(this);
    this.#credit = new SendCredit(credit);
    // As often as an acknowledgement goes out, with which it rides.
    this.#window = new ReceiveWindow(window, window, Math.min(window / 2, ACKNOWLEDGE_AFTER_BYTES));
  }

  /** Bytes handed to records so far. */
  get bytesSent(): number {
    return this.#credit.used;
  }

  /** Bytes consumed by the handler so far. */
  get bytesReceived(): number {
    return this.#window.consumed;
  }

  /** Bytes written that wait for credit or for the link. */
  get pendingBytes(): number {
    return this.#outgoing.length + (this.#lent?.length ?? 0);
  }

  /** Bytes the other side may have in flight here. */
  get windowBytes(): number {
    return this.#window.size;
  }

  /** Whether it is over: nothing is sent or delivered any more. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Sets the owner; what has come before is delivered at once. */
  attach(handler: StreamHandler): void {
    this.#handler = handler;
    if (this.#closed === undefined) this.#drain();
    else handler.closed?.(this.#closed.error);
  }

  /** Stops `data` and `end`; what comes is kept within the stream's window. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on with what has come meanwhile. */
  resume(): void {
    this.#paused = false;
    this.#drain();
  }

  /**
   * Sends `bytes`; they may be used again when it returns. False asks to wait for `writable()`.
   * @throws MatryoshkaError the stream's own error after it failed; `stream.reset` after `end()`
   */
  write(bytes: Uint8Array): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed !== undefined) throw this.#closed.error ?? new MatryoshkaError('stream.reset', 'the stream is closed');
    if (this.#send !== 'open') throw new MatryoshkaError('stream.reset', 'this side of the stream has ended');
    if (bytes.length > 0) {
      // A stream that was woken up by this very write may write here, too: what is lent comes before that.
      this.#keepLent();
      this.#lent = bytes;
      this.#host.outbox.ready(this);
      this.#keepLent();
    }
    this.#wantsWritable = this.pendingBytes >= STREAM_HIGH_WATER_BYTES;
    return !this.#wantsWritable;
  }

  /** Ends this direction after all that was written. Idempotent. */
  end(): void {
    if (this.#send !== 'open' || this.#closed !== undefined) return;
    this.#send = 'ending';
    if (this.pendingBytes > 0) return;
    this.#sayEnd();
    this.#finishSending();
  }

  /** Ends both directions at once and tells the other side why. */
  reset(reason: ReasonCode = 'stream.reset'): void {
    if (this.#closed !== undefined) return;
    this.#host.outbox.control({ type: 'stream-reset', streamId: this.id, reason });
    this.#finish(new MatryoshkaError(reason));
  }

  // ---- from the session -------------------------------------------------------------------------------------------

  /** Opened there and served here: the first credit says so. */
  accept(): void {
    this.announce();
  }

  /** Tells the newest credit. */
  announce(): void {
    if (this.#endReceived || this.#closed !== undefined) return;
    this.#host.outbox.control({ type: 'stream-credit', streamId: this.id, total: this.#window.announce() });
  }

  /** How far the bytes of this side have come. `undelivered`: bytes in records that the other side has not received. */
  progress(undelivered: number): StreamProgress {
    const sentBytes = this.bytesSent;
    const receivedBytes = sentBytes - undelivered;
    // Credit is granted on consumption: whatever was granted beyond the first window is consumed.
    const consumedBytes = Math.min(receivedBytes, this.#credit.raisedBy);
    return { sentBytes, receivedBytes, consumedBytes };
  }

  /** Our handler failed: tells the other side and ends it here with the handler's error. */
  abandon(error: MatryoshkaError): void {
    if (this.#closed !== undefined) return;
    this.#host.outbox.control({ type: 'stream-reset', streamId: this.id, reason: 'stream.failed' });
    this.#finish(error);
  }

  /** Stream data has come. @throws MatryoshkaError `session.credit-exceeded`, `session.unexpected` */
  received(bytes: Uint8Array): void {
    if (this.#endReceived) throw new MatryoshkaError('session.unexpected', 'stream data after the end of the stream');
    this.#window.receive(bytes.length);
    if (bytes.length === 0) return;
    if (this.#handler?.data === undefined || this.#paused || this.#incoming.length > 0) this.#incoming.push(bytes);
    else this.#consume(bytes);
  }

  /** The other side's newest credit: absolute, older news is ignored. */
  credited(total: number): void {
    if (this.#credit.raise(total) && this.pendingBytes > 0) this.#host.outbox.ready(this);
  }

  /** The other side has ended its direction. @throws MatryoshkaError `session.unexpected` the second time */
  ended(): void {
    if (this.#endReceived) throw new MatryoshkaError('session.unexpected', 'a stream ended twice');
    this.#endReceived = true;
    this.#drain();
  }

  /** The stream is over with an error: reset by the other side, or its session is gone. */
  fail(error: MatryoshkaError): void {
    if (this.#closed !== undefined) return;
    this.#dropOutgoing();
    // All of the other side's bytes are here: a slow reader still gets them, and the error after them.
    if (this.#endReceived && this.#receive === 'open') this.#failure ??= error;
    else this.#finish(error);
  }

  pull(writer: RecordWriter): boolean {
    const wanted = Math.min(this.pendingBytes, this.#credit.available);
    if (wanted <= 0) return false;
    const space = writer.space - STREAM_DATA_OVERHEAD;
    if (space < wanted && space < MIN_PIECE_LENGTH) return true;
    let left = Math.min(wanted, space);
    this.#credit.use(left);
    writer.streamData(this.id, left);
    while (left > 0) {
      const piece = this.#outgoing.take(left) ?? this.#takeLent(left);
      writer.carried(piece);
      left -= piece.length;
    }
    if (this.pendingBytes === 0) this.#sentAll();
    return this.pendingBytes > 0 && this.#credit.available > 0;
  }

  drained(): void {
    if (this.#send === 'flushed') this.#finishSending();
    if (!this.#wantsWritable || this.#closed !== undefined) return;
    this.#wantsWritable = false;
    this.#call(() => this.#handler?.writable?.());
  }

  // ------------------------------------------------------------------------------------------------------------------

  #takeLent(limit: number): Uint8Array {
    const lent = this.#lent as Uint8Array;
    this.#lent = lent.length > limit ? lent.subarray(limit) : undefined;
    return lent.subarray(0, limit);
  }

  /** What did not go into a record is copied: its owner may use its buffer again. */
  #keepLent(): void {
    if (this.#lent === undefined) return;
    this.#outgoing.push(this.#lent);
    this.#lent = undefined;
  }

  #dropOutgoing(): void {
    this.#outgoing.clear();
    this.#lent = undefined;
    this.#host.outbox.remove(this);
  }

  #sentAll(): void {
    if (this.#send === 'ending') this.#sayEnd();
    // Not from within a pull: the owner would write into the record that is being filled.
    if (this.#send === 'flushed' || this.#wantsWritable) this.#host.outbox.drained(this);
  }

  #sayEnd(): void {
    this.#send = 'flushed';
    this.#host.outbox.control({ type: 'stream-end', streamId: this.id });
  }

  #finishSending(): void {
    if (this.#closed !== undefined) return;
    this.#send = 'ended';
    this.#wantsWritable = false;
    this.#call(() => this.#handler?.finished?.());
    this.#finishIfDone();
  }

  #consume(bytes: Uint8Array): void {
    const total = this.#window.consume(bytes.length);
    try {
      this.#handler?.data?.(bytes);
    } catch (error) {
      this.abandon(asMatryoshkaError(error, 'stream.failed'));
    }
    if (total === undefined || this.#endReceived || this.#closed !== undefined) return;
    this.#host.outbox.control({ type: 'stream-credit', streamId: this.id, total });
  }

  /** Delivers what waits, as long as the owner wants it; a loop, so that an owner that resumes within `data` does not nest. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    while (this.#closed === undefined && !this.#paused && this.#handler?.data !== undefined) {
      const bytes = this.#incoming.take();
      if (bytes === undefined) break;
      this.#consume(bytes);
    }
    this.#draining = false;
    if (this.#endReceived && this.#incoming.length === 0 && !this.#paused && this.#handler !== undefined) this.#finishReceiving();
  }

  #finishReceiving(): void {
    if (this.#closed !== undefined || this.#receive === 'ended') return;
    this.#receive = 'ended';
    this.#call(() => this.#handler?.end?.());
    if (this.#failure === undefined) this.#finishIfDone();
    else this.#finish(this.#send === 'ended' ? undefined : this.#failure);
  }

  #finishIfDone(): void {
    if (this.#send === 'ended' && this.#receive === 'ended') this.#finish(undefined);
  }

  #finish(error: MatryoshkaError | undefined): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    this.#dropOutgoing();
    this.#incoming.clear();
    this.#host.forget(this, error);
    try {
      this.#handler?.closed?.(error);
    } catch (failure) {
      // Nothing of ours may break on it, and it must not go unseen: it surfaces as an unhandled rejection.
      void Promise.reject(failure);
    }
  }

  /** Runs a callback of the owner: one that fails ends its stream, not the session it came on. */
  #call(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.abandon(asMatryoshkaError(error, 'stream.failed'));
    }
  }
}
