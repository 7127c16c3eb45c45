/** A hop that has a way on is left so much time at least, in milliseconds, before another one is asked. */
const MIN_HOP_MS = 2_000;
/** Of its time a node gives away so much, so that the answer of the next one is there before its own time is up. */
const TIME_SHARE = 0.95;
/** And so much where another candidate may be asked after that. */
const TRIAL_SHARE = 2 / 3;

/** What a candidate is asked with. */
export interface Grant {
  readonly attemptsLeft: number;
  readonly budgetMs: number;
  /** When another candidate is asked instead of waiting for its answer, in milliseconds; undefined: never. */
  readonly patienceMs: number | undefined;
}

/** How a candidate has failed: it has sent the request on to nobody, or nobody knows to how many. */
export type Failure = 'at-once' | 'unknown';

/**
 * What one request may still cause at a node and behind it (R15). The way on alone takes as many sends as there are hops
 * left; attempts are those that may come on top of that. A candidate is given a part of them. If it fails at once, it has
 * used the one send that it was asked with; if it does not answer, all that it was given counts as used. So a request
 * causes never more sends than its hops and its attempts, however many nodes do not answer.
 */
export class RequestBudget {
  readonly #hopsLeft: number;
  readonly #budgetMs: number;
  readonly #startedMs: number;
  /** Sends that may still be caused. */
  #sends: number;
  /** Sends that the candidate that was asked last may cause, the one to it included. */
  #granted = 0;

  /** @param hopsLeft - of the request as it came, 1 or more */
  constructor(hopsLeft: number, attemptsLeft: number, budgetMs: number, nowMs: number) {
    this.#hopsLeft = hopsLeft;
    this.#budgetMs = budgetMs;
    this.#startedMs = nowMs;
    this.#sends = hopsLeft + attemptsLeft;
  }

  /** Whether there is enough for another candidate. */
  get enough(): boolean {
    return this.#sends >= this.#hopsLeft;
  }

  /** Takes what the next candidate is asked with. */
  ask(nowMs: number): Grant {
    const spare = this.#sends - this.#hopsLeft;
    // Where it can be, as much is kept as another candidate needs; at least one attempt, as it is on every hop.
    const attemptsLeft = Math.max(0, Math.min(spare - 1, spare >= 2 * this.#hopsLeft ? spare - this.#hopsLeft : Math.floor(spare / 2)));
    this.#granted = this.#hopsLeft + attemptsLeft;
    this.#sends -= this.#granted;
    return { attemptsLeft, ...this.#time(nowMs, this.enough) };
  }

  /** The candidate that was asked last has failed. */
  failed(failure: Failure): void {
    if (failure === 'at-once') this.#sends += this.#granted - 1;
    this.#granted = 0;
  }

  #time(nowMs: number, another: boolean): Omit<Grant, 'attemptsLeft'> {
    const leftMs = this.#budgetMs - (nowMs - this.#startedMs);
    const mostMs = Math.max(1, Math.floor(leftMs * TIME_SHARE));
    // Only a hop that was chosen has others that could take its place.
    if (!another || this.#hopsLeft < 2) return { budgetMs: mostMs, patienceMs: undefined };
    const budgetMs = Math.min(mostMs, Math.max(Math.floor(leftMs * TRIAL_SHARE), this.#hopsLeft * MIN_HOP_MS));
    // Its own answer that its time is up is to come first.
    return { budgetMs, patienceMs: budgetMs + (leftMs - budgetMs) / 4 };
  }
}
