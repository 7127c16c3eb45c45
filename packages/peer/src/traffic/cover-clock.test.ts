import { createWorld, seededRandom } from '@matryoshka/simulation';
import type { Clock } from '@matryoshka/transport';
import { describe, expect, test } from 'vitest';
import { CoverClock, MAX_LATE_SLOTS } from './cover-clock.ts';
import type { Cover } from './traffic-settings.ts';

function setUp(cover: Cover, lateMs = 0) {
  const { clock } = createWorld({ seed: 1 });
  const covers: number[] = [];
  const slots: [atMs: number, count: number][] = [];
  let timers = 0;
  const counted: Clock = {
    now: () => clock.now(),
    unixMs: () => clock.unixMs(),
    soon: (run) => clock.soon(run),
    after: (ms, run) => {
      timers++;
      let over = false;
      const done = (): void => {
        if (!over) timers--;
        over = true;
      };
      const timer = clock.after(ms + lateMs, () => {
        done();
        run();
      });
      return {
        cancel: () => {
          done();
          timer.cancel();
        },
      };
    },
  };
  const coverClock = new CoverClock(counted, seededRandom(3), {
    cover: () => void covers.push(clock.now()),
    slots: (count) => void slots.push([clock.now(), count]),
  });
  coverClock.set(cover);
  return { clock, coverClock, covers, slots, timers: () => timers };
}

describe('the clock of cover', () => {
  test('off: no timer', async () => {
    const { clock, coverClock, covers, slots, timers } = setUp({ kind: 'none' });
    coverClock.start();
    await clock.advance(100_000);
    expect([covers, slots, timers()]).toEqual([[], [], 0]);
  });

  test('random times: pauses without memory around their mean, one timer', async () => {
    const { clock, coverClock, covers, timers } = setUp({ kind: 'random', meanMs: 1000 });
    coverClock.start();
    expect(timers()).toBe(1);
    await clock.advance(4_000_000);
    expect(timers()).toBe(1);
    const pauses = covers.map((atMs, i) => atMs - (covers[i - 1] ?? 0));
    const mean = pauses.reduce((sum, pause) => sum + pause, 0) / pauses.length;
    expect(Math.abs(mean - 1000)).toBeLessThan(60);
    // Of an exponential distribution e^-1 are longer than its mean, e^-2 than twice of it.
    const longer = (ms: number): number => pauses.filter((pause) => pause > ms).length / pauses.length;
    expect(Math.abs(longer(1000) - Math.exp(-1))).toBeLessThan(0.03);
    expect(Math.abs(longer(2000) - Math.exp(-2))).toBeLessThan(0.03);
  });

  test('constant rate: one slot in each interval; late timers do not slow it down', async () => {
    const { clock, coverClock, slots } = setUp({ kind: 'constant-rate', intervalMs: 10 }, 7);
    coverClock.start();
    await clock.advance(10_000);
    const sum = slots.reduce((total, [, count]) => total + count, 0);
    expect(sum).toBeGreaterThanOrEqual(998);
    expect(sum).toBeLessThanOrEqual(1000);
    expect(Math.max(...slots.map(([, count]) => count))).toBeLessThanOrEqual(2);
  });

  test('constant rate: intervals shorter than timers are made up for, up to a bound', async () => {
    const { clock, coverClock, slots } = setUp({ kind: 'constant-rate', intervalMs: 0.1 }, 1);
    coverClock.start();
    await clock.advance(100);
    expect(slots.reduce((total, [, count]) => total + count, 0)).toBeGreaterThan(950);
    const late = setUp({ kind: 'constant-rate', intervalMs: 1 }, 1000);
    late.coverClock.start();
    await late.clock.advance(1500);
    expect(late.slots.map(([, count]) => count)).toEqual([MAX_LATE_SLOTS]);
  });

  test('stops, starts anew, and takes other settings while it runs', async () => {
    const { clock, coverClock, covers, slots, timers } = setUp({ kind: 'constant-rate', intervalMs: 10 });
    coverClock.start();
    await clock.advance(35);
    coverClock.stop();
    await clock.advance(1000);
    expect([slots.length, timers()]).toEqual([3, 0]);
    coverClock.start();
    await clock.advance(10);
    expect(slots).toHaveLength(4);
    coverClock.set({ kind: 'random', meanMs: 1 });
    await clock.advance(100);
    expect(slots).toHaveLength(4);
    expect(covers.length).toBeGreaterThan(50);
    coverClock.set({ kind: 'none' });
    expect(timers()).toBe(0);
  });
});
