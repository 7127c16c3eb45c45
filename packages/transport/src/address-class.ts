import { formatAddress, parseAddress } from '@matryoshka/wire';
import ipaddr from 'ipaddr.js';

/** What kind of place an address names; dial policies decide by it (R17). */
export type AddressClass = 'global' | 'loopback' | 'link-local' | 'private' | 'multicast' | 'unspecified' | 'metadata' | 'reserved';

/** IPv6 prefixes that carry an IPv4 address, and where in the 16 bytes it begins. */
const EMBEDDED_IPV4: readonly (readonly [cidr: string, offset: number])[] = [
  ['::ffff:0:0/96', 12], // IPv4-mapped, RFC 4291 §2.5.5.2
  ['::ffff:0:0:0/96', 12], // IPv4-translated, RFC 2765 §2.1
  ['64:ff9b::/96', 12], // NAT64, RFC 6052 §2.1
  ['::/96', 12], // IPv4-compatible, RFC 4291 §2.5.5.1
  ['2002::/16', 2], // 6to4, RFC 3056 §2
];
const EMBEDDING = EMBEDDED_IPV4.map(([cidr, offset]) => ({ range: ipaddr.IPv6.parseCIDR(cidr), offset }));

/** Where clouds tell a machine its secrets. */
const METADATA_HOSTS: ReadonlySet<string> = new Set([
  '169.254.169.254', // most clouds
  '169.254.170.2', // AWS, containers
  '169.254.170.23', // AWS, pods
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure
  '192.0.0.192', // Oracle
  'fd00:ec2::254', // AWS
  'fd00:ec2::23', // AWS, pods
  'fd20:ce::254', // Google
  'fe80::a9fe:a9fe', // OpenStack
]);

/** Names of the library's ranges; every other one is reserved. */
const CLASSES: Readonly<Record<string, AddressClass>> = {
  unicast: 'global',
  loopback: 'loopback',
  linkLocal: 'link-local',
  private: 'private',
  uniqueLocal: 'private',
  deprecatedSiteLocal: 'private',
  carrierGradeNat: 'private',
  multicast: 'multicast',
  broadcast: 'multicast',
  unspecified: 'unspecified',
};

// RFC 4291 §2.4 and the IANA registry: only this block is global unicast.
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');
// RFC 8215: where its IPv4 address stands is the network's own business, and so is where it leads.
const LOCAL_NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b:1::/48');

/** Where in the 16 bytes of an IPv6 address an IPv4 address begins that it carries, and how many bits say that it does. */
export function embeddedIpv4(bytes: Uint8Array): { readonly offset: number; readonly prefixBits: number } | undefined {
  const address = new ipaddr.IPv6([...bytes]);
  // `::` and `::1` are addresses of their own, no embedded ones.
  if (address.range() === 'loopback' || address.range() === 'unspecified') return undefined;
  const found = EMBEDDING.find(({ range }) => address.match(range));
  return found && { offset: found.offset, prefixBits: found.range[1] };
}

/** The bytes that checks go by: 4 or 16, an embedded IPv4 address taken out. Undefined for host names. */
export function canonicalBytes(host: string): Uint8Array | undefined {
  const bytes = parseAddress(host);
  if (bytes?.length !== 16) return bytes;
  const found = embeddedIpv4(bytes);
  return found === undefined ? bytes : bytes.subarray(found.offset, found.offset + 4);
}

/**
 * The address that checks go by, in canonical text: of an IPv4-mapped, IPv4-compatible, NAT64 (`64:ff9b::/96`) or 6to4
 * address the IPv4 address inside. Undefined for host names.
 */
export function canonicalAddress(host: string): string | undefined {
  const bytes = canonicalBytes(host);
  return bytes === undefined ? undefined : formatAddress(bytes);
}

/**
 * The class of an address, by its canonical form (R17).
 * @throws TypeError for a host name: whoever asks has to resolve it first
 */
export function addressClass(host: string): AddressClass {
  const bytes = canonicalBytes(host);
  if (bytes === undefined) throw new TypeError(`${JSON.stringify(host)} is not an IP address`);
  if (METADATA_HOSTS.has(formatAddress(bytes))) return 'metadata';
  const address = bytes.length === 4 ? new ipaddr.IPv4([...bytes]) : new ipaddr.IPv6([...bytes]);
  if (address.kind() === 'ipv6' && address.match(LOCAL_NAT64)) return 'private';
  const name = CLASSES[address.range()] ?? 'reserved';
  return name === 'global' && address.kind() === 'ipv6' && !address.match(GLOBAL_IPV6) ? 'reserved' : name;
}
