import { describe, expect, test } from 'vitest';
import { type Counters, RateMeter } from './rates.ts';

const one = (sent: number, received: number): ReadonlyMap<string, Counters> => new Map([['c', { sent, received, roundTripMs: 7 }]]);

describe('rates', () => {
  test('are what was counted between two looks, per second', () => {
    const meter = new RateMeter();
    meter.update(1_000, one(100, 0));
    expect(meter.rate('c')).toEqual({ sent: 0, received: 0 });
    meter.update(3_000, one(2_100, 500));
    expect(meter.rate('c')).toEqual({ sent: 1_000, received: 250 });
  });

  test('are never negative: a counter that went back has begun anew', () => {
    const meter = new RateMeter();
    meter.update(1_000, one(5_000, 5_000));
    meter.update(2_000, one(10, 6_000));
    expect(meter.rate('c')).toEqual({ sent: 0, received: 1_000 });
  });

  test('do not change by an answer that was seen already', () => {
    const meter = new RateMeter();
    meter.update(1_000, one(0, 0));
    meter.update(2_000, one(1_000, 0));
    meter.update(2_000, one(1_000, 0));
    expect(meter.rate('c').sent).toBe(1_000);
    expect(meter.history('c')?.at).toEqual([2]);
  });

  test('of what is gone are forgotten', () => {
    const meter = new RateMeter();
    meter.update(1_000, one(0, 0));
    meter.update(2_000, new Map());
    expect(meter.rate('c')).toEqual({ sent: 0, received: 0 });
    expect(meter.history('c')).toBeUndefined();
  });

  test('are remembered for three minutes', () => {
    const meter = new RateMeter();
    for (let second = 0; second < 500; second++) meter.update(second * 1_000, one(second * 10, 0));
    const history = meter.history('c');
    expect(history?.at.length).toBe(180);
    expect(history?.at.at(-1)).toBe(499);
    expect(new Set(history?.sent)).toEqual(new Set([10]));
    expect(history?.roundTripMs.length).toBe(180);
  });
});
