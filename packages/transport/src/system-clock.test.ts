import { describe, expect, test, vi } from 'vitest';
import { systemClock } from './system-clock.ts';

const nextTick = (): Promise<void> => new Promise((resolve) => systemClock.soon(resolve));

describe('systemClock', () => {
  test('goes forward, and knows the date', () => {
    const before = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(Math.abs(systemClock.unixMs() - Date.now())).toBeLessThan(1000);
  });

  test('runs what is due soon together, in order, and not at once', async () => {
    const seen: string[] = [];
    for (const name of ['a', 'b', 'c']) systemClock.soon(() => seen.push(name));
    expect(seen).toEqual([]);
    await nextTick();
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test('runs what a callback asks for in the tick after it', async () => {
    const seen: string[] = [];
    systemClock.soon(() => {
      seen.push('first');
      systemClock.soon(() => seen.push('third'));
    });
    systemClock.soon(() => seen.push('second'));
    await nextTick();
    expect(seen).toEqual(['first', 'second']);
    await nextTick();
    expect(seen).toEqual(['first', 'second', 'third']);
  });

  test('waits whole milliseconds, and not less than asked', () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    try {
      for (const ms of [-1, 0, 0.2, 7, 7.001]) systemClock.after(ms, () => {}).cancel();
      expect(set.mock.calls.map(([, ms]) => ms)).toEqual([0, 0, 1, 7, 8]);
    } finally {
      set.mockRestore();
    }
  });

  test('lets timers be cancelled, and does not keep a process alive for them unless told to', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const run = vi.fn<() => void>();
      systemClock.after(10, run);
      systemClock.after(10, run).cancel();
      // Longer than the platform can: it must not fire at once.
      systemClock.after(2 ** 40, run);
      vi.advanceTimersByTime(10);
      expect(run).toHaveBeenCalledTimes(1);
    } finally {
      vi.useRealTimers();
    }
    const keptAlive = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    systemClock.after(60_000, () => {}).cancel();
    const timer = systemClock.after(60_000, () => {});
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(keptAlive);
    const keeping = systemClock.after(60_000, () => {}, { keepsAlive: true });
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(keptAlive + 1);
    keeping.cancel();
    timer.cancel();
  });
});
