import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError } from './errors.ts';
import { Reader } from './reader.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('Reader', () => {
  test('reads numbers as DataView does, big-endian', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 15, maxLength: 15 }), (input) => {
        const view = new DataView(input.buffer, input.byteOffset);
        const reader = new Reader(input);
        expect(reader.u8()).toBe(view.getUint8(0));
        expect(reader.u16()).toBe(view.getUint16(1));
        expect(reader.u32()).toBe(view.getUint32(3));
        expect(reader.u64()).toBe(view.getBigUint64(7));
        expect(reader.remaining).toBe(0);
        reader.end();
      }),
    );
  });

  test('a count ends at 2^53 - 1', () => {
    expect(new Reader(Uint8Array.fromHex('001fffffffffffff')).count()).toBe(Number.MAX_SAFE_INTEGER);
    expect(codeOf(() => new Reader(Uint8Array.fromHex('0020000000000000')).count())).toBe('wire.invalid');
    expect(codeOf(() => new Reader(Uint8Array.fromHex('ffffffffffffffff')).count())).toBe('wire.invalid');
  });

  test('short input is wire.truncated, for every kind of field, and is never clamped', () => {
    const fields: readonly [number, (reader: Reader) => unknown][] = [
      [1, (r) => r.u8()],
      [2, (r) => r.u16()],
      [4, (r) => r.u32()],
      [8, (r) => r.u64()],
      [8, (r) => r.count()],
      [9, (r) => r.bytes(9)],
      [9, (r) => r.skip(9)],
    ];
    for (const [length, read] of fields) {
      for (let have = 0; have < length; have++) {
        expect(codeOf(() => read(new Reader(new Uint8Array(have))))).toBe('wire.truncated');
      }
      expect(codeOf(() => read(new Reader(new Uint8Array(length))))).toBe('no error');
    }
  });

  test('a length that is not there is refused before anything is made of it', () => {
    expect(codeOf(() => new Reader(bytes(1)).bytes(2 ** 40))).toBe('wire.truncated');
    expect(codeOf(() => new Reader(bytes(255, 0x61)).text())).toBe('wire.truncated');
  });

  test('bytes and rest are views', () => {
    const input = bytes(1, 2, 3, 4);
    const reader = new Reader(input);
    const first = reader.bytes(2);
    const rest = reader.rest();
    input.fill(9);
    expect([...first, ...rest]).toEqual([9, 9, 9, 9]);
    expect(first.buffer).toBe(input.buffer);
  });

  test('end names what follows', () => {
    const reader = new Reader(bytes(1, 2, 3));
    reader.u8();
    expect(() => reader.end()).toThrow(
      expect.objectContaining({ code: 'wire.trailing', offset: 1, message: '2 bytes too many (at byte 1)' }),
    );
  });

  test('reset starts over on a part, and stays inside it', () => {
    const reader = new Reader().reset(bytes(1, 2, 3, 4), 1, 3);
    expect(reader.offset).toBe(1);
    expect(reader.u16()).toBe(0x0203);
    expect(codeOf(() => reader.u8())).toBe('wire.truncated');
  });

  test('an error says where', () => {
    expect(() => new Reader(bytes(1, 2, 3)).reset(bytes(1, 2, 3), 2).u32()).toThrow('4 bytes expected, 1 there (at byte 2)');
  });

  test('text must be UTF-8, and a byte order mark stays', () => {
    expect(new Reader(bytes(3, 0xe2, 0x82, 0xac)).text()).toBe('€');
    expect(new Reader(bytes(3, 0xef, 0xbb, 0xbf)).text()).toBe('\ufeff');
    for (const bad of [bytes(1, 0xff), bytes(2, 0xc0, 0x80), bytes(3, 0xed, 0xa0, 0x80), bytes(2, 0xe2, 0x82)]) {
      expect(codeOf(() => new Reader(bad).text())).toBe('wire.invalid');
    }
  });
});
