import type { ReasonCode } from '../reasons.ts';

// Stream ids: the session's initiator takes even numbers, its responder odd ones (docs/protocol.md §6.3).

/** Opens a byte stream; `window` is the credit of its opener for what comes back, in bytes. */
export interface StreamOpen {
  readonly type: 'stream-open';
  /** Never used before in this session. */
  readonly streamId: number;
  /** In bytes. */
  readonly window: number;
  /** At most 255 bytes of UTF-8, e.g. `/echo/1`. */
  readonly protocol: string;
}

/** The hot message: sessions read and write it in place (docs/protocol.md §6.3). */
export interface StreamData {
  readonly type: 'stream-data';
  /** Of a stream that is open. */
  readonly streamId: number;
  /** What its owner has written. */
  readonly bytes: Uint8Array;
}

/** Bytes its receiver may have been sent in all: absolute, only the newest counts. */
export interface StreamCredit {
  readonly type: 'stream-credit';
  /** Of a stream that is open. */
  readonly streamId: number;
  /** Bytes. */
  readonly total: number;
}

/** Nothing follows in this direction. */
export interface StreamEnd {
  readonly type: 'stream-end';
  /** Of a stream that is open. */
  readonly streamId: number;
}

/** Ends both directions at once. */
export interface StreamReset {
  readonly type: 'stream-reset';
  /** Of a stream that is open. */
  readonly streamId: number;
  /** Why. */
  readonly reason: ReasonCode;
}
