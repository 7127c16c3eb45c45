import { expect, test } from 'vitest';
import { jainIndex } from './jain-index.ts';

test('Jain’s index is 1 for equal shares, and 1/n where one has all', () => {
  expect(jainIndex([5, 5, 5])).toBeCloseTo(1);
  expect(jainIndex([7, 0, 0, 0])).toBeCloseTo(0.25);
  expect(jainIndex([1, 2, 3, 4])).toBeCloseTo(100 / 120);
});
