import { createWorld } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { DRAIN_TIMEOUT_MS, DrainTimer } from './drain-timer.ts';
import type { Egress } from './egress.ts';

describe('the end of a link that drains', () => {
  function started(): {
    readonly egress: { sentBytes: number };
    readonly timer: DrainTimer;
    readonly advance: (ms: number) => Promise<number>;
  } {
    const { clock } = createWorld({ seed: 1 });
    const egress = { sentBytes: 1000 };
    let expired = 0;
    const timer = new DrainTimer(clock, egress as Egress, () => expired++);
    return { egress, timer, advance: (ms) => clock.advance(ms).then(() => expired) };
  }

  test('comes when nothing was sent', async () => {
    const { advance } = started();
    expect(await advance(DRAIN_TIMEOUT_MS - 1)).toBe(0);
    expect(await advance(1)).toBe(1);
    expect(await advance(10 * DRAIN_TIMEOUT_MS)).toBe(1);
  });

  test('does not come while something is', async () => {
    const { egress, advance } = started();
    for (let i = 0; i < 20; i++) {
      egress.sentBytes++;
      expect(await advance(DRAIN_TIMEOUT_MS)).toBe(0);
    }
    expect(await advance(DRAIN_TIMEOUT_MS)).toBe(1);
  });

  test('does not come any more once it is cancelled', async () => {
    const { egress, timer, advance } = started();
    egress.sentBytes++;
    await advance(DRAIN_TIMEOUT_MS);
    timer.cancel();
    expect(await advance(10 * DRAIN_TIMEOUT_MS)).toBe(0);
  });
});
