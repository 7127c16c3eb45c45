/** Bytes that went out and came in since something began. */
export interface Counters {
  readonly sent: number;
  readonly received: number;
  readonly roundTripMs?: number | undefined;
}

/** In bytes per second. */
export interface Rate {
  readonly sent: number;
  readonly received: number;
}

/** How something went lately; one entry of each list for each look at it, the newest last. */
export interface History {
  /** In seconds since 1970. */
  readonly at: number[];
  readonly sent: number[];
  readonly received: number[];
  /** In milliseconds; null where nothing was measured. */
  readonly roundTripMs: (number | null)[];
}

export const NO_RATE: Rate = { sent: 0, received: 0 };
/** Looks that are remembered: three minutes at one a second. */
const REMEMBERED = 180;

/** Makes rates of counters that are looked at from time to time. */
export class RateMeter {
  readonly #known = new Map<string, { atMs: number; counters: Counters; rate: Rate; history: History }>();

  /** @param counters - of everything that there is now; what is missing is forgotten */
  update(atMs: number, counters: ReadonlyMap<string, Counters>): void {
    for (const key of this.#known.keys()) if (!counters.has(key)) this.#known.delete(key);
    for (const [key, now] of counters) {
      const before = this.#known.get(key);
      // The same answer twice says nothing new.
      if (before !== undefined && atMs <= before.atMs) continue;
      const rate = before === undefined ? NO_RATE : rateBetween(before, atMs, now);
      const history = before?.history ?? { at: [], sent: [], received: [], roundTripMs: [] };
      // A first look says nothing of a rate.
      if (before !== undefined) remember(history, atMs / 1000, rate, now.roundTripMs);
      this.#known.set(key, { atMs, counters: now, rate, history });
    }
  }

  rate(key: string): Rate {
    return this.#known.get(key)?.rate ?? NO_RATE;
  }

  history(key: string): History | undefined {
    return this.#known.get(key)?.history;
  }
}

/** A counter that went back has begun anew: what it shows came since then, in a time that nobody knows. */
function rateBetween(before: { readonly atMs: number; readonly counters: Counters }, atMs: number, now: Counters): Rate {
  const seconds = (atMs - before.atMs) / 1000;
  return {
    sent: Math.max(0, now.sent - before.counters.sent) / seconds,
    received: Math.max(0, now.received - before.counters.received) / seconds,
  };
}

function remember(history: History, at: number, { sent, received }: Rate, roundTripMs: number | undefined): void {
  history.at.push(at);
  history.sent.push(sent);
  history.received.push(received);
  history.roundTripMs.push(roundTripMs ?? null);
  if (history.at.length <= REMEMBERED) return;
  for (const list of [history.at, history.sent, history.received, history.roundTripMs]) list.shift();
}
