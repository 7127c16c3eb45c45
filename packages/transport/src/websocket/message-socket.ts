import type { MatryoshkaError } from '@matryoshka/wire';

/** What happens to a WebSocket, told to its one owner. */
export interface MessageSocketEvents {
  /** A binary message of 1 to 65,535 bytes, which the owner may overwrite and keep. May come while paused, see `stopsSender`. */
  message(bytes: Uint8Array): void;
  /** `written` has grown, or what waits to be written has shrunk. Never inside `send`. */
  progressed(): void;
  /** After `close()`: what was sent is out. */
  flushed(): void;
  /** Nothing follows: the other side closed, broke the rules, or the connection broke. At most once. */
  ended(reason: MatryoshkaError): void;
}

/** An open WebSocket, as a link needs it: the platform's, or that of a library. */
export interface MessageSocket {
  /** Whether `pause()` makes the other side stop, so that little is left to come; else everything goes on coming. */
  readonly stopsSender: boolean;
  /** Sends whose bytes were copied or have left, since the beginning. */
  readonly written: number;
  /** Bytes of messages that have not left yet. */
  readonly unsentBytes: number;
  /** Sets the owner; a second call hands over. */
  attach(events: MessageSocketEvents): void;
  /** Takes one message of `length` bytes; borrows `parts` until `written` counts it. Says whether more may follow now. */
  send(parts: readonly Uint8Array[], length: number): boolean;
  /** Whether `send` said stop and may go on; true once per stop. */
  takeWritable(): boolean;
  pause(): void;
  resume(): void;
  /** Closes after what was sent. */
  close(): void;
  /** Gives up on what was sent and did not leave. */
  destroy(): void;
}
