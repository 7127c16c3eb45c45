import { type Session, type SessionEnvironment, deadline } from '@matryoshka/peer';
import type { RelayService } from '@matryoshka/relay';
import { randomBytes } from '@matryoshka/session';
import type { CloseReason, Link } from '@matryoshka/transport';
import { HANDSHAKE_REQUEST_LENGTH, MEETING_TOKEN_LENGTH, MatryoshkaError, type ReasonCode } from '@matryoshka/wire';

/** The initiator of the session comes this much later than its responder, who has to be there first, in milliseconds. */
const INITIATOR_LATER_MS = 2_000;
/** It leaves again if nobody is there, in milliseconds: whoever comes second begins the handshake, and that must be the initiator. */
const INITIATOR_STAYS_MS = 1_500;
/** How long the way to a relay may be interrupted: a circuit that has lost a hop is replaced in less, in milliseconds. */
const MENDS_MS = 6_000;
/** How long the responder gives the session to go on once both have met, in milliseconds. */
const RESUME_PATIENCE_MS = 5_000;
const PAUSE_MS = 500;
/** What whoever came second hears of the initiator that was there first. */
const WRONG_ORDER: ReasonCode = 'relay.refused';

/** Where two meet. */
export interface MeetingPlace {
  /** 32 random bytes that both have exchanged beforehand. */
  readonly token: Uint8Array;
  /** A peer id of the directory, or `peerId@host:port`. */
  readonly relay: string;
}

export interface MeetingParts {
  readonly environment: SessionEnvironment;
  readonly relay: RelayService;
  readonly offer: (link: Link, first: Uint8Array) => void;
}

/** @throws MatryoshkaError `config.invalid` */
export function checkedToken(token: Uint8Array): Uint8Array {
  if (token instanceof Uint8Array && token.length === MEETING_TOKEN_LENGTH) return token;
  throw new MatryoshkaError('config.invalid', `the token of a meeting has ${MEETING_TOKEN_LENGTH} bytes, a Uint8Array`);
}

/**
 * Where two who have met go when the relay is lost (docs/protocol.md §8.7): one place after the other, each token once. A
 * resume has to come from the session's initiator, and whoever comes second to a meeting begins the handshake: so the
 * responder goes at once and waits, and the initiator comes later and stays shortly. Where they come in the wrong order all
 * the same, the token is used up, and both go on to the next place.
 */
export class MeetingPlaces {
  readonly #further: MeetingPlace[];
  readonly #connect: (place: MeetingPlace) => Promise<Session>;
  /** Sessions to relays where both have met, or may. */
  readonly #gateways = new Map<Session, MeetingPlace>();
  #interruptedAtMs: number | undefined;
  #attending = false;

  /** @throws MatryoshkaError `config.invalid` for a token of another length */
  constructor(further: readonly MeetingPlace[], connect: (place: MeetingPlace) => Promise<Session>) {
    this.#further = further.map(({ token, relay }) => ({ token: checkedToken(token).slice(), relay }));
    this.#connect = connect;
  }

  /** Whether `session` leads to one of the places. */
  isGateway(session: Session): boolean {
    return this.#gateways.has(session);
  }

  /** Connects to a place. What led to the one before stays until `leave`: it may be the way of the session still. */
  async go(place: MeetingPlace): Promise<Session> {
    for (const [gateway, where] of this.#gateways) if (where === place && gateway.sending && !gateway.stalled) return gateway;
    const gateway = await this.#connect(place);
    this.#gateways.set(gateway, place);
    void gateway.closed.then(() => this.#gateways.delete(gateway));
    return gateway;
  }

  /** Closes all that leads to places. */
  leave(): void {
    for (const gateway of this.#gateways.keys()) gateway.close();
  }

  /** Whether the place where both are has to be given up: nothing gets through to it, and that has not mended itself in time. */
  isLost(session: Session, nowMs: number): boolean {
    if (!session.stalled) this.#interruptedAtMs = undefined;
    else this.#interruptedAtMs ??= nowMs;
    return session.suspended || (this.#interruptedAtMs !== undefined && nowMs - this.#interruptedAtMs >= MENDS_MS);
  }

  /**
   * The next link of a session whose initiator this is.
   * @throws MatryoshkaError `session.link-lost` where no place is left; what went wrong there
   */
  async meetAgain(
    { environment, relay }: MeetingParts,
    { first, reason }: { readonly first: Uint8Array; readonly reason?: CloseReason },
    attempt: AbortSignal,
  ): Promise<Link> {
    const place = this.#further[0];
    if (place === undefined) throw new MatryoshkaError('session.link-lost', 'the relay where both had met is lost', { cause: reason });
    const gateway = await this.go(place);
    await pause(environment, INITIATOR_LATER_MS, attempt);
    const limit = deadline(environment.clock, INITIATOR_STAYS_MS, () => new MatryoshkaError('relay.nobody-met'), attempt);
    try {
      const met = await relay.meet({ gateway, token: place.token, remote: gateway.link.remote }, first, limit.signal);
      this.#further.shift();
      if (met.role === 'initiator') return met.link;
      met.link.close(new MatryoshkaError(WRONG_ORDER));
      throw new MatryoshkaError('relay.nobody-met', 'both came in the wrong order');
    } finally {
      limit.clear();
    }
  }

  /**
   * Goes from one place to the next and waits there for the initiator of `session`, for as long as that does not get on.
   * Never rejects.
   */
  async attend(session: Session, { environment, relay, offer }: MeetingParts): Promise<void> {
    if (this.#attending) return;
    this.#attending = true;
    const { clock, random } = environment;
    for (let place = this.#further[0]; place !== undefined && session.sending && session.stalled; place = this.#further[0]) {
      try {
        if (this.isLost(session, clock.now())) {
          // One place after the other.
          // oxlint-disable-next-line no-await-in-loop
          const gateway = await this.go(place);
          // Nobody reads it: if it comes second, the other side leaves.
          const decoy = randomBytes(random, HANDSHAKE_REQUEST_LENGTH);
          // oxlint-disable-next-line no-await-in-loop
          const met = await relay.meet({ gateway, token: place.token, remote: gateway.link.remote }, decoy);
          this.#further.shift();
          if (met.role === 'responder') {
            offer(met.link, met.request);
            // oxlint-disable-next-line no-await-in-loop
            await pause(environment, RESUME_PATIENCE_MS);
          } else met.link.close(new MatryoshkaError(WRONG_ORDER));
        }
      } catch (error) {
        // The initiator was there first, and has left: the token is used up. Otherwise nobody came, or the place is not
        // reached: the session's own time says when that is enough.
        if (error instanceof MatryoshkaError && error.code === WRONG_ORDER) this.#further.shift();
      }
      // oxlint-disable-next-line no-await-in-loop
      await pause(environment, PAUSE_MS);
    }
    this.#attending = false;
    if (!session.sending) this.leave();
  }
}

/** @throws what `signal` aborts with */
function pause({ clock }: SessionEnvironment, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', aborted);
      resolve();
    });
    signal?.addEventListener('abort', aborted, { once: true });
  });
}
