import { describe, expect, test } from 'vitest';
import { type Plan, drawPlan } from './plan.ts';
import { type Played, play } from './play.ts';

// Small plans of the shapes there are, so that it does not take long.
const SIDE = { length: 20_000, maxChunk: 5000, pauseChance: 0.1, maxPauses: 3, maxPauseMs: 20, stopChance: 0.1 };
const small: Plan = {
  seed: 11,
  nodes: 4,
  paths: [{ a: 0, b: 1, conditions: { latencyMs: [5, 30], bytesPerSecond: 500_000 } }],
  timersLateMs: 2,
  suite: 'chacha20poly1305',
  realCrypto: false,
  relayMemoryBytes: 16 * 1024 * 1024,
  traffic: ['private', 'standard', 'plain', 'private'],
  reshapes: [{ atMs: 200, of: { connection: 1 }, traffic: 'standard' }],
  connections: [
    { from: 0, to: 1, way: { kind: 'direct' }, traffic: undefined },
    { from: 0, to: 3, way: { kind: 'relayed', hops: 3 }, traffic: undefined },
    { from: 3, to: 0, way: { kind: 'telescoped', path: [2, 1] }, traffic: undefined },
  ],
  transfers: [0, 1, 2].flatMap((connection) => [
    { connection, reverse: false, startMs: 0, opener: SIDE, server: SIDE },
    { connection, reverse: true, startMs: 100, opener: SIDE, server: { ...SIDE, length: 0 } },
  ]),
  faults: [],
};
const played = (changes: Partial<Plan> = {}): Promise<Played> => play({ ...small, ...changes }, { watchBlocks: true });

describe('a plan that is played', () => {
  test('keeps every promise where nothing breaks', async () => {
    expect(await played()).toMatchObject({ faults: 0, violations: [] });
    expect(await played({ suite: 'aes256gcm' })).toMatchObject({ violations: [] });
    expect(await played({ realCrypto: true })).toMatchObject({ violations: [] });
  });

  test('is the same each time, bit for bit, and not for another seed', async () => {
    const first = await played();
    expect(first.steps).toBeGreaterThan(300);
    await played({ seed: 99 });
    expect(await played()).toEqual(first);
    expect((await played({ seed: 12 })).trace).not.toBe(first.trace);
  });

  test('is the same each time with whatever faults, too', async () => {
    let faults = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const plan = drawPlan(seed, { maxFaults: 4 });
      const once = await play(plan, { watchBlocks: true });
      faults += once.faults;
      expect(await play(plan, { watchBlocks: true })).toEqual(once);
    }
    expect(faults).toBeGreaterThan(5);
  });

  test('tells what hangs', async () => {
    // The two ends of the direct connection never hear each other again.
    const { violations, faults } = await played({
      connections: [{ from: 0, to: 1, way: { kind: 'direct' }, traffic: undefined }],
      transfers: [{ connection: 0, reverse: false, startMs: 2000, opener: SIDE, server: SIDE }],
      faults: [{ kind: 'partition', atMs: 500, nodes: [0], durationMs: Number.POSITIVE_INFINITY }],
    });
    expect(faults).toBe(1);
    expect(violations.join('\n')).toMatch(/stream 0|unfinished/);
  });
});
