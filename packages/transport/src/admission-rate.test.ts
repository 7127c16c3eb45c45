import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TokenBucket } from './admission-rate.ts';

describe('a token bucket', () => {
  test('gives its burst at once, then as many as come back', () => {
    const bucket = new TokenBucket(0);
    const rate = { perSecond: 2, burst: 3 };
    expect([0, 0, 0, 0].map(() => bucket.take(rate, 0))).toEqual([0, 0, 0, 500]);
    expect([bucket.take(rate, 400), bucket.take(rate, 500), bucket.take(rate, 500)]).toEqual([100, 0, 500]);
    expect([bucket.full(rate, 1999), bucket.full(rate, 2000)]).toEqual([false, true]);
  });

  test('keeps no more than its burst, however long it rests', () => {
    const bucket = new TokenBucket(0);
    expect([0, 0, 0].map(() => bucket.take({ perSecond: 100, burst: 2 }, 1e9))).toEqual([0, 0, 10]);
  });

  test('goes by the rate it is asked with', () => {
    const bucket = new TokenBucket(0);
    expect(bucket.take({ perSecond: 1, burst: 1 }, 0)).toBe(0);
    expect(bucket.take({ perSecond: 1, burst: 1 }, 0)).toBe(1000);
    expect(bucket.take({ perSecond: 1, burst: 5 }, 0)).toBe(0);
  });

  test('0 and 0 is no limit; a rate without a burst has one of 1; without a rate nothing comes back', () => {
    const bucket = new TokenBucket(0);
    for (let i = 0; i < 1000; i++) expect(bucket.take({ perSecond: 0, burst: 0 }, 0)).toBe(0);
    const slow = new TokenBucket(0);
    expect([slow.take({ perSecond: 4, burst: 0 }, 0), slow.take({ perSecond: 4, burst: 0 }, 0)]).toEqual([0, 250]);
    const once = new TokenBucket(0);
    expect([once.take({ perSecond: 0, burst: 1 }, 0), once.take({ perSecond: 0, burst: 1 }, 1e9)]).toEqual([0, Infinity]);
  });

  test('never gives more than burst and rate allow, and what it says it will give it does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(300)), (perSecond, burst, gaps) => {
        const rate = { perSecond, burst };
        const bucket = new TokenBucket(0);
        let nowMs = 0;
        let taken = 0;
        for (const gap of gaps) {
          nowMs += gap;
          const waitMs = bucket.take(rate, nowMs);
          if (waitMs > 0) expect(bucket.waitMs(rate, nowMs + waitMs)).toBe(0);
          else taken++;
          expect(taken).toBeLessThanOrEqual(burst + (nowMs / 1000) * perSecond + 1e-6);
        }
      }),
    );
  });
});
