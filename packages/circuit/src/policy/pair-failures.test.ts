import type { PeerId } from '@matryoshka/session';
import { SimulatedClock } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { descriptorOf } from '../../test/descriptors.ts';
import { PairFailures } from './pair-failures.ts';

const [a, b, c] = [1, 2, 3].map((seed) => descriptorOf(seed).peerId) as [PeerId, PeerId, PeerId];

describe('failures between two hops', () => {
  test('weigh both down, and most of all the two together, in either order', () => {
    const failures = new PairFailures(new SimulatedClock());
    failures.failed(a, b);
    expect(failures.between(a, b)).toBe(1 / 32);
    expect(failures.between(b, a)).toBe(1 / 32);
    expect(failures.between(c, b)).toBe(1 / 2);
    expect(failures.between(c, a)).toBe(1 / 2);
    expect(failures.between(a, c)).toBe(1);
  });

  test('a first hop that fails is to blame alone: the other one is this node', () => {
    const failures = new PairFailures(new SimulatedClock());
    failures.failed(undefined, b);
    expect(failures.between(undefined, b)).toBe(1 / 32);
    expect(failures.between(a, b)).toBe(1 / 2);
  });

  test('are forgiven with time, and by success', async () => {
    const clock = new SimulatedClock();
    const failures = new PairFailures(clock);
    failures.failed(a, b);
    await clock.advance(300_000);
    expect(failures.between(c, b)).toBeCloseTo(Math.SQRT1_2);
    await clock.advance(3_600_000);
    expect(failures.between(a, b)).toBeGreaterThan(0.99);
    failures.failed(a, c);
    failures.succeeded(a, c);
    expect(failures.between(a, c)).toBe(1 / 8);
  });

  test('never ban, however many there are', () => {
    const failures = new PairFailures(new SimulatedClock());
    for (let i = 0; i < 10_000; i++) failures.failed(a, b);
    expect(failures.between(a, b)).toBeGreaterThan(0);
  });
});
