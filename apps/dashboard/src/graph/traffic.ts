import type { Purpose } from '../model/map.ts';

/** Below this nothing moves: probes and acknowledgements are no traffic. In bytes per second. */
const STILL = 300;
const MOST_DOTS = 6;

/** How a rate looks: dots on a line at once, and how fast they go, in pixels of the map per second. */
export interface Motion {
  readonly dots: number;
  readonly speed: number;
}

export const STILLNESS: Motion = { dots: 0, speed: 0 };

/** Ten times the rate is one dot more, and a step faster. */
export function motionOf(bytesPerSecond: number): Motion {
  if (bytesPerSecond < STILL) return STILLNESS;
  const magnitude = Math.log10(bytesPerSecond / STILL);
  return { dots: Math.min(MOST_DOTS, 1 + Math.floor(magnitude)), speed: 40 + 34 * Math.min(magnitude, MOST_DOTS) };
}

/** Dots of one purpose that run one way along a line. */
export class Stream {
  readonly purpose: Purpose;
  /** Whether they run from target to source. */
  readonly backward: boolean;
  #motion: Motion = STILLNESS;
  /** Part of the way between two dots that the first one has gone. */
  #phase: number;

  /** @param phase - 0 to 1: so that streams do not march in step */
  constructor(purpose: Purpose, backward: boolean, phase: number) {
    this.purpose = purpose;
    this.backward = backward;
    this.#phase = phase;
  }

  get still(): boolean {
    return this.#motion.dots === 0;
  }

  set rate(bytesPerSecond: number) {
    this.#motion = motionOf(bytesPerSecond);
  }

  /** Lets time pass on a line of this length. */
  advance(seconds: number, length: number): void {
    const { dots, speed } = this.#motion;
    if (dots === 0 || length === 0) return;
    this.#phase = (this.#phase + (speed * seconds * dots) / length) % 1;
  }

  /** Where its dots are, 0 at the source and 1 at the target. */
  *places(): Iterable<number> {
    const { dots } = this.#motion;
    for (let index = 0; index < dots; index++) {
      const way = (index + this.#phase) / dots;
      yield this.backward ? 1 - way : way;
    }
  }
}
