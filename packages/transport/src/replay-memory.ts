import type { Clock } from './clock.ts';

/**
 * For how long a first message is remembered at least, in milliseconds: its hour may be one off in either direction, so
 * that it is good for three hours in all (docs/protocol.md §3.2).
 */
const REMEMBERED_MS: number = 3 * 3_600_000;
/** Most first messages in one of the two sets; both take about 7 MB then. */
const MAX_REMEMBERED = 65_536;

/**
 * The first messages that a listening transport has taken, by their nonces: one that comes again is a replay. Two sets
 * take turns, and the older one is forgotten: after 3 h, or as soon as the newer one is full. What fills them are messages
 * that opened, so that with a network key no stranger can make it forget.
 */
export class ReplayMemory {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #maxEntries: number;
  #newer = new Set<string>();
  #older = new Set<string>();
  #newerSinceMs: number;

  constructor(clock: Pick<Clock, 'now'>, maxEntries: number = MAX_REMEMBERED) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#newerSinceMs = clock.now();
  }

  /** First messages that are remembered. */
  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  /** Whether a first message with this nonce has come before; it is remembered from now on. */
  seen(nonce: Uint8Array): boolean {
    const now = this.#clock.now();
    const ageMs = now - this.#newerSinceMs;
    if (ageMs >= REMEMBERED_MS || this.#newer.size >= this.#maxEntries) {
      this.#older = ageMs >= 2 * REMEMBERED_MS ? new Set() : this.#newer;
      this.#newer = new Set();
      this.#newerSinceMs = now;
    }
    const key = String.fromCharCode(...nonce);
    if (this.#newer.has(key) || this.#older.has(key)) return true;
    this.#newer.add(key);
    return false;
  }
}
