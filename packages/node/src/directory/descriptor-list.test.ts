import type { MatryoshkaError } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DescriptorListReader, listEntry } from './descriptor-list.ts';

const descriptor = fc.uint8Array({ minLength: 1, maxLength: 1024 });

function refusal(run: () => void): string {
  try {
    run();
  } catch (error) {
    return (error as MatryoshkaError).code;
  }
  return 'taken';
}

describe('a list of descriptors (docs/protocol.md §9.2)', () => {
  test('comes apart in the same way however it is cut', () => {
    fc.assert(
      fc.property(fc.array(descriptor, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (list, cuts) => {
        const found: Uint8Array[] = [];
        const reader = new DescriptorListReader(5, (each) => found.push(each.slice()));
        const bytes = Buffer.concat(list.map(listEntry));
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = cuts[i % cuts.length] as number;
          reader.push(bytes.subarray(at, at + length));
          at += length;
        }
        reader.end();
        expect(found).toEqual(list);
      }),
      { numRuns: 50 },
    );
  });

  test('any bytes are taken or refused with a code of the wire', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        const code = refusal(() => {
          const reader = new DescriptorListReader(3, () => {});
          reader.push(bytes);
          reader.end();
        });
        expect(code).toMatch(/^(?:taken|wire\..*)$/);
      }),
    );
  });

  test('what is empty, too long, too many or cut off is refused', () => {
    const reader = (): DescriptorListReader => new DescriptorListReader(2, () => {});
    expect(refusal(() => reader().push(Uint8Array.of(0, 0, 1)))).toBe('wire.invalid');
    // Before anything of it is waited for.
    expect(refusal(() => reader().push(Uint8Array.of(4, 1, 1)))).toBe('wire.too-long');
    const entry = listEntry(Uint8Array.of(1));
    expect(refusal(() => reader().push(Buffer.concat([entry, entry, entry])))).toBe('wire.too-long');
    const cut = reader();
    cut.push(Uint8Array.of(0));
    expect(refusal(() => cut.end())).toBe('wire.truncated');
  });
});
