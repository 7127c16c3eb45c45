import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress, parseIPv4, parseIPv6 } from './address.ts';

const hex = (text: string): string | undefined => parseAddress(text)?.toHex();

/** Whether the operating system's reading of `text` is the address of `bytes`. */
function sameToNode(text: string, bytes: Uint8Array): boolean {
  const list = new BlockList();
  const groups = bytes.length === 4 ? bytes.join('.') : (bytes.toHex().match(/..../g) as string[]).join(':');
  const family = bytes.length === 4 ? 'ipv4' : 'ipv6';
  list.addAddress(groups, family);
  return list.check(text, family);
}

describe('addresses', () => {
  test.each([
    ['192.168.1.10', 'c0a8010a'],
    ['0.0.0.0', '00000000'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
    ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::ffff:129.144.52.38', '00000000000000000000ffff81903426'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ])('%s is %s', (text, expected) => {
    expect(hex(text)).toBe(expected);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '1..3.4',
    '0x7f.0.0.1',
    '+1.2.3.4',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    '12345::',
    'g::',
    '::1.2.3',
    '::1.2.3.4:5',
    '1.2.3.4::',
    'fe80::1%eth0',
    '[::1]',
  ])('%j is no address', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test('the two parsers take their own family only', () => {
    expect(parseIPv4('::1')).toBeUndefined();
    expect(parseIPv6('1.2.3.4')).toBeUndefined();
    expect(parseIPv6('')).toBeUndefined();
  });

  // RFC 5952 §4
  test.each([
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::ABCD', '2001:db8::abcd'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
  ])('%s prints as %s', (text, expected) => {
    expect(formatAddress(parseAddress(text) as Uint8Array)).toBe(expected);
  });

  test('bytes come back from their text, and the platform reads the same address in it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), sparse16()), (bytes) => {
        const text = formatAddress(bytes);
        expect(isIP(text)).toBe(bytes.length === 4 ? 4 : 6);
        expect(sameToNode(text, bytes)).toBe(true);
        expect(parseAddress(text)).toEqual(bytes);
      }),
    );
  });

  test('it accepts exactly what the platform accepts, and reads it alike', () => {
    const pieces = fc.constantFrom('0', '1', '25', '255', '256', '01', 'a', 'ffff', 'fffff', '.', '.', '.', ':', ':', ':', '::', '1.2.3.4');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 17 }).map((list) => list.join('')),
          fc.ipV4(),
          fc.ipV6(),
        ),
        (text) => {
          const bytes = parseAddress(text);
          expect(bytes !== undefined).toBe(isIP(text) !== 0);
          if (bytes !== undefined) expect(sameToNode(text, bytes)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('an address has 4 or 16 bytes', () => {
    for (const length of [0, 3, 5, 15, 17]) expect(() => formatAddress(new Uint8Array(length))).toThrow(RangeError);
  });
});

/** 16 bytes with runs of zero groups, where the shortening of RFC 5952 is decided. */
function sparse16(): fc.Arbitrary<Uint8Array> {
  const group = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }) });
  return fc
    .array(group, { minLength: 8, maxLength: 8 })
    .map((groups) => Uint8Array.from(groups.flatMap((value) => [value >>> 8, value & 0xff])));
}
