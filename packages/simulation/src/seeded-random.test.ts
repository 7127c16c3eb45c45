import { randomBytes } from '@matryoshka/session';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from './seeded-random.ts';

describe('seeded randomness', () => {
  test('is xoshiro128** seeded by SplitMix64', () => {
    // SplitMix64 of 0 begins e220a8397b1dcdaf, 6e789e6aa1b965f4 (reference implementation): the state below.
    let [a, b, c, d] = [0x7b1dcdaf, 0xe220a839, 0xa1b965f4, 0x6e789e6a] as [number, number, number, number];
    const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & 0xffff_ffffn;
    const expected: number[] = [];
    for (let i = 0; i < 8; i++) {
      expected.push(Number((rotate((BigInt(b) * 5n) & 0xffff_ffffn, 7n) * 9n) & 0xffff_ffffn));
      const t = (b << 9) >>> 0;
      c = (c ^ a) >>> 0;
      d = (d ^ b) >>> 0;
      b = (b ^ c) >>> 0;
      a = (a ^ d) >>> 0;
      c = (c ^ t) >>> 0;
      d = Number(rotate(BigInt(d), 11n));
    }
    const bytes = randomBytes(seededRandom(0), 32);
    const view = new DataView(bytes.buffer);
    expect(expected.map((_, i) => view.getUint32(i * 4, true))).toEqual(expected);
  });

  test('is the same for the same seed, and another one for another', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 1, max: 100 }), (seed, length) => {
        const bytes = randomBytes(seededRandom(seed), length);
        expect(randomBytes(seededRandom(seed), length)).toEqual(bytes);
        if (length >= 16) expect(randomBytes(seededRandom(seed + 1n), length)).not.toEqual(bytes);
      }),
    );
  });

  test('takes numbers and bigints alike, but no fractions', () => {
    expect(randomBytes(seededRandom(7), 8)).toEqual(randomBytes(seededRandom(7n), 8));
    expect(() => seededRandom(0.5)).toThrow(RangeError);
  });

  test('has all values equally often', () => {
    const counts = new Uint32Array(256);
    for (const byte of randomBytes(seededRandom(1), 256_000)) counts[byte]!++;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
  });
});
