import type { Random } from '@matryoshka/session';
import { randomBytes } from '@matryoshka/session';

/** Uniform in [0, 1), of 32 bits. */
export function randomUnit(random: Random): number {
  return new DataView(randomBytes(random, 4).buffer).getUint32(0) / 0x1_0000_0000;
}

/** Draws indices by weight, in logarithmic time. */
export class WeightedDraw {
  readonly #sums: Float64Array;

  /** @param weights - each above 0 or 0 for one that is never drawn; @throws RangeError for anything else */
  constructor(weights: Float64Array) {
    let sum = 0;
    this.#sums = weights.map((weight) => {
      if (!(weight >= 0 && weight < Infinity)) throw new RangeError(`a weight is a number of 0 or more, not ${weight}`);
      return (sum += weight);
    });
  }

  /** An index; undefined where nothing weighs anything. */
  draw(random: Random): number | undefined {
    const sums = this.#sums;
    const total = sums.at(-1) ?? 0;
    if (total === 0) return undefined;
    const at = randomUnit(random) * total;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
