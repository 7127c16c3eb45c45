import { SimulatedClock } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { type CreditHolder, IDLE_CREDIT_MS, IdleCredit } from './idle-credit.ts';

class Holder implements CreditHolder {
  sentBytes = 0;
  keeps = false;
  readonly #clock: SimulatedClock;
  readonly gaveBackAt: number[] = [];

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  giveBack(): boolean {
    this.gaveBackAt.push(this.#clock.now());
    return this.keeps;
  }
}

describe('credit that is not used', () => {
  test('goes back after a second without sending, and before two', async () => {
    const clock = new SimulatedClock();
    const idle = new IdleCredit(clock);
    const holder = new Holder(clock);
    idle.watch(holder);
    idle.watch(holder);
    await clock.advance(1500);
    expect(holder.gaveBackAt).toEqual([]);
    holder.sentBytes = 10;
    await clock.advance(1400);
    expect(holder.gaveBackAt).toEqual([]);
    await clock.run();
    expect(holder.gaveBackAt).toEqual([3 * IDLE_CREDIT_MS]);
    // And there is no timer any more.
    expect([idle.size, clock.now()]).toEqual([0, 3 * IDLE_CREDIT_MS]);
  });

  test('stays where something waits, until it goes', async () => {
    const clock = new SimulatedClock();
    const idle = new IdleCredit(clock);
    const [waiting, gone] = [new Holder(clock), new Holder(clock)];
    waiting.keeps = true;
    idle.watch(waiting);
    idle.watch(gone);
    idle.forget(gone);
    await clock.advance(4500);
    expect([waiting.gaveBackAt.length, gone.gaveBackAt.length, idle.size]).toEqual([3, 0, 1]);
    waiting.keeps = false;
    await clock.run();
    expect([waiting.gaveBackAt.length, idle.size]).toEqual([4, 0]);
  });
});
