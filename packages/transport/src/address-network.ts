import { formatAddress } from '@matryoshka/wire';
import { canonicalBytes } from './address-class.ts';

/** How many leading bits make a network; 0: the whole family is one (R4). */
export interface NetworkBits {
  /** 0 to 32. */
  readonly ipv4Bits: number;
  /** 0 to 128. */
  readonly ipv6Bits: number;
}

/**
 * The network of an address as text, e.g. `66.171.0.0/16`: a key for limits per network. Goes by the canonical form.
 * @throws TypeError for a host name
 * @throws RangeError for a number of bits that the family does not have
 */
export function networkOf(host: string, bits: NetworkBits): string {
  checkBits('ipv4Bits', bits.ipv4Bits, 32);
  checkBits('ipv6Bits', bits.ipv6Bits, 128);
  const address = canonicalBytes(host);
  if (address === undefined) throw new TypeError(`${JSON.stringify(host)} is not an IP address`);
  const kept = address.length === 4 ? bits.ipv4Bits : bits.ipv6Bits;
  const network = address.map((byte, i) => byte & (0xff << (8 - Math.min(Math.max(kept - i * 8, 0), 8))));
  return `${formatAddress(network)}/${kept}`;
}

/**
 * Whether two addresses are in one network, by their canonical forms; never where the families differ (R4, R5).
 * @throws TypeError for a host name
 * @throws RangeError for a number of bits that the family does not have
 */
export function sameNetwork(a: string, b: string, bits: NetworkBits): boolean {
  return networkOf(a, bits) === networkOf(b, bits);
}

function checkBits(name: string, bits: number, max: number): void {
  if (!Number.isInteger(bits) || bits < 0 || bits > max) throw new RangeError(`${name} must be 0 to ${max}, not ${bits}`);
}
