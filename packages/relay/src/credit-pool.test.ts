import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Account } from './account.ts';
import { CreditPool, RELAY_MEMORY_BYTES } from './credit-pool.ts';
import { INITIAL_RELAY_WINDOW_BYTES, MAX_RELAY_WINDOW_BYTES, MIN_RELAY_WINDOW_BYTES, type RelayWindow } from './relay-window.ts';

/** Takes windows until there are no more. */
function takeAll(pool: CreditPool, account?: Account): RelayWindow[] {
  const windows: RelayWindow[] = [];
  for (let window = pool.take(account); window !== undefined; window = pool.take(account)) windows.push(window);
  return windows;
}

describe('credit pool', () => {
  test('gives windows to begin with, which may grow, while there is plenty', () => {
    const pool = new CreditPool();
    expect(pool.totalBytes).toBe(RELAY_MEMORY_BYTES);
    expect(pool.take()?.size).toBe(INITIAL_RELAY_WINDOW_BYTES);
    expect(pool.takenBytes).toBe(INITIAL_RELAY_WINDOW_BYTES);
    expect(pool.share(INITIAL_RELAY_WINDOW_BYTES, undefined)).toBe(MAX_RELAY_WINDOW_BYTES);
  });

  test('windows shrink as it runs low, down to the smallest, and then there is none', () => {
    const pool = new CreditPool(1024 * 1024);
    const sizes = takeAll(pool).map(({ size }) => size);
    expect(sizes[0]).toBe(16 * 1024);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(sizes.at(-1)).toBe(MIN_RELAY_WINDOW_BYTES);
    expect(pool.totalBytes - pool.takenBytes).toBeLessThan(MIN_RELAY_WINDOW_BYTES);
  });

  test('has again what windows give back, once', () => {
    const pool = new CreditPool(1024 * 1024);
    const [first, ...others] = takeAll(pool);
    first?.release();
    first?.release();
    expect(pool.take()?.size).toBe(MIN_RELAY_WINDOW_BYTES);
    for (const window of others) window.release();
    expect(pool.takenBytes).toBe(MIN_RELAY_WINDOW_BYTES);
  });

  test('windows are powers of two: they do not tell how much is left', () => {
    for (const { size } of takeAll(new CreditPool(10_000_000))) expect(Math.log2(size) % 1).toBe(0);
  });

  test('holds tens of thousands of windows that are idle, a quarter of them of one account', () => {
    const pool = new CreditPool();
    const account = new Account();
    let windows = 0;
    for (let window = pool.take(account); window !== undefined; window = pool.take(account)) {
      // The other side gives back what it does not use.
      window.returned(window.size - MIN_RELAY_WINDOW_BYTES);
      windows++;
    }
    expect(windows).toBe(32_768);
    expect(pool.take(new Account())?.size).toBe(INITIAL_RELAY_WINDOW_BYTES);
  });

  test('no account has more than a quarter; others still get their windows', () => {
    const pool = new CreditPool();
    const [a, b] = [new Account(), new Account()];
    const windows = takeAll(pool, a);
    expect(a.creditBytes).toBeLessThanOrEqual(RELAY_MEMORY_BYTES / 4);
    expect(windows.length).toBeGreaterThan(900);
    expect(pool.take(b)?.size).toBe(INITIAL_RELAY_WINDOW_BYTES);
    windows[0]?.release();
    expect(pool.take(a)?.size).toBeGreaterThanOrEqual(MIN_RELAY_WINDOW_BYTES);
  });

  test('property: never gives more than it has, nor more than a quarter to one, whatever comes back when', () => {
    const step = fc.record({ take: fc.boolean(), account: fc.constantFrom(0, 1, 2) });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000 }), fc.array(step, { maxLength: 200 }), (totalBytes, steps) => {
        const pool = new CreditPool(totalBytes);
        const accounts = [new Account(), new Account(), undefined];
        const held: { readonly size: number; readonly window: RelayWindow; readonly account: Account | undefined }[] = [];
        const sum = (of: typeof held): number => of.reduce((total, { size }) => total + size, 0);
        for (const { take, account: number } of steps) {
          const account = accounts[number];
          const window = take ? pool.take(account) : undefined;
          if (window !== undefined) {
            held.push({ size: window.size, window, account });
            expect(window.size).toBeGreaterThanOrEqual(MIN_RELAY_WINDOW_BYTES);
            expect(window.size).toBeLessThanOrEqual(INITIAL_RELAY_WINDOW_BYTES);
          } else if (!take) held.shift()?.window.release();
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
