import type { Random } from '@matryoshka/session';

const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** SplitMix64 (Steele, Lea, Flood 2014): spreads a seed over the state, so that similar seeds begin differently. */
function* splitMix64(seed: bigint): Generator<bigint, never> {
  let state = seed & MASK_64;
  for (;;) {
    state = (state + 0x9e37_79b9_7f4a_7c15n) & MASK_64;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK_64;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK_64;
    yield mixed ^ (mixed >> 31n);
  }
}

/** xoshiro128** 1.1 (Blackman, Vigna 2018); its words are written little-endian. */
class SeededRandom implements Random {
  readonly #state: Uint32Array;

  constructor(seed: bigint) {
    const words = splitMix64(seed);
    const [low, high] = [words.next().value, words.next().value];
    this.#state = Uint32Array.of(Number(low & 0xffff_ffffn), Number(low >> 32n), Number(high & 0xffff_ffffn), Number(high >> 32n));
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 4) {
      const word = this.#next();
      // Beyond the end of an array nothing is written.
      bytes[at] = word;
      bytes[at + 1] = word >>> 8;
      bytes[at + 2] = word >>> 16;
      bytes[at + 3] = word >>> 24;
    }
  }

  #next(): number {
    const s = this.#state as unknown as [number, number, number, number];
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9);
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/**
 * Randomness that can be replayed: the same seed gives the same bytes (xoshiro128** seeded by SplitMix64, from the low
 * 64 bits of `seed`). For simulations only, it hides nothing.
 * @throws RangeError for a number that is no safe integer
 */
export function seededRandom(seed: number | bigint): Random {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed)) throw new RangeError(`a seed is an integer, not ${seed}`);
  return new SeededRandom(BigInt(seed));
}
