/** Where randomness comes from: always an argument, so that a simulated world can replay it. */
export interface Random {
  /** Fills `bytes` with unpredictable bytes. */
  fill(bytes: Uint8Array): void;
}

/** `length` random bytes. */
export function randomBytes(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
}

/** A random 64-bit number that is not 0, such as a relay port (R6). */
export function randomU64(random: Random): bigint {
  for (;;) {
    const bytes = randomBytes(random, 8);
    const value = new DataView(bytes.buffer).getBigUint64(0);
    if (value !== 0n) return value;
  }
}

/** A uniform integer in [0, bound). @throws RangeError unless 1 <= bound <= 2^32 */
export function randomBelow(random: Random, bound: number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > 0x1_0000_0000) throw new RangeError(`bound must be 1 to 2^32, not ${bound}`);
  // Rejection keeps it uniform: values above the largest multiple of `bound` are drawn again.
  const limit = Math.floor(0x1_0000_0000 / bound) * bound;
  for (;;) {
    const value = new DataView(randomBytes(random, 4).buffer).getUint32(0);
    if (value < limit) return value % bound;
  }
}

/** A uniform integer in [min, max]. */
export function randomBetween(random: Random, min: number, max: number): number {
  return min + randomBelow(random, max - min + 1);
}

/** One of `items`, uniformly; undefined of none. */
export function randomItem<T>(random: Random, items: readonly T[]): T | undefined {
  return items.length === 0 ? undefined : items[randomBelow(random, items.length)];
}
