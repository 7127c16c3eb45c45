import { randomFillSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Random, randomBelow, randomBetween, randomBytes, randomItem, randomU64 } from './random.ts';

const random: Random = { fill: (bytes) => void randomFillSync(bytes) };

/** Gives these 32-bit numbers, one after the other. */
function scripted(...words: readonly number[]): Random {
  const bytes = new Uint8Array(words.length * 4);
  words.forEach((word, index) => new DataView(bytes.buffer).setUint32(index * 4, word));
  let at = 0;
  return {
    fill: (out) => {
      out.set(bytes.subarray(at, at + out.length));
      at += out.length;
    },
  };
}

describe('random numbers', () => {
  test('bytes are as many as asked for', () => {
    expect(randomBytes(random, 0)).toHaveLength(0);
    expect(randomBytes(random, 33)).toHaveLength(33);
  });

  test('a relay port is never 0', () => {
    expect(randomU64(scripted(0, 0, 1, 2))).toBe(0x1_0000_0002n);
    expect(randomU64(scripted(0xffff_ffff, 0xffff_ffff))).toBe(0xffff_ffff_ffff_ffffn);
  });

  test('values that would favour some results are drawn again', () => {
    // 2^32 = 3 * 1431655765 + 1: the last value is one too many.
    expect(randomBelow(scripted(0xffff_ffff, 0xffff_fffe), 3)).toBe(2);
    expect(randomBelow(scripted(0xffff_ffff), 0x1_0000_0000)).toBe(0xffff_ffff);
    expect(randomBelow(scripted(0xffff_ffff), 1)).toBe(0);
  });

  test.each([0, -1, 1.5, Number.NaN, 0x1_0000_0001])('%s is no bound', (bound) => {
    expect(() => randomBelow(random, bound)).toThrow(RangeError);
  });

  test('every value of a range comes, and nothing else', () => {
    const seen = new Set(Array.from({ length: 500 }, () => randomBetween(random, 4, 8)));
    expect(seen).toEqual(new Set([4, 5, 6, 7, 8]));
    expect(randomBetween(random, 7, 7)).toBe(7);
  });

  test('every item comes; none of none', () => {
    const seen = new Set(Array.from({ length: 200 }, () => randomItem(random, ['a', 'b', 'c'])));
    expect(seen).toEqual(new Set(['a', 'b', 'c']));
    expect(randomItem(random, [])).toBeUndefined();
  });
});
