import type { TimedEvent } from '../events.ts';

/** News of different processes are put in order if they come within this time, in milliseconds. */
const HOLD_MS = 60;

/** Puts what several processes tell in the order in which it happened: pipes keep no order among each other. */
export class Timeline {
  readonly #show: (name: string, event: TimedEvent) => void;
  #waiting: { readonly name: string; readonly event: TimedEvent }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(show: (name: string, event: TimedEvent) => void) {
    this.#show = show;
  }

  add(name: string, event: TimedEvent): void {
    this.#waiting.push({ name, event });
    this.#timer ??= setTimeout(() => this.#release(performance.timeOrigin + performance.now() - HOLD_MS), HOLD_MS);
  }

  /** Shows everything now. */
  flush(): void {
    this.#release(Number.POSITIVE_INFINITY);
  }

  #release(until: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sorted = this.#waiting.toSorted((a, b) => a.event.at - b.event.at);
    const due = sorted.filter(({ event }) => event.at <= until);
    this.#waiting = sorted.slice(due.length);
    if (this.#waiting.length > 0)
      this.#timer = setTimeout(() => this.#release(performance.timeOrigin + performance.now() - HOLD_MS), HOLD_MS);
    for (const { name, event } of due) this.#show(name, event);
  }
}
