import type { Random } from '@matryoshka/session';
import type { Clock, Timer } from '@matryoshka/transport';
import { randomReal } from './random-real.ts';

/** Where simulated calendars start: 2026-01-01T00:00:00Z. */
const START_UNIX_MS = 1_767_225_600_000;
/** More turns than this at one moment of virtual time are an endless loop. */
const MAX_TURNS_PER_MOMENT = 100_000;

interface SetTimer {
  readonly atMs: number;
  /** Timers of the same time run in this order; no two have the same one. */
  readonly order: number;
  readonly run: () => void;
}

/** When {@link SimulatedClock.run} stops; it always stops when nothing is left to happen. */
export interface RunOptions {
  /** Virtual time at which to stop, on the scale of `now()`. Default: none. */
  readonly untilMs?: number;
  /** Asked between any two steps; true stops. */
  readonly until?: () => boolean;
}

/** What a simulated clock is made of. */
export interface SimulatedClockOptions {
  /** Milliseconds since 1970 at the beginning; default is the beginning of 2026. */
  readonly startUnixMs?: number;
  /**
   * Shuffles timers: those that are due at the same time run in random order, and each runs up to `lateMs` too late, as
   * timers of a busy machine do. Without it they run exactly in time, in the order in which they were set.
   */
  readonly shuffle?: { readonly random: Random; readonly lateMs?: number };
}

/**
 * A clock that stands still until it is told to go on. Between any two steps everything that promises had to do is
 * done, so a run depends on nothing but what it was given.
 */
export class SimulatedClock implements Clock {
  #nowMs = 0;
  readonly #startUnixMs: number;
  #soon: (() => void)[] = [];
  /** Sorted, the next one last. */
  readonly #timers: SetTimer[] = [];
  readonly #shuffle: SimulatedClockOptions['shuffle'];
  #timersSet = 0;
  #stepsTaken = 0;
  #running = false;

  constructor(options: SimulatedClockOptions = {}) {
    this.#startUnixMs = options.startUnixMs ?? START_UNIX_MS;
    this.#shuffle = options.shuffle;
  }

  /** Timers and ticks that were run so far. */
  get steps(): number {
    return this.#stepsTaken;
  }

  /** Timers that are set, those of machines that have crashed included, and ticks that are due. */
  get pending(): number {
    return this.#timers.length + this.#soon.length;
  }

  now(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return this.#startUnixMs + Math.floor(this.#nowMs);
  }

  after(ms: number, run: () => void): Timer {
    const timer: SetTimer = { atMs: this.#nowMs + Math.max(ms, 0) + this.#latenessMs(), order: this.#nextOrder(), run };
    this.#timers.splice(this.#indexOf(timer), 0, timer);
    const cancel = (): void => {
      const index = this.#indexOf(timer);
      if (this.#timers[index] === timer) this.#timers.splice(index, 1);
    };
    return { cancel };
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Lets `ms` milliseconds of virtual time pass, with all that is due in them. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.run({ untilMs });
    this.#nowMs = untilMs;
  }

  /**
   * Runs what is due, in order, until nothing is left, `untilMs` is over or `until` says so. A network that pings has
   * always something left: give it an end.
   * @throws Error for a second run inside one, and for an endless loop at one moment of virtual time
   */
  async run(options: RunOptions = {}): Promise<void> {
    if (this.#running) throw new Error('this clock is running already');
    this.#running = true;
    try {
      await this.#steps(options);
    } finally {
      this.#running = false;
    }
  }

  async #steps({ untilMs = Number.POSITIVE_INFINITY, until }: RunOptions): Promise<void> {
    let turns = 0;
    for (;;) {
      await settlePromises();
      if (until?.() === true) return;
      if (this.#soon.length > 0) {
        const batch = this.#soon;
        this.#soon = [];
        runAll(batch);
      } else {
        const next = this.#timers.at(-1);
        if (next === undefined || next.atMs > untilMs || next.atMs === Number.POSITIVE_INFINITY) return;
        if (next.atMs > this.#nowMs) turns = 0;
        this.#nowMs = next.atMs;
        this.#timers.pop();
        next.run();
      }
      this.#stepsTaken++;
      if (++turns > MAX_TURNS_PER_MOMENT) throw new Error(`an endless loop at ${this.#nowMs} ms of virtual time`);
    }
  }

  #latenessMs(): number {
    const { random, lateMs = 0 } = this.#shuffle ?? {};
    return random === undefined || lateMs === 0 ? 0 : randomReal(random) * lateMs;
  }

  #nextOrder(): number {
    const set = this.#timersSet++;
    if (this.#shuffle === undefined) return set;
    // 32 random bits, and 21 that tell apart those that drew the same: 53 bits in all.
    return Math.floor(randomReal(this.#shuffle.random) * 2 ** 32) * 2 ** 21 + (set % 2 ** 21);
  }

  /** Where the timer is, or belongs. */
  #indexOf(timer: SetTimer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle] as SetTimer;
      const later = other.atMs > timer.atMs || (other.atMs === timer.atMs && other.order > timer.order);
      if (later) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function runAll(batch: readonly (() => void)[]): void {
  for (const run of batch) run();
}

interface TaskPlatform {
  readonly setImmediate?: (run: () => void) => void;
}

/** A hop through the platform's task queue: every promise that can settle has settled after it. */
function settlePromises(): Promise<void> {
  const immediate = (globalThis as TaskPlatform).setImmediate;
  if (immediate !== undefined) return new Promise((resolve) => immediate(resolve));
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
