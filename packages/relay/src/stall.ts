/**
 * Whether one end of a relay link is stalled: the session it is on is interrupted, or one further on the path is, of which
 * the other side tells. Changes are told, each state once.
 */
export class Stall {
  readonly #changed: (stalled: boolean) => void;
  #carrier = false;
  #path = false;

  constructor(changed: (stalled: boolean) => void) {
    this.#changed = changed;
  }

  get stalled(): boolean {
    return this.#carrier || this.#path;
  }

  /** The session it is on is interrupted, or not any more. */
  carrier(stalled: boolean): void {
    const before = this.stalled;
    this.#carrier = stalled;
    if (this.stalled !== before) this.#changed(this.stalled);
  }

  /** The other side says so of a session beyond. */
  path(stalled: boolean): void {
    const before = this.stalled;
    this.#path = stalled;
    if (this.stalled !== before) this.#changed(this.stalled);
  }
}
