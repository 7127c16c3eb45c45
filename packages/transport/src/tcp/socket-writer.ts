import type { Socket } from 'node:net';
import { FRAME_HEADER_LENGTH, type LengthMask, writeFrameHeader } from '../frame-decoder.ts';
import type { Clock } from '../clock.ts';
import { UNSENT_LIMIT_BYTES } from '../link.ts';

/** Headers are cut from slabs of this size: one small allocation for 256 messages. */
const HEADER_SLAB_LENGTH: number = 256 * FRAME_HEADER_LENGTH;

/** Batches up to this length go out as one piece, in bytes: copying them costs less than a gathered write of many. */
const JOIN_UP_TO_LENGTH = 4096;

/** In a tick that takes longer, what was sent goes out meanwhile, in milliseconds: whoever waits for it need not wait for the rest. */
const HOLD_MS = 0.5;

/** Writes frames to a socket: what is sent within one tick goes out in few system calls, and is not copied unless it is little. */
export class SocketWriter {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onWritten: () => void;
  #parts: Uint8Array[] = [];
  #sends = 0;
  #bytes = 0;
  #scheduled = false;
  /** Since when something waits for the end of the tick, or when some of it went out before. */
  #heldSinceMs = 0;
  /** Sends of each batch that the socket has and the system has not taken over yet. */
  readonly #batches: number[] = [];
  #headers = new Uint8Array(0);
  #headersAt = 0;
  #written = 0;
  #blocked = false;

  /** `onWritten` is called when `written` has grown, never inside `send`. */
  constructor(socket: Socket, clock: Clock, onWritten: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onWritten = onWritten;
  }

  /** Sends that the system has taken over, since the beginning. */
  get written(): number {
    return this.#written;
  }

  /** Takes one message of `length` bytes, whose frame's length is masked. Says whether more may follow now. */
  send(parts: readonly Uint8Array[], length: number, mask: LengthMask): boolean {
    this.#parts.push(this.#header(length, mask));
    for (const part of parts) if (part.length > 0) this.#parts.push(part);
    return this.#sent(FRAME_HEADER_LENGTH + length);
  }

  /** Takes the bytes that one send has become already. Says whether more may follow now. */
  sendBytes(bytes: Uint8Array): boolean {
    this.#parts.push(bytes);
    return this.#sent(bytes.length);
  }

  #sent(length: number): boolean {
    this.#sends++;
    this.#bytes += length;
    // Enough for one system call; most often the system takes all of it at once, and there is no need to stop.
    if (this.#bytes >= UNSENT_LIMIT_BYTES) this.flush();
    else this.#hold();
    if (this.#unsentBytes < UNSENT_LIMIT_BYTES) return true;
    this.#blocked = true;
    return false;
  }

  #hold(): void {
    const nowMs = this.#clock.now();
    if (this.#scheduled) {
      if (nowMs - this.#heldSinceMs < HOLD_MS) return;
      this.flush();
    } else {
      this.#scheduled = true;
      process.nextTick(this.#flushScheduled);
    }
    this.#heldSinceMs = nowMs;
  }

  /** Bytes that the system has not taken over yet. */
  get #unsentBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  /** Whether `send` said stop and may go on; true once per stop. */
  takeWritable(): boolean {
    if (!this.#blocked || this.#unsentBytes >= UNSENT_LIMIT_BYTES / 2) return false;
    this.#blocked = false;
    return true;
  }

  /** Whether the system has taken over all that was sent. */
  get idle(): boolean {
    return this.#parts.length === 0 && this.#batches.length === 0;
  }

  /** Ends the stream after what was sent. */
  end(): void {
    this.flush();
    this.#socket.end();
  }

  readonly #flushScheduled = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** Hands over what was sent, without waiting for the end of the tick. */
  flush(): void {
    const parts = this.#parts;
    if (parts.length === 0 || !this.#socket.writable) return;
    this.#batches.push(this.#sends);
    this.#parts = [];
    const bytes = this.#bytes;
    this.#sends = 0;
    this.#bytes = 0;
    if (bytes <= JOIN_UP_TO_LENGTH) {
      this.#socket.write(join(parts, bytes), this.#batchWritten);
      return;
    }
    const last = parts.pop() as Uint8Array;
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.write(last, this.#batchWritten);
    this.#socket.uncork();
  }

  readonly #batchWritten = (error?: Error | null): void => {
    // What failed is reported by the socket itself.
    if (error) return;
    this.#written += this.#batches.shift() as number;
    this.#onWritten();
  };

  #header(length: number, mask: LengthMask): Uint8Array {
    if (this.#headersAt === this.#headers.length) {
      this.#headers = new Uint8Array(HEADER_SLAB_LENGTH);
      this.#headersAt = 0;
    }
    const at = this.#headersAt;
    this.#headersAt = at + FRAME_HEADER_LENGTH;
    writeFrameHeader(this.#headers, at, length, mask);
    return this.#headers.subarray(at, at + FRAME_HEADER_LENGTH);
  }
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
