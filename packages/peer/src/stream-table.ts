import { MatryoshkaError, type ReasonCode, type StreamOpen, asMatryoshkaError } from '@matryoshka/wire';
import type { Outbox } from './outbox.ts';
import { type ProtocolHandler, checkProtocolName } from './protocols.ts';
import { INITIAL_STREAM_CREDIT_BYTES, Stream, type StreamHost } from './stream.ts';

/** Streams that each side may have open at once. */
export const MAX_STREAMS = 256;
/** Largest window of one stream, in bytes. */
export const MAX_STREAM_WINDOW_BYTES: number = 1024 * 1024;
/** What the windows of one session's streams share before they shrink to the smallest one, in bytes. */
export const STREAM_MEMORY_BYTES: number = 16 * 1024 * 1024;
const MAX_STREAM_ID = 0xffff_ffff;

interface Opening {
  readonly resolve: (stream: Stream) => void;
  readonly reject: (error: MatryoshkaError) => void;
}

/** The streams of one session: opens, accepts, dispatches (docs/protocol.md §7). */
export class StreamTable implements StreamHost {
  readonly outbox: Outbox;
  readonly #streams = new Map<number, Stream>();
  readonly #opening = new Map<number, Opening>();
  readonly #ownParity: 0 | 1;
  readonly #find: (protocol: string) => ProtocolHandler | undefined;
  readonly #run: (handler: ProtocolHandler, stream: Stream) => void | Promise<void>;
  #nextId: number;
  #nextRemoteId: number;
  #windowBytes = 0;
  #accepted = 0;

  constructor(
    role: 'initiator' | 'responder',
    outbox: Outbox,
    find: (protocol: string) => ProtocolHandler | undefined,
    run: (handler: ProtocolHandler, stream: Stream) => void | Promise<void>,
  ) {
    // The session's initiator takes even ids (docs/protocol.md §7).
    this.#ownParity = role === 'initiator' ? 0 : 1;
    this.#nextId = this.#ownParity;
    this.#nextRemoteId = 1 - this.#ownParity;
    this.outbox = outbox;
    this.#find = find;
    this.#run = run;
  }

  /** Open streams of both sides. */
  get size(): number {
    return this.#streams.size;
  }

  *[Symbol.iterator](): Generator<Stream> {
    yield* this.#streams.values();
  }

