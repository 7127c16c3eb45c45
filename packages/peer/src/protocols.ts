import { textLength } from '@matryoshka/wire';
import type { Session } from './session.ts';
import type { Stream } from './stream.ts';

/** Takes a stream that the other side opened. What it throws or rejects with resets the stream. */
export type ProtocolHandler = (stream: Stream, session: Session) => void | Promise<void>;

/** @throws RangeError for an empty name, or one above 255 bytes of UTF-8: no message can carry it */
export function checkProtocolName(protocol: string): void {
  const length = textLength(protocol) - 1;
  if (length === 0 || length > 255) throw new RangeError(`a protocol name has 1 to 255 bytes, ${JSON.stringify(protocol)} has ${length}`);
}

/** The protocols a node serves on streams, the same for all its sessions. */
export class Protocols {
  readonly #handlers = new Map<string, ProtocolHandler>();

  /**
   * Serves `protocol` until the returned function is called.
   * @throws RangeError for an empty name, one above 255 bytes of UTF-8, or one that is served already
   */
  serve(protocol: string, handler: ProtocolHandler): () => void {
    checkProtocolName(protocol);
    if (this.#handlers.has(protocol)) throw new RangeError(`${protocol} is served already`);
    this.#handlers.set(protocol, handler);
    return () => {
      if (this.#handlers.get(protocol) === handler) this.#handlers.delete(protocol);
    };
  }

  /** Who serves `protocol`, if anyone does. */
  find(protocol: string): ProtocolHandler | undefined {
    return this.#handlers.get(protocol);
  }
}
