import { seededRandom } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { candidate, request } from '../../test/candidates.ts';
import type { Candidate, RoutingPolicy } from '../routing-policy.ts';
import { lowestLatency, weightedByBandwidth } from './choosers.ts';

const DRAWS = 4000;

/** How often each of them is chosen, of 4,000 times. */
function shares(policy: RoutingPolicy, candidates: readonly Candidate[]): number[] {
  const random = seededRandom(5);
  const counts = candidates.map(() => 0);
  for (let i = 0; i < DRAWS; i++) {
    const chosen = policy.selectNextHop(request(), candidates, random);
    if (chosen !== undefined) counts[candidates.indexOf(chosen)]! += 1;
  }
  return counts.map((count) => count / DRAWS);
}

describe('weighted by bandwidth', () => {
  test('each is as likely as it carries much', () => {
    const [slow, fast] = shares(weightedByBandwidth, [candidate(1, { bytesPerSecond: 1e6 }), candidate(2, { bytesPerSecond: 3e6 })]);
    expect(slow).toBeCloseTo(0.25, 1);
    expect(fast).toBeCloseTo(0.75, 1);
  });

  test('one that has carried nothing yet counts as the median', () => {
    const rates = [0, 1e6, 2e6, 9e6];
    const [fresh, , median] = shares(
      weightedByBandwidth,
      rates.map((bytesPerSecond, i) => candidate(i, { bytesPerSecond })),
    );
    expect(fresh).toBeCloseTo(median as number, 1);
    expect(fresh).toBeCloseTo(2 / 14, 1);
  });

  test('without any measurement all are alike; of none there is none', () => {
    for (const share of shares(weightedByBandwidth, [candidate(1), candidate(2), candidate(3)])) expect(share).toBeCloseTo(1 / 3, 1);
    expect(weightedByBandwidth.selectNextHop(request(), [], seededRandom(1))).toBeUndefined();
  });

  test('rates of very different sizes leave the small ones a chance', () => {
    expect(shares(weightedByBandwidth, [candidate(1, { bytesPerSecond: 5e-324 })])).toEqual([1]);
    const rates = [1, 1e12];
    const [small] = shares(
      weightedByBandwidth,
      rates.map((bytesPerSecond, i) => candidate(i, { bytesPerSecond })),
    );
    expect(small).toBeGreaterThan(0);
    expect(small).toBeLessThan(0.01);
  });
});

describe('lowest latency', () => {
  const candidates = [30, undefined, 10, 20, 10].map((roundTripMs, i) => candidate(i, { roundTripMs }));

  test('is that of the nearest, or of one of those that are as near', () => {
    expect(shares(lowestLatency(), candidates).map((share) => share > 0)).toEqual([false, false, true, false, true]);
  });

  test('among several choices any of them, those without a measurement last', () => {
    expect(shares(lowestLatency({ choices: 3 }), candidates).map((share) => share > 0)).toEqual([false, false, true, true, true]);
    expect(shares(lowestLatency({ choices: 9 }), candidates).every((share) => share > 0)).toBe(true);
    expect(shares(lowestLatency(), [candidate(1), candidate(2)]).every((share) => share > 0)).toBe(true);
    expect(lowestLatency().selectNextHop(request(), [], seededRandom(1))).toBeUndefined();
  });

  test.each([0, -1, 1.5, Number.NaN])('choices %d are refused', (choices) => {
    expect(() => lowestLatency({ choices })).toThrow(RangeError);
  });
});
