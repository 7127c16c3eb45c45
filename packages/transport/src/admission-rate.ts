/** How often something may happen. */
export interface Rate {
  /** In the long run. 0 together with a burst of 0: as often as one likes. */
  readonly perSecond: number;
  /** At once, after a rest. */
  readonly burst: number;
}

/** Whether a rate is no limit at all. */
export function isUnlimited({ perSecond, burst }: Rate): boolean {
  return perSecond === 0 && burst === 0;
}

const ROUNDING = 1e-6;

/**
 * A token bucket: filled at a rate, emptied by what happens. The rate is an argument, so that it may change at any time.
 * Of a rate without a burst the burst is 1.
 */
export class TokenBucket {
  #spent = 0;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Takes a token; where there is none, says in how many milliseconds there will be one (0: it was taken). */
  take(rate: Rate, nowMs: number): number {
    const waitMs = this.waitMs(rate, nowMs);
    if (waitMs === 0) this.#spent++;
    return waitMs;
  }

  /** In how many milliseconds there will be a token; 0: now. Infinite where there never will be one. */
  waitMs(rate: Rate, nowMs: number): number {
    if (isUnlimited(rate)) return 0;
    this.#refill(rate, nowMs);
    const missing = this.#spent + 1 - Math.max(1, rate.burst);
    // What is missing by rounding alone is there.
    return missing <= ROUNDING ? 0 : Math.max(1, Math.ceil((missing / rate.perSecond) * 1000 - ROUNDING));
  }

  /** Whether all of its tokens are there: a new one would be the same. */
  full(rate: Rate, nowMs: number): boolean {
    this.#refill(rate, nowMs);
    return this.#spent === 0;
  }

  #refill({ perSecond }: Rate, nowMs: number): void {
    this.#spent = Math.max(0, this.#spent - ((nowMs - this.#atMs) / 1000) * perSecond);
    this.#atMs = nowMs;
  }
}
