import type { Account } from './account.ts';

/** Credit a node grants for relaying altogether, in bytes (principle 4). */
export const RELAY_MEMORY_BYTES: number = 256 * 1024 * 1024;
/** Largest window of one direction of a relay link, in bytes. */
export const MAX_RELAY_WINDOW_BYTES: number = 2 * 1024 * 1024;
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

  /**
   * A window: the largest while there is plenty, smaller as the pool or the account runs low; undefined when there is
   * none. A power of two, so that it does not tell how much is left.
   * @param account - who it is for, who may have a quarter of the pool; undefined: this node itself
   */
  take(account?: Account): number | undefined {
    const free = this.totalBytes - this.#taken;
    const accountFree = account === undefined ? free : Math.min(free, Math.floor(this.totalBytes / 4) - account.creditBytes);
    if (accountFree < MIN_RELAY_WINDOW_BYTES) return undefined;
    // Small shares of what is free leave room for those who come later.
    const share = Math.min(MAX_RELAY_WINDOW_BYTES, free / 64, account === undefined ? free : accountFree / 32);
    const window = Math.max(MIN_RELAY_WINDOW_BYTES, powerOfTwoUpTo(share));
    this.#taken += window;
    if (account !== undefined) account.creditBytes += window;
    return window;
  }

  /** Gives back what was taken on the same account. */
  give(window: number, account?: Account): void {
    this.#taken -= window;
    if (account !== undefined) account.creditBytes -= window;
  }
}

function powerOfTwoUpTo(bytes: number): number {
  return 2 ** (31 - Math.clz32(bytes));
}
