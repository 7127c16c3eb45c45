import type { Clock } from '@matryoshka/transport';
import { MatryoshkaError } from '@matryoshka/wire';

/** A bound on something that takes time. */
export interface Deadline {
  /** Aborted with the error when the time is up or the caller gives up. */
  readonly signal: AbortSignal;
  /**
   * Settles as `promise` does, or rejects first, calling `lost` at once; a value that comes too late is handed to `late`.
   */
  race<T>(promise: Promise<T>, late: (value: T) => void, lost?: () => void): Promise<T>;
  /** What it guarded is done: the time does not run out any more. */
  clear(): void;
}

/** Ends what it guards after `ms` milliseconds with `error()`, or with `aborted` when `signal` says so. */
export function deadline(clock: Clock, ms: number, error: () => MatryoshkaError, signal?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = clock.after(ms, () => controller.abort(error()));
  const abort = (): void => controller.abort(new MatryoshkaError('aborted', undefined, { cause: signal?.reason }));
  if (signal?.aborted === true) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    race(promise, late, lost) {
      return new Promise((resolve, reject) => {
        const give = (): void => {
          lost?.();
          reject(controller.signal.reason);
        };
        controller.signal.addEventListener('abort', give, { once: true });
        promise.then(
          (value) => {
            controller.signal.removeEventListener('abort', give);
            if (controller.signal.aborted) late(value);
            else resolve(value);
          },
          (reason: unknown) => {
            controller.signal.removeEventListener('abort', give);
            reject(controller.signal.aborted ? controller.signal.reason : reason);
          },
        );
        if (controller.signal.aborted) give();
      });
    },
    clear() {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
    },
  };
}
