import type { Session } from '@matryoshka/peer';
import type { Clock } from '@matryoshka/transport';

/** How long the choice of a next hop waits for hellos that are on their way, in milliseconds. */
export const GREETING_TIMEOUT_MS = 2_000;

/**
 * Waits for the hellos of those of `sessions` that have not said it yet: a peer that has just connected is about to tell
 * whether it relays. One that is interrupted tells nothing for now. Returns at once where there is nothing to wait for, and
 * says so.
 */
export async function greetings(sessions: Iterable<Session>, clock: Clock): Promise<boolean> {
  const waiting = [...sessions].filter((session) => session.sending && !session.stalled && session.hello === undefined);
  if (waiting.length === 0) return false;
  let timer: { cancel(): void } | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = clock.after(GREETING_TIMEOUT_MS, resolve);
  });
  await Promise.race([Promise.all(waiting.map((session) => session.greeted)), timeout]);
  timer?.cancel();
  return true;
}
