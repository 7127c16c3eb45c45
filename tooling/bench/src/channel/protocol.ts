// What both ends of a channel know. The opener's first bytes say what the other end shall do.

/** Bytes of one write of bulk data. */
export const WRITE_LENGTH: number = 64 * 1024;
/** Bytes that go there and back in a round trip. */
export const PING_LENGTH = 64;
/** Mode, 1 byte; duration in milliseconds, 4 bytes big-endian. */
export const ORDER_LENGTH = 5;
/** A mark that no data holds, the bytes received so far and the bytes sent before it, 8 bytes big-endian each. */
export const STATEMENT_LENGTH = 24;
const MARK = 0x656e_646f_6662_756cn;

/**
 * What the other end does: counts, and confirms at the end; counts, and sends a byte for each part it has received; sends
 * everything back; sends bulk data of its own for the time of the order while it counts.
 */
export type Mode = 'count' | 'acknowledge' | 'echo' | 'exchange';
const MODES: readonly Mode[] = ['count', 'acknowledge', 'echo', 'exchange'];
/** Bytes that are acknowledged with one byte. */
export const ACKNOWLEDGED_LENGTH: number = 256 * 1024;

export interface Order {
  readonly mode: Mode;
  readonly durationMs: number;
}

export function encodeOrder({ mode, durationMs }: Order): Uint8Array {
  const bytes = new Uint8Array(ORDER_LENGTH);
  bytes[0] = MODES.indexOf(mode);
  new DataView(bytes.buffer).setUint32(1, durationMs);
  return bytes;
}

/** @throws RangeError for a mode that does not exist */
export function decodeOrder(bytes: Uint8Array): Order {
  const mode = MODES[bytes[0] as number];
  if (mode === undefined) throw new RangeError(`no mode ${bytes[0]}`);
  return { mode, durationMs: new DataView(bytes.buffer, bytes.byteOffset).getUint32(1) };
}

/**
 * The last thing that either end says. Not the end of the stream: some carriers know no half-closed streams.
 * @param received - bytes, as far as this end has any to confirm
 * @param sent - bytes before the statement
 */
export function encodeStatement(received: number, sent: number): Uint8Array {
  const bytes = new Uint8Array(STATEMENT_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, MARK);
  view.setBigUint64(8, BigInt(received));
  view.setBigUint64(16, BigInt(sent));
  return bytes;
}

/** Counts what comes, until the statement that ends it. */
export class Tally {
  readonly #tail = new Uint8Array(STATEMENT_LENGTH);
  readonly #view = new DataView(this.#tail.buffer);
  #bytes = 0;

  /** Bytes so far, without a statement. */
  get bytes(): number {
    return this.complete ? this.#bytes - STATEMENT_LENGTH : this.#bytes;
  }

  /** Whether the statement is here. */
  get complete(): boolean {
    return this.#view.getBigUint64(0) === MARK;
  }

  /** Returns whether it is complete now. */
  add(bytes: Uint8Array): boolean {
    const kept = Math.min(bytes.length, STATEMENT_LENGTH);
    this.#tail.copyWithin(0, kept);
    this.#tail.set(bytes.subarray(bytes.length - kept), STATEMENT_LENGTH - kept);
    this.#bytes += bytes.length;
    return this.complete;
  }

  /** @throws Error where the other end has not received exactly `sent` bytes, or not all came that it sent */
  check(sent: number): void {
    const received = Number(this.#view.getBigUint64(8));
    if (received !== sent) throw new Error(`${sent} bytes were sent, ${received} came`);
    this.checkArrived();
  }

  /** @throws Error where not all came that the other end sent */
  checkArrived(): void {
    if (!this.complete) throw new Error('the other end has not said that it is done');
    const sent = Number(this.#view.getBigUint64(16));
    if (sent !== this.bytes) throw new Error(`${sent} bytes were sent here, ${this.bytes} came`);
  }
}
