import type { MatryoshkaError } from '@matryoshka/wire';
import type { Stream } from './stream.ts';

/** `write` hands over pieces of this length, in bytes, so that a long array is not copied at once. */
const PIECE_LENGTH: number = 64 * 1024;

/**
 * A stream for `await`: iterate over it to read, `await write()` to write. Both directions go on independently. It owns
 * the stream it is made of: nobody else attaches to that.
 *
 * Nothing is read ahead: what nobody has asked for waits within the stream's window, and then with its sender.
 */
export class AsyncStream implements AsyncIterable<Uint8Array> {
  /** What it is made of. */
  readonly stream: Stream;
  /**
   * Resolves when both directions have ended, of which the other side's one has to be read to its end; rejects with the
   * typed error when the stream or its session failed. Who does not look at it misses nothing: reading and writing fail
   * with the same error.
   */
  readonly closed: Promise<void>;
  #reading: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #ended = false;
  #failure: MatryoshkaError | undefined;
  #writable: PromiseWithResolvers<void> | undefined;
  readonly #finished: PromiseWithResolvers<void> = Promise.withResolvers();
  #lastWrite: Promise<void> = Promise.resolve();

  /** Made by {@link asyncStream}. */
  constructor(stream: Stream) {
    this.stream = stream;
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    this.closed.catch(() => {});
    this.#finished.promise.catch(() => {});
    stream.pause();
    stream.attach({
      data: (bytes) => {
        stream.pause();
        this.#answer(bytes.slice());
      },
      end: () => {
        this.#ended = true;
        this.#answer(undefined);
      },
      writable: () => {
        this.#writable?.resolve();
        this.#writable = undefined;
      },
      finished: () => this.#finished.resolve(),
      closed: (error) => {
        this.#failure = error;
        if (error === undefined) this.#ended = true;
        for (const waiting of [closed, this.#finished, this.#reading, this.#writable]) {
          if (error === undefined) waiting?.resolve(undefined);
          else waiting?.reject(error);
        }
        this.#reading = undefined;
        this.#writable = undefined;
      },
    });
  }

  /**
   * The next bytes, which are the caller's to keep; undefined after the end of the other side's direction.
   * @throws MatryoshkaError why the stream failed; TypeError while another read waits
   */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#reading !== undefined) throw new TypeError('another read of this stream waits already');
    if (this.#ended) return undefined;
    if (this.#failure !== undefined) throw this.#failure;
    this.#reading = Promise.withResolvers();
    const { promise } = this.#reading;
    this.stream.resume();
    return promise;
  }

  /** All reads to the end. Leaving early (`break`, `throw`) resets the stream: nobody would take the rest. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let done = false;
    try {
      for (;;) {
        // One after the other is the point: the next read is the permission to send more.
        // oxlint-disable-next-line no-await-in-loop
        const bytes = await this.read();
        if (bytes === undefined) break;
        yield bytes;
      }
      done = true;
    } finally {
      if (!done) this.stream.reset();
    }
  }

  /**
   * Writes `bytes`, behind what is being written already; they are borrowed until it resolves, which is when more may
   * be written.
   * @throws MatryoshkaError why the stream failed; `stream.reset` after `end()`
   */
  write(bytes: Uint8Array): Promise<void> {
    const write = this.#lastWrite.then(() => this.#write(bytes));
    this.#lastWrite = write.catch(() => {});
    return write;
  }

  /**
   * Ends this direction after all that was written, and resolves when that has gone out. The other one goes on.
   * @throws MatryoshkaError why the stream failed
   */
  async end(): Promise<void> {
    await this.#lastWrite;
    this.stream.end();
    await this.#finished.promise;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE_LENGTH) {
      if (this.stream.write(bytes.subarray(at, at + PIECE_LENGTH))) continue;
      this.#writable = Promise.withResolvers();
      // oxlint-disable-next-line no-await-in-loop -- backpressure
      await this.#writable.promise;
    }
  }

  #answer(bytes: Uint8Array | undefined): void {
    this.#reading?.resolve(bytes);
    this.#reading = undefined;
  }
}

/** A stream for `await` and `for await`. The stream must have no other owner. */
export function asyncStream(stream: Stream): AsyncStream {
  return new AsyncStream(stream);
}
