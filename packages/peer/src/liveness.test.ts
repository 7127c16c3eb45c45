import { SimulatedClock } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { Liveness, MAX_SILENT_PROBES, MEASURE_AGAIN_MS, PROBE_AFTER_MS, PROBE_AGAIN_MS } from './liveness.ts';

function setUp({ owed = (): boolean => false } = {}): { clock: SimulatedClock; liveness: Liveness; events: string[] } {
  const clock = new SimulatedClock();
  const events: string[] = [];
  const note = (what: string) => (): void => void events.push(`${what} ${clock.now()}`);
  return {
    clock,
    events,
    liveness: new Liveness(clock, { owed, tick: () => {}, probe: note('probe'), dead: note('dead') }),
  };
}

describe('liveness', () => {
  test('asks nothing while something comes', async () => {
    const { clock, liveness, events } = setUp();
    for (let i = 0; i < 20; i++) {
      liveness.heard();
      await clock.advance(PROBE_AFTER_MS);
    }
    expect(events).toEqual([]);
    liveness.stop();
  });

  test('asks after a silence, again and again, and gives up after three without an answer', async () => {
    const { clock, events } = setUp();
    await clock.run();
    expect(events).toEqual(['probe 8000', 'probe 11000', 'probe 14000', 'dead 17000']);
    expect([PROBE_AFTER_MS, PROBE_AGAIN_MS, MAX_SILENT_PROBES]).toEqual([8000, 3000, 3]);
  });

  test('starts to count anew with whatever comes', async () => {
    const { clock, liveness, events } = setUp();
    await clock.advance(15_000);
    liveness.heard();
    await clock.advance(15_000);
    expect(events.slice(3)).toEqual(['probe 25000', 'probe 28000']);
    liveness.stop();
  });

  test('measures the round trip, from the first of the probes that wait', async () => {
    const { clock, liveness } = setUp();
    liveness.answered();
    expect(liveness.roundTripMs).toBeUndefined();
    await clock.advance(PROBE_AFTER_MS + 80);
    liveness.answered();
    expect(liveness.roundTripMs).toBe(80);
    await clock.advance(6000);
    liveness.answered();
    liveness.answered();
    expect(liveness.roundTripMs).toBe(3080);
    liveness.stop();
  });

  test('measures it when asked to, with one probe at a time and not again at once', async () => {
    const { clock, liveness, events } = setUp();
    liveness.measure();
    await clock.advance(30);
    liveness.measure();
    liveness.answered();
    liveness.measure();
    expect([events, liveness.roundTripMs]).toEqual([['probe 0'], 30]);
    await clock.advance(MEASURE_AGAIN_MS);
    liveness.measure();
    expect(events).toEqual(['probe 0', `probe ${MEASURE_AGAIN_MS + 30}`]);
    liveness.stop();
  });

  test('is silent once stopped', async () => {
    const { clock, liveness, events } = setUp();
    liveness.stop();
    await clock.run();
    expect([events, clock.now()]).toEqual([[], 0]);
  });

  test('asks much sooner while the other side owes an acknowledgement', async () => {
    const direct = setUp({ owed: () => true });
    await direct.clock.run();
    expect(direct.events).toEqual(['probe 8000', 'probe 9000', 'probe 10000', 'dead 11000']);
    // In the middle of a transfer.
    const busy = setUp({ owed: () => true });
    busy.liveness.heard();
    await busy.clock.advance(PROBE_AFTER_MS + 1000);
    busy.liveness.heard();
    await busy.clock.run();
    expect(busy.events).toEqual(['probe 12000', 'probe 13000', 'probe 14000', 'dead 15000']);
  });

  test('gives a link that is only slow more time, up to that of an idle one, until it has been fast for a while', async () => {
    const { clock, liveness, events } = setUp({ owed: () => true });
    const pausesMs = (): number[] => {
      const times = events.splice(0).map((event) => Number(event.split(' ')[1]));
      return [...new Set(times.slice(1).map((time, i) => time - (times[i] as number)))];
    };
    const heardAfter = async (ms: number): Promise<void> => {
      await clock.advance(ms);
      liveness.heard();
    };
    // Probes go out, and then something comes after all.
    await heardAfter(10_500);
    expect(pausesMs()).toEqual([1000]);
    await heardAfter(9_000);
    expect(pausesMs()).toEqual([2000]);
    await heardAfter(15_000);
    expect(pausesMs()).toEqual([3000]);
    for (let i = 0; i < 800; i++) await heardAfter(1000);
    await clock.run();
    expect(pausesMs()).toEqual([1000]);
  });
});
