// IPv4 (dotted decimal) and IPv6 (RFC 4291 §2.2) text and bytes; output as in RFC 5952.

const [DOT, ZERO, NINE] = [0x2e, 0x30, 0x39];

/** 4 bytes of `a.b.c.d`, or undefined. Leading zeros are refused: some would read them as octal. */
export function parseIPv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let [index, value, digits] = [0, 0, 0];
  // By characters: relays read addresses for every request.
  for (let at = 0; at <= text.length; at++) {
    const character = text.charCodeAt(at);
    if (at === text.length || character === DOT) {
      if (digits === 0 || index > 3) return undefined;
      bytes[index++] = value;
      [value, digits] = [0, 0];
    } else {
      if (character < ZERO || character > NINE || (digits > 0 && value === 0)) return undefined;
      value = 10 * value + character - ZERO;
      if (value > 255) return undefined;
      digits++;
    }
  }
  return index === 4 ? bytes : undefined;
}

/** The 16-bit groups of one side of `::`; undefined where one is not valid. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes('.')) {
      const v4 = parseIPv4(part);
      if (v4 === undefined) return undefined;
      groups.push(((v4[0] as number) << 8) | (v4[1] as number), ((v4[2] as number) << 8) | (v4[3] as number));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** 16 bytes of an IPv6 address without brackets and zone, or undefined. */
export function parseIPv6(text: string): Uint8Array | undefined {
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const left = parseGroups(sides[0] as string);
  const right = sides.length === 2 ? parseGroups(sides[1] as string) : [];
  if (left === undefined || right === undefined) return undefined;
  if (sides.length === 2 && (sides[0] as string).includes('.')) return undefined;
  const missing = 8 - left.length - right.length;
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const bytes = new Uint8Array(16);
  for (const [index, group] of [...left, ...Array.from({ length: missing }, () => 0), ...right].entries()) {
    bytes[index * 2] = group >>> 8;
    bytes[index * 2 + 1] = group;
  }
  return bytes;
}

/** 4 or 16 bytes of an address, or undefined where `text` is none (a host name). */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIPv6(text) : parseIPv4(text);
}

/** Text of 4 or 16 address bytes; the longest run of zero groups of IPv6 is shortened (RFC 5952 §4.2). */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new RangeError('an address has 4 or 16 bytes');
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[i * 2] as number) << 8) | (bytes[i * 2 + 1] as number));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > length) [start, length] = [i, run];
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  return start < 0 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}
