import { Queue, type RecordWriter } from '@matryoshka/session';
import { MatryoshkaError, type ReasonCode, STREAM_DATA_OVERHEAD, asMatryoshkaError } from '@matryoshka/wire';
import { ReceiveWindow, SendCredit } from './credit.ts';
import type { Outbox, Source } from './outbox.ts';

/** Credit each side has on a new stream before the other one grants more, in bytes (docs/protocol.md §7). */
export const INITIAL_STREAM_CREDIT_BYTES: number = 64 * 1024;
/** `write` returns false from this many waiting bytes on. */
export const STREAM_HIGH_WATER_BYTES: number = 64 * 1024;

/** What the owner of a stream hears. */
export interface StreamHandler {
  /** Bytes as they come: a view, valid during the call only. Returning from the call consumes them (principle 4). */
  data?(bytes: Uint8Array): void;
  /** The other side has ended its direction. */
  end?(): void;
  /** `write` returned false and may go on. */
  writable?(): void;
  /** Exactly once: both directions have ended (`error` is undefined), or the stream or its session failed. */
  closed?(error: MatryoshkaError | undefined): void;
}

/** What a stream needs of its table. */
export interface StreamHost {
  readonly outbox: Outbox;
  /** Both directions are over. */
  forget(stream: Stream, error: MatryoshkaError | undefined): void;
}

type SendState = 'open' | 'ending' | 'ended';
type ReceiveState = 'open' | 'ended';

/**
 * One bidirectional byte stream inside a session, with credit on consumption in each direction. Its core is
 * synchronous; `bytes()`, WHATWG streams and Node's `Duplex` are adapters over it.
 *
 * | state | on | next |
 * |---|---|---|
 * | send `open` | `end()` | `ending` until all is written, then stream-end and `ended` |
 * | receive `open` | stream-end | `ended` once all is consumed |
 * | any | both `ended`, reset by either side, session over | closed |
 */
export class Stream implements Source {
  readonly id: number;
  readonly protocol: string;
  readonly #host: StreamHost;
  readonly #window: ReceiveWindow;
  readonly #credit: SendCredit;
  #handler: StreamHandler | undefined;
  #closed: { readonly error: MatryoshkaError | undefined } | undefined;

  #send: SendState = 'open';
  readonly #outgoing = new Queue<Uint8Array>();
  #partial: Uint8Array | undefined;
  #outgoingBytes = 0;
  #lent: Uint8Array | undefined;
  #wantsWritable = false;

  #receive: ReceiveState = 'open';
  readonly #incoming = new Queue<Uint8Array>();
  #endReceived = false;
  #failure: MatryoshkaError | undefined;
  #paused = false;

  /** Made by a session; see `Session.openStream` and `Protocols.serve`. */
  constructor(host: StreamHost, id: number, protocol: string, credit: number, window: number) {
    this.#host = host;
    this.id = id;
    this.protocol = protocol;
    this.#credit = new SendCredit(credit);
    this.#window = new ReceiveWindow(window, window);
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
    return this.#outgoingBytes;
  }

