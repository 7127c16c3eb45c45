import { describe, expect, test } from 'vitest';
import { HEIGHT, WIDTH, nestedShells } from './shells.ts';

describe('the shells of a doll', () => {
  test.each([1, 2, 4, 15])('%d of them: each inside the one before', (count) => {
    const shells = nestedShells(count);
    expect(shells).toHaveLength(count);
    for (const [index, { scale, x, y }] of shells.entries()) {
      expect(scale).toBeGreaterThan(0.29);
      expect(x * 2 + WIDTH * scale).toBeCloseTo(WIDTH);
      const outer = shells[index - 1];
      if (outer === undefined) continue;
      expect(x).toBeGreaterThan(outer.x);
      expect(y).toBeGreaterThan(outer.y);
      expect(y + HEIGHT * scale).toBeLessThanOrEqual(outer.y + HEIGHT * outer.scale);
    }
  });
});
