import { setTimeout as delay } from 'node:timers/promises';

const LOOK_INTERVAL_MS = 20;

/** Whether `condition` holds within `patienceMs`; it is looked at again and again. */
export async function until(condition: () => boolean | Promise<boolean>, patienceMs: number = 15_000): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    if (await condition()) return true;
    if (performance.now() > deadline) return false;
    // oxlint-disable-next-line no-await-in-loop
    await delay(LOOK_INTERVAL_MS);
  }
}
