import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Tally, decodeOrder, encodeConfirmation, encodeOrder } from './protocol.ts';

test('an order survives the way', () => {
  for (const mode of ['count', 'echo', 'exchange'] as const) {
    expect(decodeOrder(encodeOrder({ mode, durationMs: 70_000 }))).toEqual({ mode, durationMs: 70_000 });
  }
  expect(() => decodeOrder(Uint8Array.of(9, 0, 0, 0, 0))).toThrow('no mode 9');
});

describe('a tally', () => {
  test('finds the confirmation behind whatever came, however it was cut', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(1e9), fc.array(fc.integer({ min: 1, max: 40 })), (back, sent, cuts) => {
        const bytes = new Uint8Array([...new Uint8Array(back).fill(7), ...encodeConfirmation(sent, back)]);
        const tally = new Tally();
        let rest: Uint8Array = bytes;
        for (const cut of cuts) {
          tally.add(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        tally.add(rest);
        expect(tally.check(sent)).toBe(back);
      }),
    );
  });

  test('notices what is lost in either direction', () => {
    const tally = new Tally();
    expect(() => tally.check(0)).toThrow('not confirmed');
    tally.add(encodeConfirmation(100, 5));
    expect(() => tally.check(101)).toThrow('101 bytes were sent, 100 came');
    expect(() => tally.check(100)).toThrow('5 bytes were sent back, 0 came');
  });
});
