import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReceiveWindow, SendCredit } from './credit.ts';

const EXCEEDED = expect.objectContaining({ code: 'session.credit-exceeded' }) as unknown;

describe('a receive window', () => {
  test('takes what was granted, and not one byte more', () => {
    const window = new ReceiveWindow(100, 100);
    window.receive(60);
    window.receive(40);
    expect(window.pending).toBe(100);
    expect(() => window.receive(1)).toThrow(EXCEEDED);
  });

  test('is announced again once half of it is consumed, not before', () => {
    const window = new ReceiveWindow(100, 100);
    window.receive(100);
    expect(window.consume(49)).toBeUndefined();
    expect(window.consume(1)).toBe(150);
    expect(window.consume(1)).toBeUndefined();
    expect([window.consumed, window.pending]).toEqual([51, 49]);
  });

  test('bytes that come and are not consumed grant nothing', () => {
    const window = new ReceiveWindow(100, 100);
    window.receive(100);
    expect(window.announce()).toBe(100);
  });

  test('never goes back', () => {
    const window = new ReceiveWindow(100, 1000);
    expect(window.announce()).toBe(1000);
  });
});

test('credit is absolute and monotonic', () => {
  const credit = new SendCredit(10);
  credit.use(10);
  expect([credit.raise(5), credit.raise(10), credit.available]).toEqual([false, false, 0]);
  expect([credit.raise(11), credit.available, credit.used]).toEqual([true, 1, 10]);
});

test('a sender that keeps to its credit is never stopped for good, and never exceeds the window', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.array(fc.tuple(fc.nat(5000), fc.nat(5000)), { maxLength: 40 }), (size, steps) => {
      const window = new ReceiveWindow(size, size);
      const credit = new SendCredit(size);
      const consume = (bytes: number): void => {
        const total = window.consume(bytes);
        if (total !== undefined) credit.raise(total);
      };
      for (const [send, consumed] of steps) {
        const bytes = Math.min(send, credit.available);
        credit.use(bytes);
        window.receive(bytes);
        expect(window.pending).toBeLessThanOrEqual(size);
        consume(Math.min(consumed, window.pending));
      }
      consume(window.pending);
      // Rounded down where half of the window is not a whole number.
      expect(credit.available).toBeGreaterThanOrEqual(Math.max(1, Math.floor(size / 2)));
    }),
    { numRuns: 200 },
  );
});
