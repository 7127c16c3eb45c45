import { describe, expect, test } from 'vitest';
import { Stream, motionOf } from './traffic.ts';

describe('the motion of traffic', () => {
  test('nothing moves for the little that is always there', () => {
    expect(motionOf(0).dots).toBe(0);
    expect(motionOf(200).dots).toBe(0);
  });

  test('more bytes are more dots, and faster ones, up to a bound', () => {
    const motions = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e12].map(motionOf);
    expect(motions.map(({ dots }) => dots)).toEqual([1, 2, 3, 4, 5, 6, 6]);
    const speeds = motions.map(({ speed }) => speed);
    expect(speeds).toEqual(speeds.toSorted((a, b) => a - b));
  });

  test('dots keep their distance, and go on where they were when the rate changes', () => {
    const stream = new Stream('own', false, 0);
    stream.rate = 1e4;
    expect([...stream.places()]).toEqual([0, 0.5]);
    stream.advance(0.5, 200);
    const [first = 0, second = 0] = stream.places();
    expect(second - first).toBeCloseTo(0.5);
    expect(first).toBeGreaterThan(0);
  });

  test('the other way round they come from the target', () => {
    const stream = new Stream('own', true, 0.25);
    stream.rate = 1e3;
    expect([...stream.places()]).toEqual([0.75]);
  });

  test('still streams stand', () => {
    const stream = new Stream('own', false, 0.5);
    stream.advance(10, 100);
    expect([stream.still, [...stream.places()]]).toEqual([true, []]);
  });
});
