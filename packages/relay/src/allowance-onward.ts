import type { Session } from '@matryoshka/peer';
import type { Clock } from '@matryoshka/transport';
import type { Allowance } from '@matryoshka/wire';
import { type AboveAllowance, AllowanceUse, type Claim } from './allowance.ts';

/** Of the rate that is allowed; the rest is for requests that travel at different speeds. */
const RATE_SHARE = 0.95;

/** Keeps what this node asks of others within the allowances they announce (R14). */
export class OnwardAllowances {
  readonly #clock: Clock;
  readonly #uses = new WeakMap<Session, AllowanceUse>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether `session` may be asked for another link now. */
  room(session: Session): boolean {
    const allowance = announced(session);
    return allowance === undefined || this.#use(session).above(allowance, this.#clock.now()) === undefined;
  }

  /** Takes one request to `session`. */
  request(session: Session): Claim | AboveAllowance {
    const nowMs = this.#clock.now();
    const use = this.#use(session);
    // Who has said nothing yet has not said that it allows anything less.
    const allowance = announced(session) ?? { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 };
    return use.above(allowance, nowMs) ?? use.claim(allowance, nowMs);
  }

  #use(session: Session): AllowanceUse {
    let use = this.#uses.get(session);
    if (use === undefined) this.#uses.set(session, (use = new AllowanceUse(this.#clock.now())));
    return use;
  }
}

function announced({ hello }: Session): Allowance | undefined {
  return hello && { ...hello.allowance, requestsPerSecond: hello.allowance.requestsPerSecond * RATE_SHARE };
}
