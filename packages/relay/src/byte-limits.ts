/** What a bucket that was not used for a while holds: so much of a second's bytes. */
const BURST_SECONDS = 0.25;

/**
 * A token bucket of bytes that is paid from beforehand (R16): whoever pays is told when it may send, and those who pay
 * later wait longer. So all who wait have their turns in order, and nobody has to be asked again.
 */
export class ByteBucket {
  #balance = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  /** Takes so many bytes; returns the milliseconds until they may be sent, 0 for now. */
  pay(bytes: number, perSecond: number, nowMs: number): number {
    const came = ((nowMs - this.#atMs) / 1000) * perSecond;
    const balance = Math.min(perSecond * BURST_SECONDS, this.#balance + came);
    this.#atMs = nowMs;
    this.#balance = balance - bytes;
    // What was paid for before this has to come in first.
    return balance >= 0 ? 0 : Math.ceil((-balance / perSecond) * 1000);
  }

  /** Gives back what was paid for and not sent. */
  refund(bytes: number): void {
    this.#balance += bytes;
  }
}

/** Bytes in all, which are there again after some time (R16). */
export class ByteQuota {
  #used = 0;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** Counts so many bytes; false, and not counted, where they are more than there is. */
  take(bytes: number, maxBytes: number, periodMs: number, nowMs: number): boolean {
    if (nowMs >= this.#untilMs) {
      this.#used = 0;
      this.#untilMs = nowMs + periodMs;
    }
    if (this.#used + bytes > maxBytes) return false;
    this.#used += bytes;
    return true;
  }

  /** In how many milliseconds there is more, where all is used; otherwise 0. */
  exhaustedForMs(maxBytes: number, nowMs: number): number {
    return this.#used >= maxBytes && nowMs < this.#untilMs ? this.#untilMs - nowMs : 0;
  }
}
