/** What a session has carried counts half after this time, in milliseconds. */
const HALF_LIFE_MS = 10 * 60_000;
/** Shorter times say nothing of what a session carries, in milliseconds. */
const MIN_SAMPLE_MS = 1000;

/**
 * The most that a session has carried per second, of late. It is sampled at the checks of liveness and when somebody asks,
 * so that no message costs anything for it.
 */
export class Throughput {
  #sampledBytes = 0;
  #sampledAtMs: number;
  #bytesPerSecond = 0;

  constructor(nowMs: number) {
    this.#sampledAtMs = nowMs;
  }

  /**
   * In bytes per second; 0 before there was a sample.
   * @param carriedBytes - all that was carried so far
   */
  sample(nowMs: number, carriedBytes: number): number {
    const elapsedMs = nowMs - this.#sampledAtMs;
    if (elapsedMs < MIN_SAMPLE_MS) return this.#bytesPerSecond;
    const now = ((carriedBytes - this.#sampledBytes) / elapsedMs) * 1000;
    this.#bytesPerSecond = Math.max(now, this.#bytesPerSecond * 2 ** (-elapsedMs / HALF_LIFE_MS));
    this.#sampledAtMs = nowMs;
    this.#sampledBytes = carriedBytes;
    return this.#bytesPerSecond;
  }
}
