import type { Duplex } from 'node:stream';

/** What the owner of a channel hears; as with our own streams, `data` lends its bytes for the time of the call. */
export interface ChannelHandler {
  data?(bytes: Uint8Array): void;
  /** The other side has ended its direction. */
  end?(): void;
  /** `write` returned false and may go on. */
  writable?(): void;
  /** Exactly once. */
  closed?(error: Error | undefined): void;
}

/** One byte stream in both directions, whatever carries it. Our own streams are one as they are; others are adapted. */
export interface Channel {
  /** False: wait for `writable`. */
  write(bytes: Uint8Array): boolean;
  /** Ends this direction. */
  end(): void;
  attach(handler: ChannelHandler): void;
}

/** A stream of Node as a channel: TCP, TLS. */
export class DuplexChannel implements Channel {
  readonly #duplex: Duplex;

  constructor(duplex: Duplex) {
    this.#duplex = duplex;
  }

  write(bytes: Uint8Array): boolean {
    return this.#duplex.write(bytes);
  }

  end(): void {
    this.#duplex.end();
  }

  attach(handler: ChannelHandler): void {
    let failure: Error | undefined;
    this.#duplex.on('data', (bytes: Uint8Array) => handler.data?.(bytes));
    this.#duplex.on('end', () => handler.end?.());
    this.#duplex.on('drain', () => handler.writable?.());
    this.#duplex.on('error', (error) => (failure = error));
    this.#duplex.on('close', () => handler.closed?.(failure));
  }
}
