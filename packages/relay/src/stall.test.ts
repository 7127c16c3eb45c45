import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Stall } from './stall.ts';

describe('whether one end of a relay link is stalled (docs/protocol.md §8.3)', () => {
  test('it is while its session is interrupted, or one beyond; each change is told once', () => {
    const told: boolean[] = [];
    const stall = new Stall({ stallChanged: (stalled) => void told.push(stalled) });
    expect(stall.stalled).toBe(false);
    stall.carrier(true);
    stall.carrier(true);
    expect([stall.stalled, told]).toEqual([true, [true]]);
    // Both at once: still one state.
    stall.path(true);
    stall.carrier(false);
    expect([stall.stalled, told]).toEqual([true, [true]]);
    stall.path(false);
    stall.path(false);
    expect([stall.stalled, told]).toEqual([false, [true, false]]);
  });

  test('whoever is told sees the new state', () => {
    const seen: boolean[] = [];
    const stall: Stall = new Stall({ stallChanged: (stalled) => void seen.push(stalled === stall.stalled) });
    stall.path(true);
    stall.path(false);
    expect(seen).toEqual([true, true]);
  });

  test('does what two flags do, whatever is said of them', () => {
    const step = fc.tuple(fc.constantFrom('carrier' as const, 'path' as const), fc.boolean());
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const told: boolean[] = [];
        const stall = new Stall({ stallChanged: (stalled) => void told.push(stalled) });
        const flags = { carrier: false, path: false };
        const expected: boolean[] = [];
        for (const [which, stalled] of steps) {
          const before = flags.carrier || flags.path;
          flags[which] = stalled;
          stall[which](stalled);
          const after = flags.carrier || flags.path;
          if (after !== before) expected.push(after);
          expect([stall.stalled, told]).toEqual([after, expected]);
        }
      }),
    );
  });
});
