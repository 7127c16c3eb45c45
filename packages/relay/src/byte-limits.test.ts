import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteBucket, ByteQuota } from './byte-limits.ts';

describe('bucket of bytes', () => {
  test('gives a quarter of a second at once, then as fast as it fills; whoever pays later waits longer', () => {
    const bucket = new ByteBucket();
    expect([bucket.pay(250, 1000, 0), bucket.pay(500, 1000, 0), bucket.pay(100, 1000, 0), bucket.pay(100, 1000, 0)]).toEqual([
      0, 0, 500, 600,
    ]);
    expect(bucket.pay(100, 1000, 700)).toBe(0);
  });

  test('what was not sent is there for others', () => {
    const bucket = new ByteBucket();
    bucket.pay(10_000, 1000, 0);
    bucket.refund(10_000);
    expect(bucket.pay(1, 1000, 0)).toBe(0);
  });

  test('property: no more than the rate goes out, but for the burst and one payment', () => {
    const payment = fc.record({ bytes: fc.integer({ min: 1, max: 5000 }), afterMs: fc.nat(3000) });
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 100_000 }), fc.array(payment, { minLength: 1, maxLength: 100 }), (perSecond, payments) => {
        const bucket = new ByteBucket();
        let nowMs = 0;
        let sent = 0;
        let largest = 0;
        for (const { bytes, afterMs } of payments) {
          nowMs += afterMs;
          // Sent when it may be.
          const atMs = nowMs + bucket.pay(bytes, perSecond, nowMs);
          expect(sent).toBeLessThanOrEqual(perSecond * (0.25 + atMs / 1000) + largest + 1);
          sent += bytes;
          largest = Math.max(largest, bytes);
        }
      }),
    );
  });
});

describe('quota of bytes', () => {
  test('is used up, and there again after its period', () => {
    const quota = new ByteQuota();
    expect(quota.take(60, 100, 1000, 5)).toBe(true);
    expect(quota.take(60, 100, 1000, 500)).toBe(false);
    expect(quota.exhaustedForMs(100, 500)).toBe(0);
    expect(quota.take(40, 100, 1000, 500)).toBe(true);
    expect(quota.exhaustedForMs(100, 600)).toBe(405);
    expect(quota.take(60, 100, 1000, 1005)).toBe(true);
    expect(quota.exhaustedForMs(100, 1005)).toBe(0);
  });
});
