import { formatAddress } from '@matryoshka/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalBytes } from './address-class.ts';
import { IpFilter, IpNetworks, parseIpNetwork } from './ip-filter.ts';

const text = ({ bytes, prefixBits }: ReturnType<typeof parseIpNetwork>): string => `${formatAddress(bytes)}/${prefixBits}`;

describe('a network', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['::/0', '::/0'],
    ['::1', '::1/128'],
    // What carries IPv4 counts as IPv4.
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['64:ff9b::192.0.2.7', '192.0.2.7/32'],
    ['2002:0a00::/24', '10.0.0.0/8'],
    ['2002:0a00:0001::/48', '10.0.0.1/32'],
    // What is wider than that does not.
    ['2000::/3', '2000::/3'],
  ])('%s is %s', (given, expected) => {
    expect(text(parseIpNetwork(given))).toBe(expected);
  });

  test.each([
    ['', '"" is no network such as 10.0.0.0/8 or 2001:db8::/32'],
    ['example.org', '"example.org" is no network'],
    ['10.0.0.0/', 'must be 0 to 32'],
    ['10.0.0.0/33', 'must be 0 to 32'],
    ['10.0.0.0/-1', 'must be 0 to 32'],
    ['10.0.0.0/08', 'must be 0 to 32'],
    ['10.0.0.0/8 ', 'must be 0 to 32'],
    ['10.0.0.0/8/8', 'is no network'],
    ['10/8', 'is no network'],
    ['010.0.0.0/8', 'is no network'],
    ['2001:db8::/129', 'must be 0 to 128'],
    ['fe80::1%eth0/64', 'is no network'],
    ['10.1.2.3/8', '"10.1.2.3/8" has bits set behind its prefix; the network is 10.0.0.0/8'],
    ['2001:db8::1/32', 'the network is 2001:db8::/32'],
    ['2002:0a00:0001:5::/64', 'is only a part of what a single IPv4 address stands for'],
  ])('%j is none', (given, expected) => {
    expect(() => parseIpNetwork(given)).toThrow(TypeError);
    expect(() => parseIpNetwork(given)).toThrow(expected);
  });
});

describe('a filter', () => {
  test('without lists admits everybody, host names too', () => {
    const filter = new IpFilter([], []);
    expect(['192.0.2.1', '2001:db8::1', 'example.org'].map((host) => filter.admits(host))).toEqual([true, true, true]);
  });

  test('admits what is allowed, and of that not what is denied', () => {
    const filter = new IpFilter(['10.0.0.0/8', '2001:db8::/32'], ['10.9.0.0/16']);
    const hosts = ['10.1.2.3', '10.9.2.3', '11.1.2.3', '2001:db8::7', '2001:db9::7', 'example.org'];
    expect(hosts.map((host) => filter.admits(host))).toEqual([true, false, false, true, false, false]);
  });

  test('with only a deny list admits all others', () => {
    const filter = new IpFilter([], ['192.0.2.0/24']);
    expect(['192.0.2.1', '192.0.3.1', '2001:db8::1'].map((host) => filter.admits(host))).toEqual([false, true, true]);
  });

  test('goes by the IPv4 address inside an IPv6 one, whichever way it is written', () => {
    const filter = new IpFilter([], ['127.0.0.0/8']);
    const disguises = ['::ffff:127.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', '127.0.0.1'];
    expect(disguises.map((host) => filter.admits(host))).toEqual([false, false, false, false, false]);
    expect(filter.admits('::ffff:128.0.0.1')).toBe(true);
  });

  test.each([
    ['the same network in both lists', ['10.0.0.0/8'], ['10.0.0.0/8'], '10.0.0.0/8'],
    ['the same in another form', ['::ffff:10.0.0.0/104'], ['10.0.0.0/8'], '::ffff:10.0.0.0/104'],
    ['one inside another that is denied', ['192.0.2.0/24', '10.1.0.0/16'], ['10.0.0.0/8'], '10.1.0.0/16'],
    ['one of which both halves are denied', ['10.0.0.0/8'], ['10.128.0.0/9', '10.0.0.0/10', '10.64.0.0/10'], '10.0.0.0/8'],
    ['all, where all is denied', ['0.0.0.0/0'], ['0.0.0.0/1', '128.0.0.0/1'], '0.0.0.0/0'],
  ])('says so when nothing is left of what is allowed: %s', (_what, allow, deny, named) => {
    expect(() => new IpFilter(allow, deny)).toThrow(`"${named}" is allowed and denied as well`);
  });

  test('takes what is denied in part only', () => {
    expect(new IpFilter(['10.0.0.0/8'], ['10.128.0.0/9', '10.0.0.0/10', '10.64.0.0/11']).admits('10.96.0.1')).toBe(true);
    expect(new IpFilter(['::/0'], ['0.0.0.0/0']).admits('2001:db8::1')).toBe(true);
  });
});

// A few bits only, so that networks often contain each other.
const address = fc.oneof(
  fc.nat(15).map((n) => `${n << 4}.0.0.0`),
  fc.nat(15).map((n) => `${((n << 12) | 0x2000).toString(16)}::`),
);
const network = fc
  .tuple(address, fc.nat(6))
  .map(([host, length]) => {
    const bytes = canonicalBytes(host) as Uint8Array;
    const kept = bytes.map((byte, i) => (i === 0 ? byte & (0xff << (8 - length)) : 0));
    return `${formatAddress(kept)}/${length}`;
  })
  .filter((text) => !text.startsWith('::'));

/** Bit by bit, slowly. */
function inside(host: string, network: string): boolean {
  const bits = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const [base = '', length] = network.split('/');
  const [a, b] = [canonicalBytes(host) as Uint8Array, canonicalBytes(base) as Uint8Array];
  return a.length === b.length && bits(a).startsWith(bits(b).slice(0, Number(length)));
}

describe('many networks', () => {
  test('have an address if one of them has it', () => {
    fc.assert(
      fc.property(fc.array(network), address, (networks, host) => {
        expect(new IpNetworks(networks).has(host)).toBe(networks.some((one) => inside(host, one)));
      }),
    );
  });

  test('cover a network if they have all of its addresses', () => {
    const all = Array.from({ length: 64 }, (_, n) => `${n << 2}.0.0.0`);
    const ipv4 = network.filter((one) => one.includes('.'));
    fc.assert(
      fc.property(fc.array(ipv4), ipv4, (networks, one) => {
        const members = all.filter((host) => inside(host, one));
        const expected = members.every((host) => networks.some((other) => inside(host, other)));
        expect(new IpNetworks(networks).cover(parseIpNetwork(one))).toBe(expected);
      }),
    );
  });

  test('ten thousand of them are asked as fast as one', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    const networks = new IpNetworks(many);
    const begun = performance.now();
    for (let i = 0; i < 10_000; i++) networks.has('192.0.2.1');
    expect(performance.now() - begun).toBeLessThan(1000);
    expect([networks.has('10.39.15.1'), networks.has('10.39.16.1')]).toEqual([true, false]);
  });
});
