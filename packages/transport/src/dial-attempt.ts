import type { Endpoint, MatryoshkaError } from '@matryoshka/wire';
import type { Clock } from './clock.ts';
import { dialAborted, dialFailed } from './direct-link.ts';
import type { Link } from './link.ts';

/** Where a dial goes, and what may end it. */
export interface DialLimits {
  readonly to: Endpoint;
  readonly clock: Clock;
  /** How long connecting may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A dial in progress, as its transport sees it. Only the first outcome counts. */
export interface DialAttempt {
  /** Connected: `make` makes the link once nothing can end the dial any more. */
  succeed(make: () => Link): void;
  fail(error: MatryoshkaError): void;
}

/** How a transport lets go of a dial. */
export interface DialEnd {
  /** However it ended: nothing of it is listened to any more. */
  settled(): void;
  /** It failed: what is open is closed, after `settled`. */
  abandon(): void;
}

/**
 * Runs a dial until it succeeds, fails, is given up or takes too long.
 * @param begin - starts to listen; nothing is reported before it has returned
 * @throws MatryoshkaError `transport.dial-failed`, `aborted`
 */
export function attemptDial({ to, clock, timeoutMs, signal }: DialLimits, begin: (attempt: DialAttempt) => DialEnd): Promise<Link> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', aborted);
      end.settled();
    };
    const attempt: DialAttempt = {
      succeed: (make) => {
        settle();
        resolve(make());
      },
      fail: (error) => {
        settle();
        end.abandon();
        reject(error);
      },
    };
    const aborted = (): void => attempt.fail(dialAborted(to, signal as AbortSignal));
    const timer = clock.after(timeoutMs, () => attempt.fail(dialFailed(to, `no connection within ${timeoutMs} ms`)));
    signal?.addEventListener('abort', aborted, { once: true });
    const end = begin(attempt);
  });
}
