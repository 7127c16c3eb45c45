import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressClass, canonicalAddress } from './address-class.ts';

const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));

function groups(v4: readonly number[]): string {
  const [a, b, c, d] = v4 as [number, number, number, number];
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

describe('canonicalAddress', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2606:4700:0:0::1', '2606:4700::1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::ffff:7f00:1', '127.0.0.1'],
    ['::ffff:0:7f00:1', '127.0.0.1'],
    ['::127.0.0.1', '127.0.0.1'],
    ['64:ff9b::a9fe:a9fe', '169.254.169.254'],
    ['2002:0a00:0001::5', '10.0.0.1'],
    ['::', '::'],
    ['::1', '::1'],
  ])('of %s is %s', (host, expected) => {
    expect(canonicalAddress(host)).toBe(expected);
  });

  test('of a host name does not exist', () => {
    expect(canonicalAddress('example.org')).toBeUndefined();
    expect(canonicalAddress('010.0.0.1')).toBeUndefined();
  });

  test('takes any IPv4 address out of its carriers', () => {
    fc.assert(
      fc.property(octets, (v4) => {
        const text = v4.join('.');
        const carriers = [`::ffff:${text}`, `64:ff9b::${text}`, `2002:${groups(v4)}::1`];
        expect(carriers.map(canonicalAddress)).toEqual([text, text, text]);
        expect(carriers.map(addressClass)).toEqual(Array.from({ length: 3 }, () => addressClass(text)));
      }),
    );
  });
});

describe('addressClass (R17)', () => {
  test.each([
    ['66.171.45.90', 'global'],
    ['2606:4700::1', 'global'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['10.0.0.1', 'private'],
    ['172.31.0.1', 'private'],
    ['192.168.1.10', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12::1', 'private'],
    ['fec0::1', 'private'],
    ['64:ff9b:1::a00:1', 'private'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['169.254.169.254', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['fd00:ec2:0::254', 'metadata'],
    ['::ffff:169.254.169.254', 'metadata'],
    ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['240.0.0.1', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['2001::1', 'reserved'],
    ['1000::1', 'reserved'],
  ])('%s is %s', (host, expected) => {
    expect(addressClass(host)).toBe(expected);
  });

  test('refuses host names', () => {
    expect(() => addressClass('localhost')).toThrow(TypeError);
  });
});