  /** Bytes the other side may have in flight here. */
  get windowBytes(): number {
    return this.#window.size;
  }

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
      this.#lent = bytes;
      this.#outgoingBytes += bytes.length;
      this.#host.outbox.ready(this);
      // What did not go into a record is copied: the caller may reuse its buffer.
      if (this.#lent !== undefined) this.#outgoing.push(this.#lent.slice());
      this.#lent = undefined;
    }
    this.#wantsWritable = this.#outgoingBytes >= STREAM_HIGH_WATER_BYTES;
    return !this.#wantsWritable;
  }

  /** Ends this direction after all that was written. Idempotent. */
  end(): void {
    if (this.#send !== 'open' || this.#closed !== undefined) return;
    this.#send = 'ending';
    this.#finishSending();
  }

  /** Ends both directions at once and tells the other side why. */
  reset(reason: ReasonCode = 'stream.reset'): void {
    if (this.#closed !== undefined) return;
    this.#host.outbox.control({ type: 'stream-reset', streamId: this.id, reason });
    this.fail(new MatryoshkaError(reason));
  }

  // ---- from the session -------------------------------------------------------------------------------------------

  /** Opened there and served here: the first credit says so. */
  accept(): void {
    this.#host.outbox.control({ type: 'stream-credit', streamId: this.id, total: this.#window.announce() });
  }

  /** Our handler failed: tells the other side and ends it here with the handler's error. */
  abandon(error: MatryoshkaError): void {
    if (this.#closed !== undefined) return;
    this.#host.outbox.control({ type: 'stream-reset', streamId: this.id, reason: 'stream.failed' });
    this.fail(error);
  }

  /** Stream data has come. @throws MatryoshkaError `session.credit-exceeded`, `session.unexpected` */
  received(bytes: Uint8Array): void {
    if (this.#endReceived) throw new MatryoshkaError('session.unexpected', 'stream data after the end of the stream');
    this.#window.receive(bytes.length);
    if (this.#handler?.data === undefined || this.#paused || this.#incoming.length > 0) {
      this.#incoming.push(bytes.slice());
    } else {
      this.#consume(bytes);
    }
  }

  /** The other side's newest credit: absolute, older news is ignored. */
  credited(total: number): void {
    if (this.#credit.raise(total) && this.#outgoingBytes > 0) this.#host.outbox.ready(this);
  }

  ended(): void {
    if (this.#endReceived) throw new MatryoshkaError('session.unexpected', 'a stream ended twice');
    this.#endReceived = true;
    this.#drain();
  }

  /** The stream is over with an error: reset by the other side, or its session is gone. */
  fail(error: MatryoshkaError): void {
    if (this.#closed !== undefined) return;
    this.#outgoingBytes = 0;
    this.#host.outbox.remove(this);
    // All of the other side's bytes are here: a slow reader still gets them, and the error after them.
    if (this.#endReceived && this.#receive === 'open') this.#failure = error;
    else this.#finish(error);
  }

  pull(writer: RecordWriter): boolean {
    const wanted = Math.min(this.#outgoingBytes, this.#credit.available);
    if (wanted <= 0) return false;
    const space = writer.space - STREAM_DATA_OVERHEAD;
    // A small rest of a record is not worth a header of its own.
    if (space < wanted && space < 512) return true;
    let left = Math.min(wanted, space);
    this.#credit.use(left);
    this.#outgoingBytes -= left;
    writer.streamData(this.id, left);
    while (left > 0) left -= this.#moveInto(writer, left);
    if (this.#outgoingBytes === 0) this.#drained();
    return this.#outgoingBytes > 0 && this.#credit.available > 0;
  }

  /** Moves up to `limit` bytes of the oldest chunk. */
  #moveInto(writer: RecordWriter, limit: number): number {
    const chunk = this.#partial ?? this.#outgoing.shift() ?? (this.#lent as Uint8Array);
    const lent = chunk === this.#lent;
    const length = Math.min(limit, chunk.length);
    writer.carried(length === chunk.length ? chunk : chunk.subarray(0, length));
    const rest = length === chunk.length ? undefined : chunk.subarray(length);
    if (lent) this.#lent = rest;
    else this.#partial = rest;
    return length;
  }

  #drained(): void {
    if (this.#send === 'ending') this.#finishSending();
    else if (this.#wantsWritable) this.#host.outbox.drained(this);
  }

  drained(): void {
    if (!this.#wantsWritable || this.#closed !== undefined) return;
    this.#wantsWritable = false;
    this.#handler?.writable?.();
  }

  #finishSending(): void {
    if (this.#outgoingBytes > 0) return;
    this.#send = 'ended';
    this.#host.outbox.control({ type: 'stream-end', streamId: this.id });
    this.#finishIfDone();
  }

  #consume(bytes: Uint8Array): void {
    const total = this.#window.consume(bytes.length);
    try {
      this.#handler?.data?.(bytes);
    } catch (error) {
      // A handler that fails ends its stream, not the session it came on.
      this.abandon(asMatryoshkaError(error, 'stream.failed'));
      return;
    }
    if (total !== undefined && !this.#endReceived) this.#host.outbox.control({ type: 'stream-credit', streamId: this.id, total });
  }

  #drain(): void {
    while (!this.#paused && this.#handler?.data !== undefined) {
      const chunk = this.#incoming.shift();
      if (chunk === undefined) break;
      this.#consume(chunk);
    }
    if (!this.#endReceived || this.#incoming.length > 0 || this.#paused || this.#receive === 'ended' || this.#handler === undefined) return;
    this.#receive = 'ended';
    this.#handler.end?.();
    if (this.#failure === undefined) this.#finishIfDone();
    else this.#finish(this.#send === 'ended' ? undefined : this.#failure);
  }

  #finishIfDone(): void {
    if (this.#send === 'ended' && this.#receive === 'ended') this.#finish(undefined);
  }

  #finish(error: MatryoshkaError | undefined): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    this.#incoming.clear();
    this.#host.forget(this, error);
    this.#handler?.closed?.(error);
  }
}
