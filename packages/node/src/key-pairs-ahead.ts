import type { DhKeyPair, KemKeyPair, KeyPairReserve, KeyPairSource } from '@matryoshka/session';
import type { Clock, Timer } from '@matryoshka/transport';

/** Between two key pairs that are made ahead, so that what arrives meanwhile goes first, in milliseconds. */
export const REFILL_INTERVAL_MS = 1;
/** Key pairs that nobody has asked for so long are overwritten, in milliseconds. */
export const KEEP_UNUSED_MS = 60_000;

/**
 * One-time key pairs for the handshakes of a node, made between them instead of in them: after a take the reserve is
 * filled up again, one pair at a time. A node that begins no handshakes makes none, and none stay long after the last:
 * whoever reads our memory later shall not find the keys of sessions to come.
 */
export class KeyPairsAhead implements KeyPairSource {
  readonly #clock: Clock;
  readonly #reserve: KeyPairReserve;
  /** For the next pair; once the reserve is full, for its end. */
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, reserve: KeyPairReserve) {
    this.#clock = clock;
    this.#reserve = reserve;
  }

  dhKeyPair(): DhKeyPair {
    this.#taken();
    return this.#reserve.dhKeyPair();
  }

  kemKeyPair(): KemKeyPair {
    this.#taken();
    return this.#reserve.kemKeyPair();
  }

  /** Overwrites what is kept; from then on pairs are made when they are asked for. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#reserve.wipe();
  }

  #taken(): void {
    // While something is missing already, the timer is on its way.
    if (this.#closed || this.#reserve.missing > 0) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(REFILL_INTERVAL_MS, this.#refill);
  }

  readonly #refill = (): void => {
    this.#reserve.refill();
    this.#timer =
      this.#reserve.missing > 0
        ? this.#clock.after(REFILL_INTERVAL_MS, this.#refill)
        : this.#clock.after(KEEP_UNUSED_MS, () => this.#reserve.wipe());
  };
}
