import { describe, expect, test } from 'vitest';
import { ReplayMemory } from './replay-memory.ts';

const HOUR_MS = 3_600_000;

function nonce(index: number): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, index);
  return bytes;
}

class Time {
  nowMs = 0;
  now(): number {
    return this.nowMs;
  }
}

describe('the memory for first messages', () => {
  test('knows a nonce that came before', () => {
    const memory = new ReplayMemory(new Time());
    expect([memory.seen(nonce(1)), memory.seen(nonce(2)), memory.seen(nonce(1)), memory.seen(nonce(1).slice())]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test('tells nonces apart by every byte', () => {
    const memory = new ReplayMemory(new Time());
    memory.seen(new Uint8Array(16));
    for (let at = 0; at < 16; at++) expect(memory.seen(new Uint8Array(16).fill(0xff, at, at + 1))).toBe(false);
  });

  test('keeps each for as long as its hour is good, and forgets it later', () => {
    for (const sentAtMs of [0, 1, 2.9 * HOUR_MS, 3 * HOUR_MS]) {
      const time = new Time();
      const memory = new ReplayMemory(time);
      time.nowMs = sentAtMs;
      memory.seen(nonce(1));
      time.nowMs = sentAtMs + 3 * HOUR_MS - 1;
      expect(memory.seen(nonce(1))).toBe(true);
      time.nowMs = sentAtMs + 9 * HOUR_MS;
      expect(memory.seen(nonce(2))).toBe(false);
      expect(memory.size).toBe(1);
    }
  });

  test('keeps them through a quiet time of any length', () => {
    const time = new Time();
    const memory = new ReplayMemory(time);
    time.nowMs = 2 * HOUR_MS;
    memory.seen(nonce(1));
    time.nowMs = 4 * HOUR_MS;
    expect(memory.seen(nonce(1))).toBe(true);
    time.nowMs = 20 * HOUR_MS;
    memory.seen(nonce(2));
    expect(memory.size).toBe(1);
  });

  test('has a bound, above which the oldest go first', () => {
    const memory = new ReplayMemory(new Time(), 100);
    for (let i = 0; i < 1000; i++) {
      expect(memory.seen(nonce(i))).toBe(false);
      expect(memory.size).toBeLessThanOrEqual(200);
    }
    for (let i = 900; i < 1000; i++) expect(memory.seen(nonce(i))).toBe(true);
    expect(memory.seen(nonce(1))).toBe(false);
  });
});
