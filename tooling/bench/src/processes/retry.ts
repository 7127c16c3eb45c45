import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 50;

/** Tries until it works. @throws whatever the last try threw, once `timeoutMs` are over */
export async function retry<T>(timeoutMs: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    // oxlint-disable-next-line no-await-in-loop
    await delay(PAUSE_MS);
  }
}
