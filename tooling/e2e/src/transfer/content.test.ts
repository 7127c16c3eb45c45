import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Content } from './content.ts';

function take(content: Content, length: number): Buffer {
  const pieces: Uint8Array[] = [];
  for (let left = length; left > 0;) {
    const piece = content.take(left);
    pieces.push(piece);
    left -= piece.length;
  }
  return Buffer.concat(pieces);
}

describe('content', () => {
  test('follows from its name, however it is taken', () => {
    const whole = take(new Content('seed 1'), 600_000);
    const lengths = fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 6 });
    fc.assert(
      fc.property(lengths, (pieces) => {
        const content = new Content('seed 1');
        const total = pieces.reduce((sum, piece) => sum + piece, 0);
        expect(Buffer.concat(pieces.map((piece) => take(content, piece))).equals(whole.subarray(0, total))).toBe(true);
        expect(content.position).toBe(total);
      }),
      { numRuns: 30 },
    );
    expect(take(new Content('seed 2'), 600_000).equals(whole)).toBe(false);
  });

  test('tells where the first wrong byte is, also beyond a block', () => {
    const whole = take(new Content('x'), 600_000);
    for (const wrongAt of [0, 1, 262_143, 262_144, 500_000, 599_999]) {
      const wrong = Buffer.from(whole);
      wrong[wrongAt] = (wrong[wrongAt] as number) ^ 1;
      expect(new Content('x').mismatch(wrong)).toBe(wrongAt);
    }
    const content = new Content('x');
    expect([content.mismatch(whole.subarray(0, 300_000)), content.mismatch(whole.subarray(300_000))]).toEqual([undefined, undefined]);
    expect(new Content('x').mismatch(whole.subarray(1, 40))).toBe(0);
  });
});
