import { SimulatedClock } from '@matryoshka/simulation';
import { MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { failureOf } from '../test/pair.ts';
import { type Deadline, deadline } from './deadline.ts';

const timeout = (): MatryoshkaError => new MatryoshkaError('session.timeout');
const never = new Promise<never>(() => {});

function setUp(signal?: AbortSignal): { clock: SimulatedClock; limit: Deadline } {
  const clock = new SimulatedClock();
  return { clock, limit: deadline(clock, 100, timeout, signal) };
}

describe('a deadline', () => {
  test('lets through what is in time, and is over when cleared', async () => {
    const { clock, limit } = setUp();
    const late: unknown[] = [];
    await expect(limit.race(Promise.resolve(1), (value) => late.push(value))).resolves.toBe(1);
    await expect(limit.race(Promise.reject(new Error('no')), () => {})).rejects.toThrow('no');
    limit.clear();
    await clock.run();
    expect([clock.now(), limit.signal.aborted, late]).toEqual([0, false, []]);
  });

  test('fails with its error when time is up, and hands what comes too late away', async () => {
    const { clock, limit } = setUp();
    const events: string[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    const race = limit.race(
      promise,
      (value) => events.push(`late ${value}`),
      () => events.push('lost'),
    );
    const failed = failureOf(race);
    await clock.advance(100);
    expect(await failed).toMatchObject({ code: 'session.timeout' });
    resolve('value');
    await clock.advance(0);
    expect(events).toEqual(['lost', 'late value']);
  });

  test('a failure that comes after it is not the one that is told', async () => {
    const { clock, limit } = setUp();
    const { promise, reject } = Promise.withResolvers<string>();
    limit.signal.addEventListener('abort', () => reject(new Error('consequence')));
    const failed = failureOf(limit.race(promise, () => {}));
    await clock.advance(100);
    expect(await failed).toMatchObject({ code: 'session.timeout' });
  });

  test('is over when the caller gives up, before or after it begins', async () => {
    const controller = new AbortController();
    const { limit } = setUp(controller.signal);
    const failed = failureOf(limit.race(never, () => {}));
    controller.abort('enough');
    expect(await failed).toMatchObject({ code: 'aborted', cause: 'enough' });
    const second = setUp(controller.signal);
    await expect(second.limit.race(never, () => {})).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
  });
});
