import { MAX_MESSAGE_LENGTH } from '@matryoshka/transport';
import type { MatryoshkaError } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Reassembly } from './reassembly.ts';

const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as MatryoshkaError).code;
  }
};

describe('reassembly', () => {
  test('a message that came whole is not copied', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(new Reassembly().add(bytes, false)).toBe(bytes);
  });

  test('any split joins to the same messages', () => {
    const message = fc.record({ length: fc.integer({ min: 1, max: 20_000 }), cuts: fc.array(fc.nat(), { maxLength: 6 }) });
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), (messages) => {
        const reassembly = new Reassembly();
        for (const [index, { length, cuts }] of messages.entries()) {
          const bytes = Uint8Array.from({ length }, (_, i) => (i + index * 17) & 255);
          const ends = [...new Set([...cuts.map((cut) => 1 + (cut % length)), length])].toSorted((a, b) => a - b);
          let start = 0;
          let joined: Uint8Array | undefined;
          for (const end of ends) {
            expect(joined).toBeUndefined();
            joined = reassembly.add(bytes.slice(start, end), end < length);
            start = end;
          }
          expect(Buffer.compare(joined as Uint8Array, bytes)).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('65,535 bytes are a message, one byte more is refused', () => {
    const reassembly = new Reassembly();
    reassembly.add(new Uint8Array(40_000), true);
    expect(reassembly.add(new Uint8Array(25_535), false)?.length).toBe(MAX_MESSAGE_LENGTH);
    reassembly.add(new Uint8Array(MAX_MESSAGE_LENGTH), true);
    expect(codeOf(() => reassembly.add(Uint8Array.of(1), false))).toBe('relay.protocol');
    expect(codeOf(() => new Reassembly().add(new Uint8Array(MAX_MESSAGE_LENGTH + 1), false))).toBe('relay.protocol');
  });

  test('after release() it begins anew', () => {
    const reassembly = new Reassembly();
    reassembly.add(Uint8Array.of(1, 2), true);
    reassembly.release();
    expect(reassembly.add(Uint8Array.of(3), false)).toEqual(Uint8Array.of(3));
  });
});
