/** Tells how long messages of a connection paused when it changed its path. */
export class PauseWatch {
  #lastArrivalMs: number;
  #longestMs = 0;
  #state: 'steady' | 'interrupted' | 'changed' = 'steady';

  /** @param nowMs - when messages begin */
  constructor(nowMs: number) {
    this.#lastArrivalMs = nowMs;
  }

  /** Its path is gone. */
  interrupted(): void {
    if (this.#state === 'steady') this.#longestMs = 0;
    this.#state = 'interrupted';
  }

  /** It has another path. */
  changed(): void {
    if (this.#state === 'steady') this.#longestMs = 0;
    this.#state = 'changed';
  }

  /**
   * A message has come.
   * @returns after a change the longest time between two messages since its path was gone, in milliseconds
   */
  arrived(nowMs: number): number | undefined {
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastArrivalMs);
    this.#lastArrivalMs = nowMs;
    if (this.#state !== 'changed') return undefined;
    this.#state = 'steady';
    return this.#longestMs;
  }
}
