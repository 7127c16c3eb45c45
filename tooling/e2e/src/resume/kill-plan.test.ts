import { seededRandom } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { type Kill, drawKills } from './kill-plan.ts';

const plan = (seed: number, count: number, bytes: number): readonly Kill[] => drawKills(seededRandom(seed), count, bytes);

describe('the plan of kills', () => {
  test('follows from its seed', () => {
    expect(plan(1, 50, 2 ** 30)).toEqual(plan(1, 50, 2 ** 30));
    expect(plan(1, 50, 2 ** 30)).not.toEqual(plan(2, 50, 2 ** 30));
  });

  test('spreads them over all but the end of the transfer, in order', () => {
    const kills = plan(3, 2000, 2 ** 36);
    const positions = kills.filter(({ when }) => when.type === 'at').map(({ when }) => when.bytes);
    expect(kills).toHaveLength(2000);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(positions.at(-1)).toBeLessThan(0.98 * 2 ** 36);
    for (let tenth = 0; tenth < 9; tenth++) {
      const inside = positions.filter((at) => Math.floor((at * 10) / 2 ** 36) === tenth);
      expect(inside.length, `tenth ${tenth}`).toBeGreaterThan(positions.length / 15);
    }
  });

  test('has every manner, alone and together, within bounds', () => {
    const kills = plan(4, 2000, 2 ** 30);
    expect(new Set(kills.map(({ when, manner, first }) => `${when.type} ${manner} ${first}`)).size).toBe(8);
    expect(kills.some(({ halfOpenMs, stallMs, refuseMs }) => halfOpenMs > 0 && stallMs > 0 && refuseMs > 0)).toBe(true);
    expect(kills.some(({ halfOpenMs, stallMs, refuseMs }) => halfOpenMs + stallMs + refuseMs === 0)).toBe(true);
    expect(kills.some(({ backwardCutLength }) => backwardCutLength !== undefined)).toBe(true);
    for (const { refuseMs, stallMs } of kills) {
      expect(refuseMs).toBeLessThanOrEqual(800);
      expect(stallMs).toBeLessThanOrEqual(500);
    }
  });

  test('begins with one on the connection there is, and leaves a chance between those that come soon', () => {
    for (let seed = 0; seed < 200; seed++) {
      const types = plan(seed, 50, 2 ** 24).map(({ when }) => when.type);
      expect(types[0]).toBe('at');
      expect(types.join(' ')).not.toContain('soon soon soon');
    }
  });
});
