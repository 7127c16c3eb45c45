import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Tally, decodeOrder, encodeStatement, encodeOrder } from './protocol.ts';

test('an order survives the way', () => {
  for (const mode of ['count', 'acknowledge', 'echo', 'exchange'] as const) {
    expect(decodeOrder(encodeOrder({ mode, durationMs: 70_000 }))).toEqual({ mode, durationMs: 70_000 });
  }
  expect(() => decodeOrder(Uint8Array.of(9, 0, 0, 0, 0))).toThrow('no mode 9');
});

describe('a tally', () => {
  test('finds the statement behind whatever came, however it was cut', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(1e9), fc.array(fc.integer({ min: 1, max: 40 })), (back, sent, cuts) => {
        const bytes = new Uint8Array([...new Uint8Array(back), ...encodeStatement(sent, back)]);
        const tally = new Tally();
        let rest: Uint8Array = bytes;
        for (const cut of cuts) {
          const complete = tally.add(rest.subarray(0, cut));
          rest = rest.subarray(cut);
          expect(complete).toBe(rest.length === 0);
          if (complete) break;
        }
        if (rest.length > 0) expect(tally.add(rest)).toBe(true);
        tally.check(sent);
        expect(tally.bytes).toBe(back);
      }),
    );
  });

  test('notices what is lost in either direction', () => {
    const tally = new Tally();
    expect(() => tally.checkArrived()).toThrow('not said that it is done');
    tally.add(new Uint8Array(3));
    expect(tally.bytes).toBe(3);
    tally.add(encodeStatement(100, 5));
    expect(() => tally.check(101)).toThrow('101 bytes were sent, 100 came');
    expect(() => tally.check(100)).toThrow('5 bytes were sent here, 3 came');
  });
});
