import type { Duplex } from 'node:stream';
import { MatryoshkaError } from '@matryoshka/node';
import type { Take } from './protocol.ts';

/**
 * Reads from `stream` by length. Whoever stops reading so may pipe it afterwards: nothing is read ahead.
 * @returns a function that throws MatryoshkaError `wire.truncated` where the stream ends too early, or why it failed
 */
export function takeBytes(stream: Duplex): Take {
  return async (length) => {
    for (;;) {
      if (length === 0) return new Uint8Array(0);
      if (stream.errored) throw stream.errored;
      const bytes = stream.read(length) as Uint8Array | null;
      if (bytes?.length === length) return bytes;
      if (bytes !== null || stream.readableEnded || stream.destroyed)
        throw stream.errored ?? new MatryoshkaError('wire.truncated', 'the other side ended the stream too early');
      // Each piece follows the one before it.
      // oxlint-disable-next-line no-await-in-loop
      await readable(stream);
    }
  };
}

/** Resolves when there is more to read, or never will be. */
function readable(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of EVENTS) stream.off(event, done);
      resolve();
    };
    for (const event of EVENTS) stream.once(event, done);
  });
}

const EVENTS = ['readable', 'end', 'error', 'close'] as const;
