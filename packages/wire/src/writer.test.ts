import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Reader } from './reader.ts';
import { Writer, textLength } from './writer.ts';

const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => new TextEncoder().encode(value).length <= 255);

// Each kind of field: values, how it is written, how it is read, and its length.
const field = fc.oneof(
  fc.record({ kind: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
  fc.record({ kind: fc.constant('u16' as const), value: fc.integer({ min: 0, max: 0xffff }) }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  fc.record({ kind: fc.constant('u64' as const), value: u64 }),
  fc.record({ kind: fc.constant('count' as const), value: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('text' as const), value: text }),
  fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 40 }) }),
);
type Field = typeof field extends fc.Arbitrary<infer T> ? T : never;

const FIXED_LENGTHS = { u8: 1, u16: 2, u32: 4, u64: 8, count: 8 };

function lengthOf(item: Field): number {
  if (item.kind === 'text') return textLength(item.value);
  return item.kind === 'bytes' ? item.value.length : FIXED_LENGTHS[item.kind];
}

function write(writer: Writer, item: Field): void {
  switch (item.kind) {
    case 'u64':
      writer.u64(item.value);
      break;
    case 'text':
      writer.text(item.value);
      break;
    case 'bytes':
      writer.bytes(item.value);
      break;
    case 'u8':
    case 'u16':
    case 'u32':
    case 'count':
      writer[item.kind](item.value);
      break;
    default:
      item satisfies never;
  }
}

function read(reader: Reader, item: Field): unknown {
  return item.kind === 'bytes' ? reader.bytes(item.value.length) : reader[item.kind]();
}

describe('Writer', () => {
  test('what it writes the reader reads back, field by field, in the length announced', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (items) => {
        const length = items.reduce((sum, item) => sum + lengthOf(item), 0);
        const out = new Uint8Array(length);
        const writer = new Writer(out);
        for (const item of items) write(writer, item);
        expect(writer.offset).toBe(length);
        expect(writer.space).toBe(0);
        const reader = new Reader(out);
        for (const item of items) expect(read(reader, item)).toEqual(item.value);
        reader.end();
      }),
    );
  });

  test('numbers are big-endian', () => {
    const out = new Uint8Array(23);
    new Writer(out).u8(0x01).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0fn).count(0x1112131415161);
    expect(out.toHex()).toBe('0102030405060708090a0b0c0d0e0f0001112131415161');
  });

  test('it never writes past the end it was given', () => {
    fc.assert(
      fc.property(field, fc.nat(60), (item, room) => {
        fc.pre(room < lengthOf(item));
        const out = new Uint8Array(room + 50);
        expect(() => write(new Writer().reset(out, 0, room), item)).toThrow(RangeError);
        expect(out.subarray(room).every((byte) => byte === 0)).toBe(true);
      }),
    );
  });

  test('a number out of its range is a RangeError, not another number', () => {
    const writer = (): Writer => new Writer(new Uint8Array(16));
    for (const value of [-1, 0.5, Number.NaN, Infinity, 2 ** 60]) {
      expect(() => writer().u8(value)).toThrow(RangeError);
      expect(() => writer().u16(value)).toThrow(RangeError);
      expect(() => writer().u32(value)).toThrow(RangeError);
      expect(() => writer().count(value)).toThrow(RangeError);
    }
    expect(() => writer().u8(0x100)).toThrow('256 is not an 8-bit number');
    expect(() => writer().u16(0x1_0000)).toThrow('65536 is not a 16-bit number');
    expect(() => writer().u32(0x1_0000_0000)).toThrow('4294967296 is not a 32-bit number');
    expect(() => writer().count(2 ** 53)).toThrow('9007199254740992 is not a count');
    for (const value of [-1n, 1n << 64n]) expect(() => writer().u64(value)).toThrow(RangeError);
  });

  test('text ends at 255 bytes of UTF-8, not 255 characters', () => {
    const out = new Uint8Array(300);
    expect(new Writer(out).text('é'.repeat(127)).offset).toBe(255);
    expect(() => new Writer(out).text('é'.repeat(128))).toThrow('text above 255 bytes');
  });

  test('fixed refuses another length and names the field', () => {
    const out = new Uint8Array(8);
    expect(new Writer(out).fixed(new Uint8Array(8), 8, 'token').space).toBe(0);
    expect(() => new Writer(out).fixed(new Uint8Array(7), 8, 'token')).toThrow(new RangeError('token must have 8 bytes, not 7'));
  });

  test('skip leaves bytes, zeros clears them, reset starts over on a part', () => {
    const out = new Uint8Array(6).fill(7);
    new Writer().reset(out, 1, 5).skip(1).zeros(2).u8(1);
    expect([...out]).toEqual([7, 7, 0, 0, 1, 7]);
  });
});
