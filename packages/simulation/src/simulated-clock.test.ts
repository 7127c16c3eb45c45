import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { SimulatedClock } from './simulated-clock.ts';

describe('a simulated clock', () => {
  test('stands still until it is told to go on', async () => {
    const clock = new SimulatedClock({ startUnixMs: 5000 });
    const seen: number[] = [];
    clock.after(100, () => seen.push(clock.now()));
    expect([clock.now(), clock.unixMs()]).toEqual([0, 5000]);
    await clock.advance(99);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual([100]);
    expect([clock.now(), clock.unixMs()]).toEqual([100, 5100]);
  });

  test('runs timers by time, and by the order in which they were set', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 30 }), async (delays) => {
        const clock = new SimulatedClock();
        const seen: [number, number][] = [];
        for (const [i, ms] of delays.entries()) clock.after(ms, () => seen.push([clock.now(), i]));
        await clock.run();
        const expected = delays.map((ms, i): [number, number] => [ms, i]).toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
        expect(seen).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test('runs any timers but the cancelled ones', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ ms: fc.nat(20), cancelled: fc.boolean() }), { maxLength: 30 }), async (plans) => {
        const clock = new SimulatedClock();
        const seen = new Set<number>();
        const timers = plans.map(({ ms }, i) => clock.after(ms, () => seen.add(i)));
        for (const [i, { cancelled }] of plans.entries()) if (cancelled) timers[i]?.cancel();
        await clock.run();
        timers.forEach((timer) => timer.cancel());
        expect([...seen].toSorted((a, b) => a - b)).toEqual(plans.flatMap(({ cancelled }, i) => (cancelled ? [] : [i])));
      }),
      { numRuns: 50 },
    );
  });

  test('runs what is due soon at the same virtual time, before any timer', async () => {
    const clock = new SimulatedClock();
    const seen: string[] = [];
    clock.after(0, () => seen.push(`timer ${clock.now()}`));
    clock.soon(() => {
      seen.push(`soon ${clock.now()}`);
      clock.soon(() => seen.push(`then ${clock.now()}`));
    });
    await clock.run();
    expect(seen).toEqual(['soon 0', 'then 0', 'timer 0']);
  });

  test('lets promises settle between two steps', async () => {
    const clock = new SimulatedClock();
    const seen: string[] = [];
    clock.after(1, () => {
      void (async () => {
        for (let i = 0; i < 50; i++) await Promise.resolve();
        seen.push(`promise at ${clock.now()}`);
      })();
    });
    clock.after(2, () => seen.push('timer'));
    await clock.run();
    expect(seen).toEqual(['promise at 1', 'timer']);
  });

  test('stops at a time or on a condition', async () => {
    const clock = new SimulatedClock();
    let beats = 0;
    const beat = (): void => {
      beats++;
      clock.after(10, beat);
    };
    beat();
    await clock.run({ untilMs: 55 });
    expect([beats, clock.now()]).toEqual([6, 50]);
    await clock.run({ until: () => beats === 10 });
    expect([beats, clock.now()]).toEqual([10, 90]);
  });

  test('shuffles timers that are due together, as its randomness says', async () => {
    const order = async (seed: number): Promise<number[]> => {
      const clock = new SimulatedClock({ shuffle: { random: seededRandom(seed) } });
      const seen: number[] = [];
      for (let i = 0; i < 8; i++) clock.after(10, () => seen.push(i));
      clock.after(9, () => seen.push(-1));
      clock.after(11, () => seen.push(99));
      await clock.run();
      expect([seen[0], seen.at(-1), clock.now()]).toEqual([-1, 99, 11]);
      return seen;
    };
    const orders = [];
    for (let seed = 1; seed <= 20; seed++) orders.push((await order(seed)).join(' '));
    expect(await order(3)).toEqual(orders[2]!.split(' ').map(Number));
    expect(new Set(orders).size).toBeGreaterThan(15);
  });

  test('lets timers be late, never early, and others overtake them', async () => {
    const clock = new SimulatedClock({ shuffle: { random: seededRandom(4), lateMs: 5 } });
    const late: number[] = [];
    const seen: number[] = [];
    for (let i = 0; i < 100; i++) {
      clock.after(i, () => {
        late.push(clock.now() - i);
        seen.push(i);
      });
    }
    await clock.run();
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThan(5);
    expect(seen).not.toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.every((i, position) => Math.abs(i - position) <= 5)).toBe(true);
  });

  test('cancels the right timer, shuffled or not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ ms: fc.nat(3), cancelled: fc.boolean() }), { maxLength: 30 }),
        fc.nat(),
        async (plans, seed) => {
          const clock = new SimulatedClock({ shuffle: { random: seededRandom(seed) } });
          const seen = new Set<number>();
          const timers = plans.map(({ ms }, i) => clock.after(ms, () => seen.add(i)));
          for (const [i, { cancelled }] of plans.entries()) if (cancelled) timers[i]?.cancel();
          await clock.run();
          expect([...seen].toSorted((a, b) => a - b)).toEqual(plans.flatMap(({ cancelled }, i) => (cancelled ? [] : [i])));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('counts its steps', async () => {
    const clock = new SimulatedClock();
    clock.after(5, () => clock.soon(() => {}));
    await clock.run();
    expect(clock.steps).toBe(2);
  });

  test('refuses to run inside a run, and notices an endless loop', async () => {
    const clock = new SimulatedClock();
    const run = clock.run();
    await expect(clock.run()).rejects.toThrow('running already');
    await run;
    const again = (): void => clock.soon(again);
    again();
    await expect(clock.run()).rejects.toThrow('endless loop at 0 ms');
  });
});
