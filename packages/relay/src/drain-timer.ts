import type { Clock, Timer } from '@matryoshka/transport';
import type { Egress } from './egress.ts';

/** A closing link whose egress sends nothing for this long is over, in milliseconds (docs/protocol.md §8.3). */
export const DRAIN_TIMEOUT_MS = 30_000;

/** Watches that a closing link gets on with sending what it holds: a slow path may take its time, a dead one may not. */
export class DrainTimer implements Timer {
  readonly #clock: Clock;
  readonly #egress: Egress;
  readonly #expired: () => void;
  #sentBytes: number;
  #timer: Timer;

  /** @param expired - runs after 30 to 60 s in which nothing was sent */
  constructor(clock: Clock, egress: Egress, expired: () => void) {
    this.#clock = clock;
    this.#egress = egress;
    this.#expired = expired;
    this.#sentBytes = egress.sentBytes;
    this.#timer = clock.after(DRAIN_TIMEOUT_MS, this.#check);
  }

  cancel(): void {
    this.#timer.cancel();
  }

  readonly #check = (): void => {
    const { sentBytes } = this.#egress;
    if (sentBytes === this.#sentBytes) {
      this.#expired();
      return;
    }
    this.#sentBytes = sentBytes;
    this.#timer = this.#clock.after(DRAIN_TIMEOUT_MS, this.#check);
  };
}
