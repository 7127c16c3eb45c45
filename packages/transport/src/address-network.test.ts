import { formatAddress } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networkOf, sameNetwork } from './address-network.ts';

const DEFAULT_BITS = { ipv4Bits: 16, ipv6Bits: 48 };
const addressBytes = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
// 0x2600 and up carries no IPv4 address.
const plainAddress = addressBytes.map((bytes) => (bytes.length === 16 ? Uint8Array.of(0x26, ...bytes.subarray(1)) : bytes));

/** The slow reference: all leading bits are equal. */
function sameBits(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const text = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return text(a).slice(0, bits) === text(b).slice(0, bits);
}

describe('networkOf', () => {
  test.each([
    ['66.171.45.90', DEFAULT_BITS, '66.171.0.0/16'],
    ['66.171.45.90', { ipv4Bits: 20, ipv6Bits: 48 }, '66.171.32.0/20'],
    ['66.171.45.90', { ipv4Bits: 32, ipv6Bits: 48 }, '66.171.45.90/32'],
    ['66.171.45.90', { ipv4Bits: 0, ipv6Bits: 48 }, '0.0.0.0/0'],
    ['2606:4700:1:2::3', DEFAULT_BITS, '2606:4700:1::/48'],
    ['::ffff:66.171.45.90', DEFAULT_BITS, '66.171.0.0/16'],
    ['2002:42ab:2d5a::1', DEFAULT_BITS, '66.171.0.0/16'],
  ])('of %s', (host, bits, expected) => {
    expect(networkOf(host, bits)).toBe(expected);
  });

  test('refuses host names and impossible numbers of bits', () => {
    expect(() => networkOf('example.org', DEFAULT_BITS)).toThrow(TypeError);
    expect(() => networkOf('10.0.0.1', { ipv4Bits: 33, ipv6Bits: 48 })).toThrow(RangeError);
    expect(() => networkOf('10.0.0.1', { ipv4Bits: 16, ipv6Bits: 1.5 })).toThrow(RangeError);
  });
});

describe('sameNetwork (R4)', () => {
  test("tells the seed's three networks apart (R5)", () => {
    const hosts = ['201.1.157.11', '66.171.45.90', '180.30.30.20'];
    for (const a of hosts) for (const b of hosts) expect(sameNetwork(a, b, DEFAULT_BITS)).toBe(a === b);
    expect(sameNetwork('201.1.157.11', '201.1.0.1', DEFAULT_BITS)).toBe(true);
  });

  test('with 0 bits the whole family is one network', () => {
    const bits = { ipv4Bits: 0, ipv6Bits: 0 };
    expect(sameNetwork('1.2.3.4', '200.2.3.4', bits)).toBe(true);
    expect(sameNetwork('2606::1', '2a00::1', bits)).toBe(true);
    expect(sameNetwork('1.2.3.4', '2a00::1', bits)).toBe(false);
  });

  test('compares leading bits, and nothing across families', () => {
    fc.assert(
      fc.property(plainAddress, plainAddress, fc.nat(32), fc.nat(128), (a, b, ipv4Bits, ipv6Bits) => {
        const bits = a.length === 4 ? ipv4Bits : ipv6Bits;
        const expected = a.length === b.length && sameBits(a, b, bits);
        expect(sameNetwork(formatAddress(a), formatAddress(b), { ipv4Bits, ipv6Bits })).toBe(expected);
      }),
    );
  });

  test('holds between an address and itself with any bits behind the prefix changed', () => {
    fc.assert(
      fc.property(plainAddress, fc.nat(128), fc.nat(127), (a, length, flip) => {
        const bits = Math.min(length, a.length * 8);
        const position = flip % (a.length * 8);
        const b = a.slice();
        b[position >>> 3] = (b[position >>> 3] as number) ^ (0x80 >>> (position & 7));
        const networkBits = { ipv4Bits: Math.min(bits, 32), ipv6Bits: bits };
        expect(sameNetwork(formatAddress(a), formatAddress(b), networkBits)).toBe(position >= bits);
      }),
    );
  });
});
