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

/** The first two where the other side owes an acknowledgement, which it sends within 25 ms: then its silence says more. */
export const OWED_AFTER_MS = 2000;
export const OWED_AGAIN_MS = 1000;
/** Both are doubled, up to so many times, when a silence was none but a slow link; halved after so many checks that found nothing. */
const MAX_PATIENCE = 4;
const CALM_CHECKS = 30;

/** The round-trip time is measured this often at most, in milliseconds. */
export const MEASURE_AGAIN_MS = 2000;

/** What the liveness check does to its session. */
export interface LivenessHost {
  /** Whether the other side has not acknowledged all that it was sent, and its silence is a reason to look for another link. */
  owed(): boolean;
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
  /** Whether there is a check to come which would be sooner if something were owed. */
  #idle = true;
  #calm = 0;
  #patience = 1;
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
    if (this.#silent === 0) return;
    this.#silent = 0;
    this.#bePatient();
  }

  /** The other side owes an acknowledgement from now on. One timer more for each check at most, however often it is called. */
  hurry(): void {
    if (!this.#idle || this.#silent > 0) return;
    this.#timer.cancel();
    this.#timer = this.#clock.after(this.#pauseMs(true), this.#check);
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
    this.#idle = false;
  }

  /** Checks again, over another link. */
  restart(): void {
    this.#timer.cancel();
    this.#heard = false;
    this.#silent = 0;
    this.#askedAtMs = undefined;
    this.#timer = this.#clock.after(this.#pauseMs(this.#host.owed()), this.#check);
  }

  readonly #check = (): void => {
    this.#host.tick();
    if (!this.#heard) {
      if (this.#silent === MAX_SILENT_PROBES) {
        // If it was only slow, the next link is given more time.
        this.#bePatient();
        this.#host.dead();
        return;
      }
      this.#silent++;
      // A late answer may be one to an earlier probe.
      this.#askedAtMs ??= this.#clock.now();
      this.#host.probe();
    } else if (++this.#calm === CALM_CHECKS) {
      this.#calm = 0;
      this.#patience = Math.max(1, this.#patience / 2);
    }
    this.#heard = false;
    this.#timer = this.#clock.after(this.#pauseMs(this.#host.owed()), this.#check);
  };

  #pauseMs(owed: boolean): number {
    this.#idle = !owed;
    const [idleMs, owedMs] = this.#silent === 0 ? [PROBE_AFTER_MS, OWED_AFTER_MS] : [PROBE_AGAIN_MS, OWED_AGAIN_MS];
    return owed ? Math.min(idleMs, owedMs * this.#patience) : idleMs;
  }

  #bePatient(): void {
    this.#calm = 0;
    this.#patience = Math.min(MAX_PATIENCE, this.#patience * 2);
  }
}
