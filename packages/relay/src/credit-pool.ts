import type { Account } from './account.ts';
import { INITIAL_RELAY_WINDOW_BYTES, MAX_RELAY_WINDOW_BYTES, MIN_RELAY_WINDOW_BYTES, RelayWindow } from './relay-window.ts';

/** Credit a node grants for relaying altogether, in bytes (principle 4). */
export const RELAY_MEMORY_BYTES: number = 256 * 1024 * 1024;

/** Enough for messages of a few KiB to pass whole, in bytes. */
const SMALL_WINDOW_BYTES = 16 * 1024;

/** The one pool that all relay windows of a node come out of, so that its memory has a bound. */
export class CreditPool {
  /** All that may be granted at once, in bytes. */
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
   * A window to begin with; undefined when there is no room for the smallest one.
   * @param account - who it is for, who may have a quarter of the pool; undefined: this node itself
   */
  take(account?: Account): RelayWindow | undefined {
    if (this.#free(account) < MIN_RELAY_WINDOW_BYTES) return undefined;
    const free = this.#free(account);
    // Many may begin in the time until those before them give back what they do not use.
    const share = Math.max(free / 256, Math.min(SMALL_WINDOW_BYTES, free / 16));
    const size = Math.min(INITIAL_RELAY_WINDOW_BYTES, Math.max(MIN_RELAY_WINDOW_BYTES, powerOfTwoUpTo(share)));
    this.resize(0, size, account);
    return new RelayWindow(this, size, account);
  }

  /**
   * What one window may be: small shares of what is free leave room for those who come later, and the more windows there
   * are, the smaller they get. A power of two, so that it does not tell how much is left.
   * @param heldBytes - what the window has already
   */
  share(heldBytes: number, account: Account | undefined): number {
    const free = this.totalBytes - this.#taken + heldBytes;
    const accountFree = account === undefined ? free : this.#quarter - account.creditBytes + heldBytes;
    const share = Math.min(MAX_RELAY_WINDOW_BYTES, free / 64, account === undefined ? free : accountFree / 16);
    return Math.max(MIN_RELAY_WINDOW_BYTES, powerOfTwoUpTo(share));
  }

  /** A window has another size: what was free, in a larger one, or is free from now on. */
  resize(fromBytes: number, toBytes: number, account: Account | undefined): void {
    this.#taken += toBytes - fromBytes;
    if (account !== undefined) account.creditBytes += toBytes - fromBytes;
  }

  get #quarter(): number {
    return Math.floor(this.totalBytes / 4);
  }

  #free(account: Account | undefined): number {
    const free = this.totalBytes - this.#taken;
    return account === undefined ? free : Math.min(free, this.#quarter - account.creditBytes);
  }
}

function powerOfTwoUpTo(bytes: number): number {
  return 2 ** (31 - Math.clz32(bytes));
}
