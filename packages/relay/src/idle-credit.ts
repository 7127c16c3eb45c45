import type { Clock } from '@matryoshka/transport';

/** A sender that has sent nothing for this long gives back what it holds above the smallest window, in milliseconds. */
export const IDLE_CREDIT_MS = 1000;

/** A sender that holds more than the smallest window. */
export interface CreditHolder {
  /** Bytes sent so far. */
  readonly sentBytes: number;
  /** It has sent nothing for a while. Returns whether it has anything to give back later. */
  giveBack(): boolean;
}

/**
 * Looks once a second who holds credit and does not use it: one timer for all links of a node, none while nobody holds any,
 * and nothing to do when one of them sends.
 */
export class IdleCredit {
  readonly #clock: Clock;
  /** What each had sent when it was looked at last; -1: it was not yet. */
  readonly #holders = new Map<CreditHolder, number>();
  #due = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Holders that are watched. */
  get size(): number {
    return this.#holders.size;
  }

  /** `holder` has been granted more than the smallest window. Idempotent. */
  watch(holder: CreditHolder): void {
    if (this.#holders.has(holder)) return;
    this.#holders.set(holder, -1);
    this.#again();
  }

  /** `holder` is gone. */
  forget(holder: CreditHolder): void {
    this.#holders.delete(holder);
  }

  #again(): void {
    if (this.#due) return;
    this.#due = true;
    this.#clock.after(IDLE_CREDIT_MS, this.#sweep);
  }

  readonly #sweep = (): void => {
    this.#due = false;
    for (const [holder, before] of this.#holders) {
      const { sentBytes } = holder;
      if (sentBytes !== before) this.#holders.set(holder, sentBytes);
      else if (!holder.giveBack()) this.#holders.delete(holder);
    }
    if (this.#holders.size > 0) this.#again();
  };
}
