// What both ends of a bulk transfer know, on whatever it runs.

/** Bytes of one write. */
export const WRITE_LENGTH: number = 64 * 1024;
/** The receiver's confirmation: how many bytes came, 8 bytes big-endian. */
export const CONFIRMATION_LENGTH = 8;

/** What was moved. */
export interface Transfer {
  readonly bytes: number;
  /** From the first write until the receiver's confirmation was here. */
  readonly seconds: number;
}

/** What the sender of any kind answers to. */
export interface SourceCommands {
  /** Sends for so long, then waits for the confirmation. */
  transfer(durationMs: number): Promise<Transfer>;
}

export function encodeConfirmation(bytes: number): Uint8Array {
  const confirmation = new Uint8Array(CONFIRMATION_LENGTH);
  new DataView(confirmation.buffer).setBigUint64(0, BigInt(bytes));
  return confirmation;
}

/** Puts the receiver's confirmation together and checks it. */
export class Confirmation {
  readonly #bytes = new Uint8Array(CONFIRMATION_LENGTH);
  #length = 0;

  add(bytes: Uint8Array): void {
    if (this.#length + bytes.length > CONFIRMATION_LENGTH) throw new Error('the receiver sent more than its confirmation');
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** @throws Error where the receiver has not confirmed exactly `sent` bytes */
  check(sent: number): void {
    if (this.#length < CONFIRMATION_LENGTH) throw new Error('the receiver has not confirmed anything');
    const received = Number(new DataView(this.#bytes.buffer).getBigUint64(0));
    if (received !== sent) throw new Error(`${sent} bytes were sent, ${received} came`);
  }
}
