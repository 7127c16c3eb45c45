import { Duplex } from 'node:stream';
import type { Stream } from '@matryoshka/peer';
import { MatryoshkaError, type ReasonCode } from '@matryoshka/wire';

type Callback = (error?: Error | null) => void;

/**
 * A stream as Node's `Duplex`, for `pipe`, `pipeline` and everything else that takes one. The stream must have no other
 * owner. Backpressure goes through to the other side in both directions. Destroying it resets the stream, with the
 * error's code where it is a `MatryoshkaError`.
 */
export function duplex(stream: Stream): Duplex {
  return new StreamDuplex(stream);
}

class StreamDuplex extends Duplex {
  readonly #stream: Stream;
  /** Of the write that waits until the stream takes more, or of the end that waits until everything has gone out. */
  #waiting: Callback | undefined;

  constructor(stream: Stream) {
    super();
    this.#stream = stream;
    stream.pause();
    stream.attach({
      data: (bytes) => {
        if (!this.push(bytes.slice())) stream.pause();
      },
      end: () => this.push(null),
      writable: () => this.#continue(),
      finished: () => this.#continue(),
      closed: (error) => {
        if (error !== undefined) this.destroy(error);
      },
    });
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    try {
      if (this.#stream.write(chunk)) callback();
      else this.#waiting = callback;
    } catch (error) {
      callback(error as Error);
    }
  }

  override _final(callback: Callback): void {
    this.#waiting = callback;
    this.#stream.end();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    // Does nothing where both directions have ended.
    this.#stream.reset(resetCode(error));
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(error ?? new MatryoshkaError('stream.reset'));
    callback(error);
  }

  #continue(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }
}

/** What the other side is told. */
function resetCode(error: Error | null): ReasonCode {
  if (error === null) return 'stream.reset';
  return error instanceof MatryoshkaError ? error.code : 'stream.failed';
}
