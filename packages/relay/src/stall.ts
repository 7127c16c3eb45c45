/** Who has an end of a relay link that may be stalled. */
export interface StallHost {
  /** It is from now on, or not any more. */
  stallChanged(stalled: boolean): void;
}

/**
 * Whether one end of a relay link is stalled: the session it is on is interrupted, or one further on the path is, of which
 * the other side tells. Changes are told, each state once.
 */
export class Stall {
  readonly #host: StallHost;
  #carrier = false;
  #path = false;

  constructor(host: StallHost) {
    this.#host = host;
  }

  get stalled(): boolean {
    return this.#carrier || this.#path;
  }

  /** The session it is on is interrupted, or not any more. */
  carrier(stalled: boolean): void {
    const before = this.stalled;
    this.#carrier = stalled;
    if (this.stalled !== before) this.#host.stallChanged(this.stalled);
  }

  /** The other side says so of a session beyond. */
  path(stalled: boolean): void {
    const before = this.stalled;
    this.#path = stalled;
    if (this.stalled !== before) this.#host.stallChanged(this.stalled);
  }
}
