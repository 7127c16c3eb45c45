import { describe, expect, test } from 'vitest';
import { hopCount, hopsText } from './route-flags.ts';

describe('--hops', () => {
  test.each([
    ['3', 3],
    ['2-4', { min: 2, max: 4 }],
    // Whether there can be so many is said with the connection.
    ['16', 16],
    ['-1', -1],
  ])('%s', (text, hops) => {
    expect(hopCount(text)).toEqual(hops);
    expect(hopsText(hops)).toBe(text);
  });

  test.each(['', 'three', '2-', '2-4-6', '1.5', '2,4'])('%s is none', (text) => {
    expect(() => hopCount(text)).toThrow('Expected a whole number');
  });
});
