import { type Random, randomBelow } from '@matryoshka/session';
import type { Clock, Timer } from '@matryoshka/transport';
import type { Cover } from './traffic-settings.ts';

/** Slots of a constant rate that may be made up for after a late timer; what is above it is lost. */
export const MAX_LATE_SLOTS = 64;
const WORDS = 0x1_0000_0000;

/** What happens when it is time. */
export interface CoverHost {
  /** A record nobody needs may go out now. */
  cover(): void;
  /** So many records are to go out now. */
  slots(count: number): void;
}

/** Says when records go out that nobody needs: one timer, and none while it is off. */
export class CoverClock {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #host: CoverHost;
  #cover: Cover = { kind: 'none' };
  #timer: Timer | undefined;
  #running = false;
  /** Of a constant rate: when it began, and slots since. */
  #sinceMs = 0;
  #slots = 0;

  constructor(clock: Clock, random: Random, host: CoverHost) {
    this.#clock = clock;
    this.#random = random;
    this.#host = host;
  }

  /** From now on another rule holds. The same one goes on as it was: nobody who asks for anything else disturbs it. */
  set(cover: Cover): void {
    if (cover === this.#cover) return;
    this.#cover = cover;
    if (this.#running) this.start();
  }

  /** There is a link that something can go out on. Harmless while it runs: it begins anew. */
  start(): void {
    this.stop();
    this.#running = true;
    this.#sinceMs = this.#clock.now();
    this.#slots = 0;
    this.#next();
  }

  /** There is none. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #next(): void {
    const cover = this.#cover;
    if (cover.kind === 'random') {
      this.#timer = this.#clock.after(exponential(this.#random, cover.meanMs), () => {
        // First, so that whoever stops it meanwhile has stopped it.
        this.#next();
        this.#host.cover();
      });
    } else if (cover.kind === 'constant-rate') {
      // Counted from the beginning, so that timers that are late do not add up.
      const atMs = this.#sinceMs + (this.#slots + 1) * cover.intervalMs;
      this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => this.#slot(cover.intervalMs));
    } else {
      this.#timer = undefined;
    }
  }

  #slot(intervalMs: number): void {
    const elapsed = Math.floor((this.#clock.now() - this.#sinceMs) / intervalMs);
    // A timer may be a little early.
    const due = Math.max(1, elapsed - this.#slots);
    this.#slots += due;
    this.#next();
    this.#host.slots(Math.min(due, MAX_LATE_SLOTS));
  }
}

/** A random time with that mean whose distribution has no memory. */
function exponential(random: Random, meanMs: number): number {
  return -meanMs * Math.log((1 + randomBelow(random, WORDS)) / WORDS);
}
