import { describe, expect, test } from 'vitest';
import { Throughput } from './throughput.ts';

describe('the throughput of a session', () => {
  test('is nothing before something was carried for a second', () => {
    const throughput = new Throughput(5000);
    expect([throughput.sample(5000, 1_000_000), throughput.sample(5999, 1_000_000)]).toEqual([0, 0]);
    expect(throughput.sample(7000, 1_000_000)).toBe(500_000);
  });

  test('is the most it has carried, which counts half after ten minutes', () => {
    const throughput = new Throughput(0);
    expect(throughput.sample(8000, 8_000_000)).toBe(1_000_000);
    expect(throughput.sample(9000, 8_001_000)).toBeCloseTo(998_800, -3);
    expect(throughput.sample(8000 + 10 * 60_000, 8_001_000)).toBeCloseTo(500_000, 0);
    expect(throughput.sample(8000 + 10 * 60_000 + 1000, 18_001_000)).toBe(10_000_000);
  });

  test('does not forget faster when it is asked for often', () => {
    const [often, seldom] = [new Throughput(0), new Throughput(0)];
    for (const throughput of [often, seldom]) throughput.sample(1000, 1_000_000);
    for (let at = 1001; at < 301_000; at += 10) often.sample(at, 1_000_000);
    expect(often.sample(301_000, 1_000_000)).toBeCloseTo(seldom.sample(301_000, 1_000_000), -4);
  });
});
