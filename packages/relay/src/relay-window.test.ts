import type { Session } from '@matryoshka/peer';
import type { RecordWriter } from '@matryoshka/session';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_RELAY_WINDOW_BYTES, MIN_RELAY_WINDOW_BYTES } from './credit-pool.ts';
import { Egress } from './egress.ts';
import { Inbox } from './inbox.ts';
import { RelayWindow } from './relay-window.ts';

/** Sends messages of the given lengths through a window; returns the lengths that arrive. */
function through(window: number, lengths: readonly number[]): readonly number[] {
  const got: number[] = [];
  const pieces: { more: boolean; bytes: Uint8Array }[] = [];
  let more = false;
  const writer = {
    carriedSpace: 65_503,
    pending: false,
    relayData: (_high: number, _low: number, flag: boolean) => (more = flag),
    carried: (bytes: Uint8Array) => pieces.push({ more, bytes }),
  };
  const outbox = {
    turn: () => undefined,
    ready: () => {
      while (egress.pull(writer as unknown as RecordWriter));
    },
    remove: () => {},
    drained: () => {},
  };
  const egress: Egress = new Egress({ outbox } as unknown as Session, 1n, window, {
    consumed: () => {},
    unitSent: () => {},
    drained: () => {},
  });
  const inbox = new Inbox(window, {
    grant: (total) => egress.credited(total),
    misused: (error) => {
      throw error;
    },
  });
  for (const length of lengths) egress.lend([new Uint8Array(length)], false);
  for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift())
    inbox.data(piece.bytes, piece.more, (message) => got.push(message.length));
  return got;
}

describe('window of a relay link', () => {
  test('is announced again when half of it is used, a small one each time', () => {
    const large = new RelayWindow(8192);
    large.receive(8192);
    expect(large.consume(4095)).toBeUndefined();
    expect(large.consume(1)).toBe(12_288);
    const small = new RelayWindow(2048);
    small.receive(1);
    expect(small.consume(1)).toBe(2049);
  });

  test('never starves its sender, however small it is: any messages get through any window', () => {
    const length = fc.oneof(
      fc.integer({ min: 1, max: 65_535 }),
      fc.integer({ min: 1, max: 2100 }),
      fc.constantFrom(2047, 2048, 2049, 4095, 4096),
    );
    const window = fc.oneof(
      fc.integer({ min: MIN_RELAY_WINDOW_BYTES, max: 5000 }),
      fc.integer({ min: MIN_RELAY_WINDOW_BYTES, max: MAX_RELAY_WINDOW_BYTES }),
    );
    fc.assert(
      fc.property(window, fc.array(length, { maxLength: 12 }), (size, lengths) => {
        expect(through(size, lengths)).toEqual(lengths);
      }),
    );
  });
});
