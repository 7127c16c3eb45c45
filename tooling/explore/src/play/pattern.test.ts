import { describe, expect, test } from 'vitest';
import { Pattern } from './pattern.ts';

/** So many bytes of a sequence, from wherever it is. */
function taken(pattern: Pattern, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const piece = pattern.take(length - at);
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

describe('a pattern', () => {
  test('is matched by its own bytes, in whatever pieces', () => {
    const all = taken(new Pattern(3), 700_000);
    const expected = new Pattern(3);
    for (let at = 0, length = 1; at < all.length; at += length, length = (length * 3) % 70_001)
      expect(expected.matches(all.subarray(at, at + length))).toBe(true);
    expect(expected.position).toBeGreaterThanOrEqual(600_000);
  });

  test('is not matched by bytes that are lost, repeated, exchanged, changed, or of another one', () => {
    const all = taken(new Pattern(3), 1000);
    const matches = (bytes: Uint8Array): boolean => {
      const pattern = new Pattern(3);
      pattern.take(100);
      return pattern.matches(bytes);
    };
    expect(matches(all.subarray(100))).toBe(true);
    expect(matches(all.subarray(101))).toBe(false);
    expect(matches(all.subarray(99))).toBe(false);
    expect(matches(all.subarray(100).toReversed())).toBe(false);
    expect(matches(all.subarray(100).with(500, all[600] === 0 ? 1 : 0))).toBe(false);
    expect(new Pattern(4).matches(all)).toBe(false);
  });
});
