import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('attempts are twice as far apart each time, and never more than eight seconds', () => {
  expect([0, 1, 2, 3, 4, 5, 100].map(backoffMs)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
});
