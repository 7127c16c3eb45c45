import { SimulatedClock } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { Liveness, MAX_SILENT_PROBES, MEASURE_AGAIN_MS, PROBE_AFTER_MS, PROBE_AGAIN_MS } from './liveness.ts';

function setUp(): { clock: SimulatedClock; liveness: Liveness; events: string[] } {
  const clock = new SimulatedClock();
  const events: string[] = [];
  const note = (what: string) => (): void => void events.push(`${what} ${clock.now()}`);
  return { clock, events, liveness: new Liveness(clock, { tick: () => {}, probe: note('probe'), dead: note('dead') }) };
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
});
