import { expect, test } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatRate } from './quantities.ts';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [67_108_864, '64.0 MiB'],
  [5e15, '4547.5 TiB'],
])('%d bytes: %s', (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});

test.each([
  [0.2, '1 s'],
  [59, '59 s'],
  [61, '1:01'],
  [3723, '1:02:03'],
  [Number.POSITIVE_INFINITY, '?'],
])('%d seconds: %s', (seconds, expected) => {
  expect(formatDuration(seconds)).toBe(expected);
});

test('rates and counts', () => {
  expect(formatRate(24_100_000)).toBe('24.1 MB/s');
  expect(formatCount(67_108_864)).toBe('67,108,864');
});
