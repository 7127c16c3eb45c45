import { describe, expect, test } from 'vitest';
import { median, percentile, rounded, summarize } from './statistics.ts';

describe('median', () => {
  test('is the one in the middle, or between the two that are', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 10, 2])).toBe(3);
    expect(median([7])).toBe(7);
  });

  test('orders numbers as numbers, and leaves what it was given as it was', () => {
    const values = [100, 9, 20];
    expect(median(values)).toBe(20);
    expect(values).toEqual([100, 9, 20]);
  });

  test('there is none of nothing', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('percentile', () => {
  test('is a value that was measured, and that the share does not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile([5, 4], 0.99)).toBe(5);
    expect(percentile([3], 0)).toBe(3);
  });

  test('there is none of nothing', () => {
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});

test('a summary also says how far the rounds lie apart', () => {
  expect(summarize([5, 2, 9])).toEqual({ median: 5, min: 2, max: 9 });
});

test('four digits are kept', () => {
  expect(rounded(123.456)).toBe(123.5);
  expect(rounded(0.123456)).toBe(0.1235);
});
