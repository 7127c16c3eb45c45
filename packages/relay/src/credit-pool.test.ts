import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Account } from './account.ts';
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
    expect(windows[0]).toBe(16 * 1024);
    expect(windows).toEqual(windows.toSorted((a, b) => b - a));
    expect(windows.at(-1)).toBe(MIN_RELAY_WINDOW_BYTES);
    expect(pool.totalBytes - pool.takenBytes).toBeLessThan(MIN_RELAY_WINDOW_BYTES);
    pool.give(windows[0] as number);
    expect(pool.take()).toBeGreaterThanOrEqual(MIN_RELAY_WINDOW_BYTES);
  });

  test('windows are powers of two: they do not tell how much is left', () => {
    const pool = new CreditPool(10_000_000);
    for (let window = pool.take(); window !== undefined; window = pool.take()) expect(Math.log2(window) % 1).toBe(0);
  });

  test('no account has more than a quarter; others still get their windows', () => {
    const pool = new CreditPool();
    const [a, b] = [new Account(), new Account()];
    let taken = 0;
    let windows = 0;
    for (let window = pool.take(a); window !== undefined; window = pool.take(a)) {
      taken += window;
      windows++;
    }
    expect(taken).toBeLessThanOrEqual(RELAY_MEMORY_BYTES / 4);
    expect(windows).toBeGreaterThan(300);
    expect(pool.take(b)).toBe(MAX_RELAY_WINDOW_BYTES);
    expect(pool.take()).toBe(MAX_RELAY_WINDOW_BYTES);
    pool.give(MAX_RELAY_WINDOW_BYTES, a);
    expect(pool.take(a)).toBeGreaterThanOrEqual(MIN_RELAY_WINDOW_BYTES);
  });

  test('property: never gives more than it has, nor more than a quarter to one, whatever comes back when', () => {
    const step = fc.record({ take: fc.boolean(), account: fc.constantFrom(0, 1, 2) });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000 }), fc.array(step, { maxLength: 200 }), (totalBytes, steps) => {
        const pool = new CreditPool(totalBytes);
        const accounts = [new Account(), new Account(), undefined];
        const held: { readonly window: number; readonly account: Account | undefined }[] = [];
        const sum = (of: typeof held): number => of.reduce((total, { window }) => total + window, 0);
        for (const { take, account: number } of steps) {
          const account = accounts[number];
          const window = take ? pool.take(account) : undefined;
          if (window !== undefined) {
            held.push({ window, account });
            expect(window).toBeGreaterThanOrEqual(MIN_RELAY_WINDOW_BYTES);
            expect(window).toBeLessThanOrEqual(MAX_RELAY_WINDOW_BYTES);
          } else if (!take) {
            const back = held.shift();
            if (back !== undefined) pool.give(back.window, back.account);
          }
          expect(pool.takenBytes).toBe(sum(held));
          expect(pool.takenBytes).toBeLessThanOrEqual(totalBytes);
          for (const each of accounts) {
            if (each === undefined) continue;
            expect(each.creditBytes).toBe(sum(held.filter((one) => one.account === each)));
            expect(each.creditBytes).toBeLessThanOrEqual(totalBytes / 4);
          }
        }
      }),
    );
  });
});
