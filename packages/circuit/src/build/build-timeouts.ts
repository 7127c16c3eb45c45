/** Builds that are remembered. */
const REMEMBERED = 100;
/** From so many on the timeout is learnt. Tor waits for 100 (path-spec §2.4.4), where each costs it a minute at most; ours cost less. */
const MIN_REMEMBERED = 10;
/** Before, and never more than that, in milliseconds. */
const INITIAL_MS = 10_000;
const MAX_MS = 30_000;
/** Never less, in milliseconds: a busy machine is no broken circuit. */
const MIN_MS = 500;
/** Four of five circuits are to be built in time: Tor's `cbtquantile`. */
const QUANTILE = 0.8;
const MARGIN = 1.5;

/**
 * How long building a circuit may take, learnt from those that were built, as Tor learns its circuit build timeout
 * (path-spec §2.4). Tor fits a Pareto distribution, because it gives up builds at the timeout and so has to guess how long the slow
 * ones would have taken. Here a slow build goes on while another one is begun, and is measured; so the quantile is that of
 * what was seen. Those that were given up count as endless: when they are more than one in five the timeout grows.
 */
export class BuildTimeouts {
  /** Milliseconds for each hop that was added, the newest last. */
  readonly #msPerHop: number[] = [];
  #fallbackMs = INITIAL_MS;
  #learnt: number | undefined;

  /** For adding so many hops, in milliseconds. */
  timeoutMs(hops: number): number {
    this.#learnt ??= this.#learn();
    return Number.isFinite(this.#learnt) ? Math.min(MAX_MS, Math.max(MIN_MS, MARGIN * this.#learnt * hops)) : this.#fallbackMs;
  }

  /** So many hops were added in so many milliseconds. */
  built(hops: number, ms: number): void {
    if (hops > 0) this.#remember(ms / hops);
  }

  /** A build was given up. */
  gaveUp(): void {
    this.#remember(Infinity);
    if (this.#learn() === Infinity) this.#fallbackMs = Math.min(MAX_MS, this.#fallbackMs * 2);
  }

  #remember(ms: number): void {
    this.#msPerHop.push(ms);
    if (this.#msPerHop.length > REMEMBERED) this.#msPerHop.shift();
    this.#learnt = undefined;
  }

  #learn(): number {
    if (this.#msPerHop.length < MIN_REMEMBERED) return Infinity;
    const sorted = this.#msPerHop.toSorted((a, b) => a - b);
    return sorted[Math.floor(QUANTILE * (sorted.length - 1))] as number;
  }
}
