import type { ServerEvent } from './route.ts';

/** Events that a reader may be behind; more are let go. */
const MAX_WAITING = 1_000;

/** Hands events on to one reader, until `signal` aborts. */
export function eventQueue(signal: AbortSignal): { push(event: ServerEvent): void; read(): AsyncGenerator<ServerEvent, void> } {
  const waiting: ServerEvent[] = [];
  let wake = (): void => {};
  signal.addEventListener('abort', () => wake(), { once: true });
  return {
    push: (event) => {
      if (waiting.length < MAX_WAITING) waiting.push(event);
      wake();
    },
    read: async function* () {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        // A reader waits for the next event.
        // oxlint-disable-next-line no-await-in-loop
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
