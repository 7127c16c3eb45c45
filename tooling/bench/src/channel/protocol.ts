// What both ends of a channel know. The opener's first bytes say what the other end shall do.

/** Bytes of one write of bulk data. */
export const WRITE_LENGTH: number = 64 * 1024;
/** Bytes that go there and back in a round trip. */
export const PING_LENGTH = 64;
/** Mode, 1 byte; duration in milliseconds, 4 bytes big-endian. */
export const ORDER_LENGTH = 5;
/** Bytes received and bytes sent before, 8 bytes big-endian each. */
export const CONFIRMATION_LENGTH = 16;

/**
 * What the other end does: counts until the end and confirms; sends everything back; sends bulk data of its own for the
 * time of the order while it counts, and confirms both.
 */
export type Mode = 'count' | 'echo' | 'exchange';
const MODES: readonly Mode[] = ['count', 'echo', 'exchange'];

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

export function encodeConfirmation(received: number, sent: number): Uint8Array {
  const bytes = new Uint8Array(CONFIRMATION_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(received));
  view.setBigUint64(8, BigInt(sent));
  return bytes;
}

/** Counts what comes back and keeps its end, which is the confirmation. */
export class Tally {
  readonly #tail = new Uint8Array(CONFIRMATION_LENGTH);
  #bytes = 0;

  add(bytes: Uint8Array): void {
    const kept = Math.min(bytes.length, CONFIRMATION_LENGTH);
    this.#tail.copyWithin(0, kept);
    this.#tail.set(bytes.subarray(bytes.length - kept), CONFIRMATION_LENGTH - kept);
    this.#bytes += bytes.length;
  }

  /**
   * Bytes that came before the confirmation.
   * @throws Error where the other side has not confirmed exactly `sent` bytes, or more or less came than it sent
   */
  check(sent: number): number {
    const came = this.#bytes - CONFIRMATION_LENGTH;
    if (came < 0) throw new Error('the receiver has not confirmed anything');
    const view = new DataView(this.#tail.buffer);
    const received = Number(view.getBigUint64(0));
    if (received !== sent) throw new Error(`${sent} bytes were sent, ${received} came`);
    const sentBack = Number(view.getBigUint64(8));
    if (sentBack !== came) throw new Error(`${sentBack} bytes were sent back, ${came} came`);
    return came;
  }
}
