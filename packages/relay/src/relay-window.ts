import { MAX_RECORD_LENGTH, MatryoshkaError } from '@matryoshka/wire';
import type { Account } from './account.ts';
import type { CreditPool } from './credit-pool.ts';

/** Largest window of one direction of a relay link, in bytes. */
export const MAX_RELAY_WINDOW_BYTES: number = 2 * 1024 * 1024;
/** What a window begins with, and begins again with after it was idle, in bytes, while there is plenty. */
export const INITIAL_RELAY_WINDOW_BYTES: number = 256 * 1024;
/** Smallest one, which an idle sender keeps. */
export const MIN_RELAY_WINDOW_BYTES: number = 2 * 1024;

/** A message is not split into pieces smaller than this for want of credit, whatever the window, in bytes (docs/protocol.md §8.3). */
export const MIN_PIECE_LENGTH: number = 2 * 1024;

/** How long credit takes to come back where nothing was measured yet, in milliseconds. */
const UNMEASURED_ROUND_TRIP_MS = 50;
/** What nodes under load add to it, in milliseconds. */
const NODE_DELAY_MS = 25;
/** A window that gives more than this many times what is needed is halved. */
const PLENTY = 8;

/**
 * A message is not cut into shorter pieces by whoever has a window of so many bytes: up to half of it, which the other side
 * always grants again, and at most the longest that all records of a session may have (docs/protocol.md §8.3). So messages of
 * one length stay so on the whole way.
 */
export function minPieceLength(windowBytes: number): number {
  return Math.max(MIN_PIECE_LENGTH, Math.min(windowBytes / 2, MAX_RECORD_LENGTH));
}

/**
 * Pieces of one direction that may wait at a relay, for a window of so many bytes: no message is shorter than the
 * 16-byte tag it ends with, so that what is smaller on average is none (docs/protocol.md §11).
 */
export function maxPendingUnits(windowBytes: number): number {
  return 4096 + windowBytes / 16;
}

/**
 * Credit granted to the other side of a relay link, in bytes (docs/protocol.md §8.3): what may come is `granted` in all.
 * What is granted and not consumed, `granted - consumed`, is never more than `size`, and `size` is what it holds of the pool.
 *
 * | on | what is told | size |
 * |---|---|---|
 * | half of it is used up (below 4 KiB: anything) | consumed + size | up to four times as large where twice the bandwidth × delay asks for it; half as large where it is eight times that, or the pool runs low |
 * | credit is given back | nothing | what is still granted, a power of two |
 * | all of it is given back: the other side asks for more | consumed + size, if more than half of it is not granted | as it was in use, and as at first at least |
 */
export class RelayWindow {
  readonly #pool: CreditPool;
  readonly #account: Account | undefined;
  #size: number;
  #granted: number;
  #received = 0;
  #consumed = 0;
  /** What it was before credit was given back last. */
  #sizeInUse = INITIAL_RELAY_WINDOW_BYTES;
  /** When bandwidth began to be measured, and what had been consumed then. */
  #sinceMs = Number.NEGATIVE_INFINITY;
  #sinceBytes = 0;

  /** Made by {@link CreditPool.take}: the other side is told of `size` bytes with the request or its answer. */
  constructor(pool: CreditPool, size: number, account: Account | undefined) {
    this.#pool = pool;
    this.#account = account;
    this.#size = size;
    this.#granted = size;
  }

  get size(): number {
    return this.#size;
  }

  /** What may come in all, as it was told last. */
  get granted(): number {
    return this.#granted;
  }

  /** @throws MatryoshkaError `session.credit-exceeded` */
  receive(bytes: number): void {
    this.#received += bytes;
    if (this.#received > this.#granted)
      throw new MatryoshkaError('session.credit-exceeded', `${this.#received} bytes came, ${this.#granted} were granted`);
  }

  /** Counts consumed bytes. Returns whether credit is to be announced. */
  consume(bytes: number): boolean {
    this.#consumed += bytes;
    const left = this.#granted - this.#consumed;
    // Half of a small window is less than the smallest piece, for which the other side would wait for ever.
    return left <= this.#size / 2 || this.#size < 2 * MIN_PIECE_LENGTH;
  }

  /**
   * The other side gives back what it holds: counted as sent and consumed. Returns whether credit is to be announced, because
   * it kept less than it needs to begin again: it asks for more.
   * @throws MatryoshkaError `session.credit-exceeded` for more than it has
   */
  returned(bytes: number): boolean {
    this.receive(bytes);
    this.#consumed += bytes;
    const left = this.#granted - this.#consumed;
    const asks = this.#granted - this.#received < MIN_RELAY_WINDOW_BYTES;
    if (!asks) this.#sizeInUse = Math.max(INITIAL_RELAY_WINDOW_BYTES, this.#size);
    this.#resize(Math.min(this.#size, Math.max(MIN_RELAY_WINDOW_BYTES, powerOfTwoFrom(left))));
    if (!asks) return false;
    this.#resize(Math.max(this.#size, Math.min(this.#sizeInUse, this.#pool.share(this.#size, this.#account))));
    // Otherwise so much waits that its credit will do.
    return left <= this.#size / 2 || left < MIN_RELAY_WINDOW_BYTES;
  }

  /**
   * The newest total, of a window whose size follows its use. It never goes back.
   * @param roundTripMs - of the session that the credit is told on, once it was measured
   */
  announce(nowMs: number, roundTripMs: number | undefined): number {
    this.#resize(this.#fitting(nowMs, 2 * (roundTripMs ?? UNMEASURED_ROUND_TRIP_MS) + NODE_DELAY_MS));
    this.#granted = Math.max(this.#granted, this.#consumed + this.#size);
    return this.#granted;
  }

  /** Gives all of it back to the pool. Idempotent. */
  release(): void {
    this.#resize(0);
  }

  #fitting(nowMs: number, delayMs: number): number {
    const size = this.#size;
    const passedMs = nowMs - this.#sinceMs;
    const fair = this.#pool.share(size, this.#account);
    if (passedMs < delayMs) return fair < size ? this.#half() : size;
    // Twice that, because credit comes when half of it is used up.
    const needed = (2 * (this.#consumed - this.#sinceBytes) * delayMs) / passedMs;
    this.#sinceMs = nowMs;
    this.#sinceBytes = this.#consumed;
    if (needed > size) return Math.max(size, Math.min(fair, powerOfTwoFrom(needed), Math.max(4 * size, INITIAL_RELAY_WINDOW_BYTES)));
    const plenty = size > INITIAL_RELAY_WINDOW_BYTES && needed * PLENTY < size;
    return plenty || fair < size ? this.#half() : size;
  }

  /** As far as it is not granted already, and not so far that messages that must not be cut would wait for ever. */
  #half(): number {
    const half = this.#size / 2;
    return half >= 2 * MAX_RECORD_LENGTH && this.#granted - this.#consumed <= half ? half : this.#size;
  }

  #resize(size: number): void {
    if (size !== this.#size) this.#pool.resize(this.#size, size, this.#account);
    this.#size = size;
  }
}

/** The smallest power of two that is not below `bytes`. */
function powerOfTwoFrom(bytes: number): number {
  return bytes <= 1 ? 1 : 2 ** (32 - Math.clz32(Math.ceil(Math.min(bytes, MAX_RELAY_WINDOW_BYTES)) - 1));
}
