import { describe, expect, test } from 'vitest';
import { BuildTimeouts } from './build-timeouts.ts';

describe('the build timeout', () => {
  test('is 10 s until ten builds were measured, then follows them', () => {
    const timeouts = new BuildTimeouts();
    for (let i = 0; i < 9; i++) timeouts.built(2, 1_000);
    expect(timeouts.timeoutMs(2)).toBe(10_000);
    timeouts.built(2, 1_000);
    // 500 ms for each hop, and half as much again.
    expect(timeouts.timeoutMs(2)).toBe(1_500);
    expect(timeouts.timeoutMs(4)).toBe(3_000);
  });

  test('lets four of five builds through', () => {
    const timeouts = new BuildTimeouts();
    for (let i = 1; i <= 100; i++) timeouts.built(1, i * 100);
    expect(timeouts.timeoutMs(1)).toBe(1.5 * 8_000);
  });

  test('forgets what was 100 builds ago', () => {
    const timeouts = new BuildTimeouts();
    for (let i = 0; i < 100; i++) timeouts.built(1, 5_000);
    for (let i = 0; i < 100; i++) timeouts.built(1, 800);
    expect(timeouts.timeoutMs(1)).toBe(1_200);
  });

  test('has bounds: half a second, and half a minute', () => {
    const timeouts = new BuildTimeouts();
    for (let i = 0; i < 100; i++) timeouts.built(3, 6);
    expect(timeouts.timeoutMs(3)).toBe(500);
    for (let i = 0; i < 100; i++) timeouts.built(3, 600_000);
    expect(timeouts.timeoutMs(3)).toBe(30_000);
  });

  test('builds that were given up make it longer, when they are more than one in five', () => {
    const timeouts = new BuildTimeouts();
    for (let i = 0; i < 20; i++) timeouts.built(1, 1_000);
    for (let i = 0; i < 4; i++) timeouts.gaveUp();
    expect(timeouts.timeoutMs(1)).toBe(1_500);
    for (let i = 0; i < 4; i++) timeouts.gaveUp();
    expect(timeouts.timeoutMs(1)).toBeGreaterThanOrEqual(20_000);
    for (let i = 0; i < 100; i++) timeouts.gaveUp();
    expect(timeouts.timeoutMs(1)).toBe(30_000);
  });
});
