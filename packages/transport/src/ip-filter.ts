import { formatAddress, parseAddress } from '@matryoshka/wire';
import { canonicalBytes, embeddedIpv4 } from './address-class.ts';

/** A network in canonical form: of IPv4 inside IPv6 the IPv4 network. */
export interface IpNetwork {
  /** 4 or 16 bytes, all behind the prefix zero. */
  readonly bytes: Uint8Array;
  /** Length of the prefix. */
  readonly prefixBits: number;
}

/**
 * Parses `10.0.0.0/8`, `2001:db8::/32` or a single address. A network of addresses that carry IPv4 ones (mapped, NAT64,
 * 6to4) is that of those (RFC 4632 §3.1).
 * @throws TypeError that quotes what is no network, and says what it may have been meant to be
 */
export function parseIpNetwork(text: string): IpNetwork {
  const [host = '', length, ...rest] = text.split('/');
  const address = parseAddress(host);
  if (address === undefined || rest.length > 0) throw fault(text, 'is no network such as 10.0.0.0/8 or 2001:db8::/32');
  const addressBits = address.length * 8;
  const prefixBits = length === undefined ? addressBits : Number(length);
  if (length !== undefined && (!/^(?:0|[1-9]\d{0,2})$/.test(length) || prefixBits > addressBits))
    throw fault(text, `is no network: the length of its prefix must be 0 to ${addressBits}`);
  const bytes = prefixOf(address, prefixBits);
  // Somebody has mistaken either the address or the length, and a filter is no place to guess.
  if (!startsWith(bytes, address, addressBits))
    throw fault(text, `has bits set behind its prefix; the network is ${formatAddress(bytes)}/${prefixBits}`);
  return canonical(text, bytes, prefixBits);
}

function canonical(text: string, bytes: Uint8Array, prefixBits: number): IpNetwork {
  const embedded = bytes.length === 16 ? embeddedIpv4(bytes) : undefined;
  if (embedded === undefined || prefixBits < embedded.prefixBits) return { bytes, prefixBits };
  const { offset } = embedded;
  const ipv4Bits = prefixBits - offset * 8;
  // A part of what one IPv4 address carries cannot be told from the rest by the canonical form. A whole address can.
  if (ipv4Bits > 32 && prefixBits < 128) throw fault(text, 'is only a part of what a single IPv4 address stands for');
  return { bytes: bytes.slice(offset, offset + 4), prefixBits: Math.min(ipv4Bits, 32) };
}

/** Many networks, asked often: one look-up for each length of prefix that there is. */
export class IpNetworks {
  readonly #networks: readonly IpNetwork[];
  readonly #keys = new Map<number, { readonly ipv4: Set<string>; readonly ipv6: Set<string> }>();

  /** @throws TypeError for a text that is no network */
  constructor(texts: readonly string[]) {
    this.#networks = texts.map(parseIpNetwork);
    for (const { bytes, prefixBits } of this.#networks) {
      let keys = this.#keys.get(prefixBits);
      if (keys === undefined) this.#keys.set(prefixBits, (keys = { ipv4: new Set(), ipv6: new Set() }));
      (bytes.length === 4 ? keys.ipv4 : keys.ipv6).add(keyOf(bytes));
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#networks.length;
  }

  /** Whether one of them has this address, by its canonical form; false for a host name. */
  has(host: string): boolean {
    const bytes = canonicalBytes(host);
    return bytes !== undefined && this.#has(bytes, bytes.length * 8);
  }

  /** Whether all addresses of `network` are in one of them or another. */
  cover({ bytes, prefixBits }: IpNetwork): boolean {
    if (this.#has(bytes, prefixBits)) return true;
    const inside = this.#networks.filter(
      (other) => other.bytes.length === bytes.length && other.prefixBits > prefixBits && startsWith(bytes, other.bytes, prefixBits),
    );
    return covered(bytes, prefixBits, inside);
  }

  /** Whether one of them with a prefix of at most so many bits has it. */
  #has(bytes: Uint8Array, maxBits: number): boolean {
    for (const [prefixBits, { ipv4, ipv6 }] of this.#keys) {
      const keys = bytes.length === 4 ? ipv4 : ipv6;
      if (prefixBits <= maxBits && keys.size > 0 && keys.has(keyOf(prefixOf(bytes, prefixBits)))) return true;
    }
    return false;
  }
}

/** Whether networks that all lie inside another one are all of it: both halves have to be. */
function covered(bytes: Uint8Array, prefixBits: number, inside: readonly IpNetwork[]): boolean {
  if (inside.length === 0 || prefixBits === bytes.length * 8) return false;
  const upper = bytes.slice();
  upper[prefixBits >> 3] = (upper[prefixBits >> 3] as number) | (0x80 >> (prefixBits & 7));
  const longer = prefixBits + 1;
  return [bytes, upper].every((half) => {
    const within = inside.filter((other) => startsWith(half, other.bytes, longer));
    return within.some((other) => other.prefixBits === longer) || covered(half, longer, within);
  });
}

/**
 * Which addresses may connect: all that are in no network of `deny`, and, where `allow` names any, in one of those. What
 * is denied stays denied, whatever allows it as well.
 */
export class IpFilter {
  readonly #allow: IpNetworks;
  readonly #deny: IpNetworks;

  /**
   * @throws TypeError for a text that is no network, and for an allowed network of which nothing is left: whoever wrote
   * that meant something else
   */
  constructor(allow: readonly string[], deny: readonly string[]) {
    this.#allow = new IpNetworks(allow);
    this.#deny = new IpNetworks(deny);
    const dead = allow.find((text) => this.#deny.cover(parseIpNetwork(text)));
    if (dead !== undefined) throw fault(dead, 'is allowed and denied as well: denying wins, and nothing of it is left');
  }

  /** Whether an address may connect. A host name may where no list names anything. */
  admits(host: string): boolean {
    return !this.#deny.has(host) && (this.#allow.size === 0 || this.#allow.has(host));
  }
}

function prefixOf(bytes: Uint8Array, prefixBits: number): Uint8Array {
  return bytes.map((byte, i) => byte & (0xff << (8 - Math.min(Math.max(prefixBits - i * 8, 0), 8))));
}

function startsWith(prefix: Uint8Array, bytes: Uint8Array, prefixBits: number): boolean {
  for (let i = 0; i * 8 < prefixBits; i++) {
    const differing = (prefix[i] as number) ^ (bytes[i] as number);
    if (differing >> Math.max(0, 8 - (prefixBits - i * 8)) !== 0) return false;
  }
  return true;
}

function keyOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function fault(text: string, what: string): TypeError {
  return new TypeError(`${JSON.stringify(text)} ${what}`);
}
