import { createWorld } from '@matryoshka/simulation';
import { describe, expect, test } from 'vitest';
import { fakeSession } from '../test/fake-session.ts';
import { GREETING_TIMEOUT_MS, greetings } from './greetings.ts';

describe('waiting for hellos', () => {
  test('returns at once where all have said it, are over, or are interrupted', async () => {
    const { clock } = createWorld({ seed: 1 });
    expect(await greetings([], clock)).toBe(false);
    const silent = [fakeSession({ greeted: false, sending: false }), fakeSession({ greeted: false, stalled: true })];
    expect(await greetings([fakeSession(), ...silent], clock)).toBe(false);
    expect(clock.now()).toBe(0);
  });

  test('ends with the last hello', async () => {
    const { clock, run } = createWorld({ seed: 2 });
    const sessions = [fakeSession({ greeted: false }), fakeSession({ greeted: false }), fakeSession()];
    clock.after(100, () => sessions[0]?.greet());
    clock.after(300, () => sessions[1]?.greet());
    expect(await run(greetings(sessions, clock))).toBe(true);
    expect(clock.now()).toBe(300);
  });

  test('and no later than the bound', async () => {
    const { clock, run } = createWorld({ seed: 3 });
    expect(await run(greetings([fakeSession({ greeted: false })], clock))).toBe(true);
    expect(clock.now()).toBe(GREETING_TIMEOUT_MS);
  });
});
