import { MatryoshkaError } from '@matryoshka/wire';
import { AsyncStream } from './async-stream.ts';
import type { Stream } from './stream.ts';

/** Both directions of a stream as WHATWG streams. */
export interface WebStreams {
  /** What comes; the chunks are the reader's to keep. Cancelling it resets the stream. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes; closing it ends this direction, aborting it resets the stream. */
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * WHATWG streams over a stream, which must have no other owner. Backpressure goes through to the other side in both
 * directions, and errors come as what they are.
 */
export function webStreams(stream: Stream): WebStreams {
  const io = new AsyncStream(stream);
  const reset = (reason: unknown): void => stream.reset(reason instanceof MatryoshkaError ? reason.code : 'stream.reset');
  const readable = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await io.read();
        if (bytes === undefined) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: reset,
    },
    // Nothing is read ahead of the reader.
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array>({
    start(controller) {
      io.closed.catch((error: unknown) => controller.error(error));
    },
    write(chunk) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('a chunk is a Uint8Array');
      return io.write(chunk);
    },
    close: () => io.end(),
    abort: reset,
  });
  return { readable, writable };
}
