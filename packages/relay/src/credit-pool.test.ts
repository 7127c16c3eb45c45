import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CreditPool, MAX_RELAY_WINDOW_BYTES, MIN_RELAY_WINDOW_BYTES, RELAY_MEMORY_BYTES } from './credit-pool.ts';

describe('credit pool', () => {
  test('gives the largest window while there is plenty', () => {
    const pool = new CreditPool();
    expect(pool.totalBytes).toBe(RELAY_MEMORY_BYTES);
    expect(pool.take()).toBe(MAX_RELAY_WINDOW_BYTES);
    expect(pool.takenBytes).toBe(MAX_RELAY_WINDOW_BYTES);
  });

  test('windows shrink as it runs low, down to the smallest, and then there is none', () => {
    const pool = new CreditPool(1024 * 1024);
    const windows: number[] = [];
    for (let window = pool.take(); window !== undefined; window = pool.take()) windows.push(window);
    expect(windows[0]).toBe(64 * 1024);
    expect(windows).toEqual(windows.toSorted((a, b) => b - a));
    expect(windows.at(-1)).toBe(MIN_RELAY_WINDOW_BYTES);
    expect(pool.totalBytes - pool.takenBytes).toBeLessThan(MIN_RELAY_WINDOW_BYTES);
    pool.give(windows[0] as number);
    expect(pool.take()).toBeGreaterThanOrEqual(MIN_RELAY_WINDOW_BYTES);
  });

  test('never gives more than it has, whatever comes back when', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000 }), fc.array(fc.boolean(), { maxLength: 200 }), (totalBytes, steps) => {
        const pool = new CreditPool(totalBytes);
        const windows: number[] = [];
        for (const take of steps) {
          const window = take ? pool.take() : undefined;
          if (window !== undefined) windows.push(window);
          else if (!take && windows.length > 0) pool.give(windows.shift() as number);
          expect(pool.takenBytes).toBe(windows.reduce((sum, each) => sum + each, 0));
          expect(pool.takenBytes).toBeLessThanOrEqual(totalBytes);
        }
        for (const window of windows) {
          expect(window).toBeGreaterThanOrEqual(MIN_RELAY_WINDOW_BYTES);
          expect(window).toBeLessThanOrEqual(MAX_RELAY_WINDOW_BYTES);
        }
      }),
    );
  });
});
