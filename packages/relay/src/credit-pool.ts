/** Credit a node grants for relaying altogether, in bytes (principle 4). */
export const RELAY_MEMORY_BYTES: number = 256 * 1024 * 1024;
/** Largest window of one direction of a relay link, in bytes. */
export const MAX_RELAY_WINDOW_BYTES: number = 1024 * 1024;
/** Smallest one. */
export const MIN_RELAY_WINDOW_BYTES: number = 2 * 1024;

/** The one pool that all relay windows of a node come out of, so that its memory has a bound. */
export class CreditPool {
  readonly totalBytes: number;
  #taken = 0;

  constructor(totalBytes: number = RELAY_MEMORY_BYTES) {
    this.totalBytes = totalBytes;
  }

  /** Bytes granted and not given back. */
  get takenBytes(): number {
    return this.#taken;
  }

  /** A window: the largest while there is plenty, smaller as the pool runs low; undefined when it is empty. */
  take(): number | undefined {
    const free = this.totalBytes - this.#taken;
    if (free < MIN_RELAY_WINDOW_BYTES) return undefined;
    // A sixteenth of what is free leaves room for those who come later.
    const window = Math.max(MIN_RELAY_WINDOW_BYTES, Math.min(MAX_RELAY_WINDOW_BYTES, Math.floor(free / 16)));
    this.#taken += window;
    return window;
  }

  give(window: number): void {
    this.#taken -= window;
  }
}
