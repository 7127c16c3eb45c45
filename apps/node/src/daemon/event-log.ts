import type { NamedEvent, TimedEvent } from '../events.ts';

/** Events kept for those who come later, or come back. */
const KEPT_EVENTS = 1_000;
/** Events that one reader may be behind. */
const MAX_BEHIND = 5_000;

/** An event and its number; the first one of a run has 1. */
export interface NumberedEvent {
  readonly number: number;
  readonly event: TimedEvent;
}

/** What has happened, in order, for any number of readers; a slow one is let go, and nobody waits for it. */
export class EventLog {
  readonly #kept: NumberedEvent[] = [];
  readonly #readers = new Set<(event: NumberedEvent) => void>();
  #last = 0;

  /** Number of the newest event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** @param keep - whether those who come later hear of it, too */
  publish(event: NamedEvent, { keep = true }: { readonly keep?: boolean } = {}): void {
    const numbered = { number: ++this.#last, event: { ...event, at: performance.timeOrigin + performance.now() } as TimedEvent };
    if (keep) this.#kept.push(numbered);
    if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
    for (const reader of [...this.#readers]) reader(numbered);
  }

  /** Hears everything from now on, until the returned function is called. */
  listen(reader: (event: NumberedEvent) => void): () => void {
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }

  /**
   * Reads events until `signal` aborts.
   * @param after - the last number that is known already; what is kept of those after it comes first. Undefined: only new ones
   */
  async *read(after: number | undefined, signal: AbortSignal): AsyncGenerator<NumberedEvent, void> {
    // A number from an earlier run says nothing about this one.
    const from = after === undefined || after > this.#last ? this.#last : after;
    const waiting = this.#kept.filter(({ number }) => number > from);
    let wake = (): void => {};
    const stop = this.listen((event) => {
      waiting.push(event);
      wake();
    });
    const abort = (): void => wake();
    signal.addEventListener('abort', abort, { once: true });
    try {
      while (!signal.aborted && waiting.length <= MAX_BEHIND) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        // A reader waits for the next event.
        // oxlint-disable-next-line no-await-in-loop
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      stop();
      signal.removeEventListener('abort', abort);
    }
  }
}