  /**
   * Opens a stream and resolves when the other side has accepted it.
   * @throws MatryoshkaError `stream.limit`, `stream.unknown-protocol`, `aborted`, or why the session ended; RangeError
   * for a name that no message can carry
   */
  async open(protocol: string, signal?: AbortSignal): Promise<Stream> {
    checkProtocolName(protocol);
    if (signal?.aborted === true) throw new MatryoshkaError('aborted', undefined, { cause: signal.reason });
    if (this.#streams.size - this.#accepted >= MAX_STREAMS)
      throw new MatryoshkaError('stream.limit', `${MAX_STREAMS} streams are open already`);
    if (this.#nextId > MAX_STREAM_ID) throw new MatryoshkaError('stream.limit', 'this session has no stream ids left');
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = this.#add(id, protocol, INITIAL_STREAM_CREDIT_BYTES);
    this.outbox.control({ type: 'stream-open', streamId: id, window: stream.windowBytes, protocol });
    return new Promise((resolve, reject) => {
      const abort = (): void => stream.reset('aborted');
      signal?.addEventListener('abort', abort, { once: true });
      this.#opening.set(id, {
        resolve: (opened) => {
          signal?.removeEventListener('abort', abort);
          resolve(opened);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      });
    });
  }

  /** @throws MatryoshkaError `session.unexpected` for an id that is not the next one of the other side */
  opened(message: StreamOpen): void {
    if (message.streamId !== this.#nextRemoteId)
      throw new MatryoshkaError('session.unexpected', `stream ${message.streamId} opened, ${this.#nextRemoteId} was next`);
    this.#nextRemoteId += 2;
    const handler = this.#find(message.protocol);
    if (handler === undefined || this.#accepted >= MAX_STREAMS) {
      const reason: ReasonCode = handler === undefined ? 'stream.unknown-protocol' : 'stream.limit';
      this.outbox.control({ type: 'stream-reset', streamId: message.streamId, reason });
      return;
    }
    this.#accepted++;
    const stream = this.#add(message.streamId, message.protocol, message.window);
    stream.accept();
    const failed = (error: unknown): void => stream.abandon(asMatryoshkaError(error, 'stream.failed'));
    try {
      this.#run(handler, stream)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Stream data; late bytes of a stream that was reset here are let go. */
  data(streamId: number, bytes: Uint8Array): void {
    this.#known(streamId)?.received(bytes);
  }

  /** The newest credit of a stream. The first one of a stream that was opened here says that it is served. */
  credit(streamId: number, total: number): void {
    const stream = this.#known(streamId);
    if (stream === undefined) return;
    stream.credited(total);
    this.#served(stream);
  }

  /** The other side has ended its direction. */
  end(streamId: number): void {
    const stream = this.#known(streamId);
    if (stream === undefined) return;
    // The acceptance may be lost with a link, and does not come again where the other side has reset the stream since.
    this.#served(stream);
    stream.ended();
  }

  /** The other side has ended the stream, or does not serve it. */
  reset(streamId: number, reason: ReasonCode): void {
    this.#known(streamId)?.fail(new MatryoshkaError(reason));
  }

  /** The session has another link: the newest credit of each stream goes out again, that of the last one may be lost. */
  announce(): void {
    // One that is not accepted yet has said its credit in stream-open, which may not even be out.
    for (const stream of this.#streams.values()) if (!this.#opening.has(stream.id)) stream.announce();
  }

  /**
   * The session is over.
   * @param undelivered - bytes per stream id that the other side has not received; known where the session could not go on
   */
  close(error: MatryoshkaError, undelivered?: ReadonlyMap<number, number>): void {
    for (const stream of [...this.#streams.values()]) {
      const reason =
        undelivered === undefined
          ? error
          : new MatryoshkaError(error.code, error.message, { cause: error, progress: stream.progress(undelivered.get(stream.id) ?? 0) });
      stream.fail(reason);
      this.forget(stream, reason);
    }
  }

  #served(stream: Stream): void {
    const opening = this.#opening.get(stream.id);
    if (opening === undefined) return;
    this.#opening.delete(stream.id);
    opening.resolve(stream);
  }

  /** A stream is over; called by the stream. */
  forget(stream: Stream, error: MatryoshkaError | undefined): void {
    if (!this.#streams.delete(stream.id)) return;
    this.#windowBytes -= stream.windowBytes;
    if (stream.id % 2 !== this.#ownParity) this.#accepted--;
    this.#opening.get(stream.id)?.reject(error ?? new MatryoshkaError('stream.reset'));
    this.#opening.delete(stream.id);
  }

  /** The stream, or undefined if it is over. @throws MatryoshkaError `stream.unknown` if it never was */
  #known(streamId: number): Stream | undefined {
    const stream = this.#streams.get(streamId);
    const next = streamId % 2 === this.#ownParity ? this.#nextId : this.#nextRemoteId;
    if (stream === undefined && streamId >= next) throw new MatryoshkaError('stream.unknown', `stream ${streamId} was never opened`);
    return stream;
  }

  #add(id: number, protocol: string, credit: number): Stream {
    const share = Math.floor((STREAM_MEMORY_BYTES - this.#windowBytes) / 4);
    const window = Math.max(INITIAL_STREAM_CREDIT_BYTES, Math.min(MAX_STREAM_WINDOW_BYTES, share));
    const stream = new Stream(this, id, protocol, credit, window);
    this.#windowBytes += window;
    this.#streams.set(id, stream);
    return stream;
  }
}
