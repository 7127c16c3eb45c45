import { MAX_OWN_PLAINTEXT_LENGTH, MAX_PLAINTEXT_LENGTH } from '@matryoshka/session';
import { seededRandom } from '@matryoshka/simulation';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paddedLength, padme } from './padding.ts';
import type { Padding } from './traffic-settings.ts';

const lengths = fc.integer({ min: 1, max: MAX_PLAINTEXT_LENGTH });

describe('Padmé', () => {
  test.each([
    [1, 1],
    [2, 2],
    [9, 10],
    [16, 16],
    [17, 18],
    [100, 104],
    [1000, 1024],
    [1025, 1088],
    [4080, 4096],
    [65_535, 65_536],
  ])('%i becomes %i', (length, padded) => {
    expect(padme(length)).toBe(padded);
  });

  test('grows by 12 % at most, never shrinks, keeps order, and leaves alone what it made', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), fc.integer({ min: 0, max: 1000 }), (length, more) => {
        const padded = padme(length);
        expect(padded).toBeGreaterThanOrEqual(length);
        expect(padded).toBeLessThanOrEqual(length * 1.12);
        expect(padme(padded)).toBe(padded);
        expect(padme(length + more)).toBeGreaterThanOrEqual(padded);
      }),
    );
  });

  test('leaves few sizes of all there are', () => {
    const sizes = new Set(
      Array.from({ length: MAX_OWN_PLAINTEXT_LENGTH }, (_, i) => paddedLength({ kind: 'padme' }, i + 1, seededRandom(1))),
    );
    expect(sizes.size).toBeLessThan(170);
  });
});

describe('padding', () => {
  const policies = fc.constantFrom<Padding>(
    { kind: 'none' },
    { kind: 'random', maxBytes: 0 },
    { kind: 'random', maxBytes: 65_535 },
    { kind: 'padme' },
    { kind: 'constant', recordLength: 2048 },
    { kind: 'constant', recordLength: 16_384 },
  );

  test('never cuts anything off, and stays within what a session may put into a record', () => {
    fc.assert(
      fc.property(policies, lengths, fc.integer(), (policy, length, seed) => {
        const padded = paddedLength(policy, length, seededRandom(seed));
        expect(padded).toBeGreaterThanOrEqual(length);
        expect(padded).toBeLessThanOrEqual(Math.max(length, MAX_OWN_PLAINTEXT_LENGTH));
      }),
    );
  });

  test('constant: all of one length, tag included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4080 }), (length) => {
        expect(paddedLength({ kind: 'constant', recordLength: 4096 }, length, seededRandom(1))).toBe(4080);
      }),
    );
  });

  test('random: every number of bytes is as likely', () => {
    const random = seededRandom(7);
    const seen = Array.from({ length: 5 }, () => 0);
    for (let i = 0; i < 5000; i++) seen[paddedLength({ kind: 'random', maxBytes: 4 }, 100, random) - 100]!++;
    for (const count of seen) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
