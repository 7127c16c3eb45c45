import { percentile } from '../statistics.ts';

/** How long it took to build something again and again. */
export interface Builds {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly count: number;
  /** From the first to the last, closing included. */
  readonly seconds: number;
}

/** At least so many in a round, whatever its length: three rounds are 200, enough for a 99th percentile. */
export const MIN_BUILDS = 70;

/**
 * Builds, takes the time, closes, for so long and so often at least, with `parallel` of them in progress at any time.
 * @throws whatever building one threw
 */
export async function measureBuilds(
  build: () => Promise<() => void | Promise<void>>,
  durationMs: number,
  parallel: number,
  minBuilds: number = MIN_BUILDS,
): Promise<Builds> {
  const times: number[] = [];
  const begunAt = performance.now();
  const worker = async (): Promise<void> => {
    do {
      const startedAt = performance.now();
      // One after the other; `parallel` of these loops run.
      // oxlint-disable-next-line no-await-in-loop
      const close = await build();
      times.push(performance.now() - startedAt);
      // oxlint-disable-next-line no-await-in-loop
      await close();
    } while (performance.now() - begunAt < durationMs || times.length < minBuilds);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const seconds = (performance.now() - begunAt) / 1000;
  return { medianMs: percentile(times, 0.5), p99Ms: percentile(times, 0.99), count: times.length, seconds };
}
