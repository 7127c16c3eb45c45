import type { Session } from '@matryoshka/peer';
import { type PeerId, type Random, randomBetween } from '@matryoshka/session';
import type { Clock, Timer } from '@matryoshka/transport';
import { MatryoshkaError, type RelayRegister, asMatryoshkaError } from '@matryoshka/wire';

/** Pauses between attempts double from the first to the second, in milliseconds; a random half of each is left out. */
const MIN_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;
/** A relay that has said nothing for so long will not. */
const ANSWER_TIMEOUT_MS = 10_000;

/** How far a registration is. `off`: relaying is switched off here, so that nobody could be let in. */
export type RegistrationState = 'off' | 'connecting' | 'asked' | 'registered' | 'waiting';

/** A relay that this node is reached through, or wants to be (R9). */
export interface Registration {
  readonly relay: PeerId;
  readonly state: RegistrationState;
  /** What the last attempt failed with; undefined once it is registered. */
  readonly error: MatryoshkaError | undefined;
}

/** What a registrar needs of its node. */
export interface RegistrarHost {
  readonly clock: Clock;
  readonly random: Random;
  /** The session to the relay, or a new one; it stays open. */
  connect(signal: AbortSignal): Promise<Session>;
  changed(registration: Registration): void;
}

/**
 * Keeps this node registered with a relay, whatever happens to the relay and to the way there.
 *
 * | state | on | next |
 * |---|---|---|
 * | `off` | `start()` | `connecting` |
 * | `connecting` | a session to the relay is open | the wish goes out; `asked` |
 * | `connecting` | there is none | `waiting` |
 * | `asked` | taken | `registered` |
 * | `asked` | 10 s over | `waiting` |
 * | `asked`, `registered` | refused; the session is over | `waiting` |
 * | `waiting` | the pause is over | `connecting` |
 * | any | `stop()` | withdrawn goes out where it was asked; `off` |
 */
export class Registrar {
  readonly #host: RegistrarHost;
  readonly #relay: PeerId;
  #state: RegistrationState = 'off';
  #session: Session | undefined;
  #error: MatryoshkaError | undefined;
  /** Attempts that failed since it was registered last. */
  #failures = 0;
  #timer: Timer | undefined;
  #connecting: AbortController | undefined;

  constructor(host: RegistrarHost, relay: PeerId) {
    this.#host = host;
    this.#relay = relay;
  }

  get registration(): Registration {
    return { relay: this.#relay, state: this.#state, error: this.#error };
  }

  start(): void {
    if (this.#state !== 'off') return;
    this.#failures = 0;
    this.#connect();
  }

  stop(): void {
    if (this.#state === 'off') return;
    this.#session?.send({ type: 'relay-register', status: 'withdrawn' });
    this.#become('off');
  }

  /** What the relay at the other end of `session` says. */
  answered(session: Session, message: RelayRegister): void {
    if (session !== this.#session) return;
    if (message.status === 'taken' && this.#state === 'asked') {
      this.#failures = 0;
      this.#become('registered', undefined, session);
    } else if (message.status === 'refused') {
      this.#failed(new MatryoshkaError(message.reason, 'the relay does not take the registration'), message.retryAfterMs);
    }
  }

  #connect(): void {
    const connecting = new AbortController();
    this.#become('connecting', this.#error);
    this.#connecting = connecting;
    this.#host.connect(connecting.signal).then(
      (session) => {
        if (!connecting.signal.aborted) this.#ask(session);
      },
      (error: unknown) => {
        if (!connecting.signal.aborted) this.#failed(asMatryoshkaError(error, 'bug'));
      },
    );
  }

  #ask(session: Session): void {
    session.send({ type: 'relay-register', status: 'asked' });
    this.#become('asked', this.#error, session);
    this.#timer = this.#host.clock.after(ANSWER_TIMEOUT_MS, () => this.#failed(new MatryoshkaError('relay.timeout')));
    void session.closed.then((reason) => {
      if (session === this.#session) this.#failed(reason);
    });
  }

  #failed(error: MatryoshkaError, atLeastMs = 0): void {
    const longestMs = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** this.#failures++);
    const pauseMs = randomBetween(this.#host.random, longestMs / 2, longestMs);
    this.#become('waiting', error);
    this.#timer = this.#host.clock.after(Math.max(pauseMs, Math.min(atLeastMs, MAX_PAUSE_MS)), () => this.#connect());
  }

  #become(state: RegistrationState, error?: MatryoshkaError, session?: Session): void {
    this.#timer?.cancel();
    this.#connecting?.abort();
    this.#connecting = undefined;
    this.#state = state;
    this.#error = error;
    this.#session = session;
    this.#host.changed(this.registration);
  }
}
