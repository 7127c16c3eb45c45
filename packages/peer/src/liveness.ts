import type { Clock, Timer } from '@matryoshka/transport';

/** A session that hears nothing for this long asks whether the other side is still there, in milliseconds. */
export const PROBE_AFTER_MS = 8000;
/** And asks again after this time, in milliseconds. */
export const PROBE_AGAIN_MS = 3000;
/**
 * It gives up its link when this many probes in a row stay without any record: soon enough that the other side, which may
 * have heard of the broken link at once, still waits for the resume.
 */
export const MAX_SILENT_PROBES = 3;

/** The round-trip time is measured this often at most, in milliseconds. */
export const MEASURE_AGAIN_MS = 2000;

/** What the liveness check does to its session. */
export interface LivenessHost {
  /** Comes with each check, whatever it finds: time passes. */
  tick(): void;
  /** Sends something that will be answered. */
  probe(): void;
  /** Nobody answers. */
  dead(): void;
}

/** Finds out that the other side is gone where the link does not tell: one timer per session, none per message. */
export class Liveness {
  readonly #clock: Clock;
  readonly #host: LivenessHost;
  #timer: Timer;
  #heard = false;
  #silent = 0;
  #askedAtMs: number | undefined;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #roundTripMs: number | undefined;

  constructor(clock: Clock, host: LivenessHost) {
    this.#clock = clock;
    this.#host = host;
    this.#timer = clock.after(PROBE_AFTER_MS, this.#check);
  }

  /** Sends a probe if none is on its way and the last one was not just now. */
  measure(): void {
    const nowMs = this.#clock.now();
    if (this.#askedAtMs !== undefined || nowMs < this.#measuredAtMs + MEASURE_AGAIN_MS) return;
    this.#measuredAtMs = nowMs;
    this.#askedAtMs = nowMs;
    this.#host.probe();
  }

  /** Round-trip time of the last answered probe, in milliseconds. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** A record has come. */
  heard(): void {
    this.#heard = true;
    this.#silent = 0;
  }

  /** A probe was answered. */
  answered(): void {
    if (this.#askedAtMs === undefined) return;
    this.#roundTripMs = this.#clock.now() - this.#askedAtMs;
    this.#askedAtMs = undefined;
  }

  /** No more checks. */
  stop(): void {
    this.#timer.cancel();
  }

  /** Checks again, over another link. */
  restart(): void {
    this.#timer.cancel();
    this.#heard = false;
    this.#silent = 0;
    this.#askedAtMs = undefined;
    this.#timer = this.#clock.after(PROBE_AFTER_MS, this.#check);
  }

  readonly #check = (): void => {
    this.#host.tick();
    if (!this.#heard) {
      if (this.#silent === MAX_SILENT_PROBES) {
        this.#host.dead();
        return;
      }
      this.#silent++;
      // A late answer may be one to an earlier probe.
      this.#askedAtMs ??= this.#clock.now();
      this.#host.probe();
    }
    this.#heard = false;
    this.#timer = this.#clock.after(this.#silent === 0 ? PROBE_AFTER_MS : PROBE_AGAIN_MS, this.#check);
  };
}
