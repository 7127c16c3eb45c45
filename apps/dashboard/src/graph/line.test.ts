import { describe, expect, test } from 'vitest';
import { lineBetween } from './line.ts';

const circle = (x: number, y: number, radius = 10) => ({ x, y, radius });

describe('a line between two peers', () => {
  test('goes from rim to rim', () => {
    const line = lineBetween(circle(0, 0), circle(100, 0), 0);
    expect(line?.length).toBe(80);
    expect([line?.at(0, 0), line?.at(0.5, 0), line?.at(1, 0)]).toEqual([
      { x: 10, y: 0 },
      { x: 50, y: 0 },
      { x: 90, y: 0 },
    ]);
  });

  test('has room on both of its sides', () => {
    const line = lineBetween(circle(0, 0), circle(100, 0), 0);
    expect([line?.at(0.5, 3), line?.at(0.5, -3)]).toEqual([
      { x: 50, y: 3 },
      { x: 50, y: -3 },
    ]);
  });

  test('may bend: half as far as its control point, in the middle', () => {
    const middle = lineBetween(circle(0, 0, 0), circle(100, 0, 0), 40)?.at(0.5, 0);
    expect(middle).toEqual({ x: 50, y: 20 });
  });

  test('is none where two touch', () => {
    expect(lineBetween(circle(0, 0), circle(15, 0), 0)).toBeUndefined();
  });
});
