import { MessageType, type MatryoshkaError } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PartAssembly } from './part-assembly.ts';

function message(type: number, bodyLength: number): Uint8Array {
  return Uint8Array.from({ length: 3 + bodyLength }, (_, i) => [type, bodyLength >> 8, bodyLength & 0xff][i] ?? i * 7);
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as MatryoshkaError).code;
  }
}

describe('parts of messages', () => {
  test('are joined, wherever they were cut, one message after the other', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 4000 }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 12_000 }), cuts), { minLength: 1, maxLength: 4 }), (list) => {
        const assembly = new PartAssembly();
        for (const [length, pieces] of list) {
          const whole = message(MessageType.relayData, length);
          let at = 0;
          let got: Uint8Array | undefined;
          for (const piece of [...pieces, 20_000]) {
            if (at === whole.length) break;
            expect(got).toBeUndefined();
            const next = Math.min(whole.length, at + (at === 0 ? Math.max(3, piece) : piece));
            got = assembly.add(whole.subarray(at, next));
            at = next;
            expect(assembly.assembling).toBe(at < whole.length);
          }
          expect(Buffer.compare(got as Uint8Array, whole)).toBe(0);
        }
      }),
    );
  });

  test.each([
    ['nothing', Uint8Array.of()],
    ['half a header', Uint8Array.of(MessageType.relayData, 0)],
    ['a message that does not come again', message(MessageType.ping, 8)],
    ['a key update', message(MessageType.keyUpdate, 1)],
    ['a part', message(MessageType.part, 100).subarray(0, 10)],
    ['padding', Uint8Array.of(0, 0, 0)],
    ['more than its message', Uint8Array.of(...message(MessageType.relayData, 4), 1)],
  ])('%s is refused as a first part', (_what, bytes) => {
    expect(codeOf(() => new PartAssembly().add(bytes))).toBe('session.unexpected');
  });

  test('more than was missing, and a part of nothing, are refused', () => {
    const begun = (): PartAssembly => {
      const assembly = new PartAssembly();
      expect(assembly.add(message(MessageType.relayData, 10).subarray(0, 5))).toBeUndefined();
      return assembly;
    };
    expect(codeOf(() => begun().add(new Uint8Array(9)))).toBe('session.unexpected');
    expect(codeOf(() => begun().add(new Uint8Array(0)))).toBe('session.unexpected');
  });
});
