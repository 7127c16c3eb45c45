import { describe, expect, test } from 'vitest';
import { formatBytes, formatDuration, formatRate, parseBytes } from './quantities.ts';

describe('quantities', () => {
  test.each([
    ['65536', 65_536],
    ['7B', 7],
    ['64MiB', 67_108_864],
    ['1 GiB', 1_073_741_824],
    ['1.5KiB', 1536],
  ])('%s is a number of bytes', (text, bytes) => {
    expect(parseBytes('--bytes', text)).toBe(bytes);
  });

  test.each(['', 'many', '-1', '1e9', '64MB', '0.5', '99999999TiB', 'MiB'])('%s is none', (text) => {
    expect(() => parseBytes('--bytes', text)).toThrow(new RegExp(`^--bytes .*${text}$`));
  });

  test('people read them', () => {
    expect([1023, 1024, 67_108_864, 1.5 * 2 ** 30].map(formatBytes)).toEqual(['1023 B', '1.0 KiB', '64.0 MiB', '1.5 GiB']);
    expect(formatRate(24_140_000)).toBe('24.1 MB/s');
    expect([2.1, 123, Infinity].map(formatDuration)).toEqual(['3 s', '2 min 3 s', '?']);
  });
});
