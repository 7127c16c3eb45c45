import { KeyPairReserve, freshKeyPairs } from '@matryoshka/session';
import { SimulatedClock, createWorld, simulatedProvider } from '@matryoshka/simulation';
import { beforeEach, describe, expect, test } from 'vitest';
import { KEEP_UNUSED_MS, KeyPairsAhead, REFILL_INTERVAL_MS } from './key-pairs-ahead.ts';

const SIZE = 3;

let clock: SimulatedClock;
let made: { kind: 'dh' | 'kem'; atMs: number }[];
let wiped: number;
let pairs: KeyPairsAhead;

beforeEach(() => {
  clock = new SimulatedClock();
  made = [];
  wiped = 0;
  const fresh = freshKeyPairs(simulatedProvider(), createWorld({ seed: 1 }).random);
  const noted = <T extends object>(kind: 'dh' | 'kem', pair: T): T => {
    made.push({ kind, atMs: clock.now() });
    return Object.create(pair, { wipe: { value: () => void wiped++ } }) as T;
  };
  const source = { dhKeyPair: () => noted('dh', fresh.dhKeyPair()), kemKeyPair: () => noted('kem', fresh.kemKeyPair()) };
  pairs = new KeyPairsAhead(clock, new KeyPairReserve(source, SIZE));
});

/** When each was made since the last call. */
function times(): number[] {
  return made.splice(0).map(({ atMs }) => atMs);
}

describe('key pairs made ahead', () => {
  test('are made after the first take, one at a time', async () => {
    await clock.advance(1000);
    expect(times()).toEqual([]);
    pairs.dhKeyPair();
    expect(times()).toEqual([1000]);
    await clock.advance(100);
    expect(times()).toEqual([1, 2, 3].map((n) => 1000 + n * REFILL_INTERVAL_MS));
  });

  test('leave nothing to be made in a handshake that comes later', async () => {
    pairs.dhKeyPair();
    pairs.kemKeyPair();
    await clock.advance(100);
    times();
    pairs.dhKeyPair();
    pairs.kemKeyPair();
    pairs.dhKeyPair();
    expect(made).toEqual([]);
    await clock.advance(100);
    expect(made.map(({ kind }) => kind).toSorted()).toEqual(['dh', 'dh', 'kem']);
  });

  test('are never made two at once, however many are taken meanwhile', async () => {
    for (let i = 0; i < 10; i++) {
      pairs.dhKeyPair();
      pairs.kemKeyPair();
    }
    times();
    await clock.advance(100);
    const all = times();
    expect([all.length, new Set(all).size]).toEqual([2 * SIZE, 2 * SIZE]);
  });

  test('are overwritten when nobody has asked for a minute, and made again after the next take', async () => {
    pairs.dhKeyPair();
    await clock.advance(KEEP_UNUSED_MS - 1);
    // A take keeps the others for another minute.
    pairs.dhKeyPair();
    await clock.advance(KEEP_UNUSED_MS - 1);
    expect(wiped).toBe(0);
    await clock.advance(100);
    expect(wiped).toBe(SIZE);
    times();
    await clock.advance(10 * KEEP_UNUSED_MS);
    expect(times()).toEqual([]);
    pairs.dhKeyPair();
    await clock.advance(100);
    expect(times()).toHaveLength(1 + SIZE);
  });

  test('are overwritten at the close, after which nothing is made ahead', async () => {
    pairs.dhKeyPair();
    await clock.advance(100);
    pairs.dhKeyPair();
    pairs.close();
    pairs.close();
    expect(wiped).toBe(SIZE - 1);
    times();
    expect(pairs.dhKeyPair().publicKey).toHaveLength(32);
    await clock.advance(10 * KEEP_UNUSED_MS);
    expect(times()).toHaveLength(1);
    expect(wiped).toBe(SIZE - 1);
  });
});
