import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress } from './address.ts';
import {
  type Destination,
  type Endpoint,
  decodeEndpoint,
  encodeEndpoint,
  endpointLength,
  formatDestination,
  formatEndpoint,
  parseDestination,
  parseEndpoint,
  sameEndpoint,
} from './endpoint.ts';
import { DecodeError, MatryoshkaError } from './errors.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const ALICE = `mtk1${'q'.repeat(58)}`;
const RELAY = `mtk1${'0z'.repeat(29)}`;
const KEY = `mts1${'p9'.repeat(29)}`;

const transport = fc.constantFrom('tcp' as const, 'ws' as const, 'wss' as const);
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(formatAddress);
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatAddress);
const address = fc.oneof(ipv4, ipv6);
const hostName = fc.domain().map((name) => name.toLowerCase());
const relayPort = fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn });
const port = fc.integer({ min: 0, max: 65_535 });
const endpoint: fc.Arbitrary<Endpoint> = fc.record(
  { transport, host: fc.oneof(address, hostName), port, relayPort },
  { requiredKeys: ['transport', 'host', 'port'] },
);
const keyText = (prefix: string): fc.Arbitrary<string> =>
  fc
    .string({ unit: fc.constantFrom(...'qpzry9x8gf2tvdw0s3jn54khce6mua7l'.split('')), minLength: 58, maxLength: 58 })
    .map((body) => `${prefix}1${body}`);
const peerId = keyText('mtk');
const peer = fc.record({ peerId, staticKey: keyText('mts') }, { requiredKeys: ['peerId'] });
const destination: fc.Arbitrary<Destination> = fc.oneof(
  fc.tuple(fc.oneof(fc.constant({}), peer), endpoint).map(([named, at]) => ({ type: 'endpoint' as const, ...named, endpoint: at })),
  peer.map((named) => ({ type: 'peer' as const, ...named })),
  fc
    .tuple(peer, fc.record({ relayPeerId: peerId, relayEndpoint: endpoint }, { requiredKeys: ['relayPeerId'] }))
    .map(([named, relay]) => ({ type: 'registered' as const, ...named, ...relay })),
);

function syntaxError(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(MatryoshkaError);
    expect(error).toMatchObject({ code: 'wire.endpoint-syntax', kind: 'caller' });
    return (error as MatryoshkaError).message;
  }
  return 'no error';
}

describe('text of endpoints (R7)', () => {
  test("the seed's example prints and parses back", () => {
    const expected: Endpoint = { transport: 'tcp', host: '192.168.1.10', port: 999, relayPort: 748383123929n };
    expect(parseEndpoint('192.168.1.10:999:748383123929')).toEqual(expected);
    expect(formatEndpoint(expected)).toBe('192.168.1.10:999:748383123929');
  });

  test.each<[string, Endpoint]>([
    ['198.51.100.9:999', { transport: 'tcp', host: '198.51.100.9', port: 999 }],
    ['[2001:db8::1]:999', { transport: 'tcp', host: '2001:db8::1', port: 999 }],
    ['[2001:db8::1]:999:5', { transport: 'tcp', host: '2001:db8::1', port: 999, relayPort: 5n }],
    ['ws://198.51.100.9:80', { transport: 'ws', host: '198.51.100.9', port: 80 }],
    [
      'wss://relay.example.org:443:18446744073709551615',
      { transport: 'wss', host: 'relay.example.org', port: 443, relayPort: 0xffff_ffff_ffff_ffffn },
    ],
    ['wss://[::1]:443', { transport: 'wss', host: '::1', port: 443 }],
    ['localhost:0', { transport: 'tcp', host: 'localhost', port: 0 }],
  ])('%s', (text, expected) => {
    expect(parseEndpoint(text)).toEqual(expected);
    expect(formatEndpoint(expected)).toBe(text);
  });

  test('other spellings of one endpoint become one', () => {
    const canonical = parseEndpoint('[2001:db8::1]:999');
    expect(parseEndpoint('tcp://[2001:DB8:0:0::1]:999')).toEqual(canonical);
    expect(parseEndpoint('Relay.Example.ORG:1')).toEqual(parseEndpoint('relay.example.org:1'));
  });

  test('every endpoint parses back from its text', () => {
    fc.assert(
      fc.property(endpoint, (value) => {
        expect(parseEndpoint(formatEndpoint(value))).toEqual(value);
      }),
    );
  });

  test.each([
    ['', 'expected host:port'],
    ['192.168.1.10', 'expected host:port'],
    ['192.168.1.10:999:1:2', 'expected host:port'],
    ['2001:db8::1:999', 'IPv6 addresses in brackets'],
    ['::1:80', 'IPv6 addresses in brackets'],
    ['[::1', 'IPv6 addresses in brackets'],
    ['udp://1.2.3.4:5', 'unknown transport "udp"'],
    ['WS://1.2.3.4:5', 'unknown transport "WS"'],
    ['://1.2.3.4:5', 'unknown transport ""'],
    // Names that every object has are no transports.
    ['constructor://1.2.3.4:5', 'unknown transport "constructor"'],
    ['[2001:db8::g]:5', '"2001:db8::g" is not an IPv6 address'],
    ['[1.2.3.4]:5', '"1.2.3.4" is not an IPv6 address'],
    ['[fe80::1%eth0]:5', '"fe80::1%eth0" is not an IPv6 address'],
    ['[]:5', '"" is not an IPv6 address'],
    [':5', '"" is neither an address nor a host name'],
    ['1.2.3.256:5', '"1.2.3.256" is neither an address nor a host name'],
    ['01.2.3.4:5', '"01.2.3.4" is neither an address nor a host name'],
    ['2130706433:5', '"2130706433" is neither an address nor a host name'],
    ['0x7f000001:5', '"0x7f000001" is neither an address nor a host name'],
    ['a_b:5', '"a_b" is neither an address nor a host name'],
    ['-a.example:5', '"-a.example" is neither'],
    [`${'a'.repeat(64)}.example:5`, 'is neither an address nor a host name'],
    ['exa mple:5', '"exa mple" is neither'],
    ['1.2.3.4:', 'the port must be a number up to 65535, not ""'],
    ['1.2.3.4:65536', 'the port must be a number up to 65535, not "65536"'],
    ['1.2.3.4:-1', 'the port must be a number up to 65535, not "-1"'],
    ['1.2.3.4:5e1', 'the port must be a number up to 65535, not "5e1"'],
    ['1.2.3.4:5:', 'the relay port must be a number up to 18446744073709551615, not ""'],
    ['1.2.3.4:5:18446744073709551616', 'the relay port must be a number up to 18446744073709551615'],
    ['1.2.3.4:5:x', 'the relay port must be a number up to 18446744073709551615, not "x"'],
    ['1.2.3.4:5:0', 'the relay port must not be 0'],
  ])('%j is refused and the error names what is wrong', (text, what) => {
    const message = syntaxError(() => parseEndpoint(text));
    expect(message).toContain(what);
    expect(message).toContain(JSON.stringify(text));
  });

  test('any text parses to what prints and parses to the same, or is a syntax error', () => {
    const piece = fc.oneof(
      fc.constantFrom('tcp://', 'ws://', '1.2.3.4', '[::1]', '[', ']', ':', '80', '@', 'host', ALICE),
      fc.string({ maxLength: 3 }),
    );
    const text = fc.array(piece, { maxLength: 8 }).map((list) => list.join(''));
    fc.assert(
      fc.property(text, (value) => {
        let parsed: Destination;
        try {
          parsed = parseDestination(value);
        } catch (error) {
          expect(error).toMatchObject({ name: 'MatryoshkaError', code: 'wire.endpoint-syntax' });
          return;
        }
        expect(parseDestination(formatDestination(parsed))).toEqual(parsed);
      }),
      { numRuns: 2000 },
    );
  });

  test('host names do not take long to refuse', () => {
    const start = performance.now();
    syntaxError(() => parseEndpoint(`${'a-'.repeat(100_000)}:1`));
    syntaxError(() => parseEndpoint(`${'a.'.repeat(100_000)}1:1`));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('text of destinations (R7)', () => {
  test.each<[string, Destination]>([
    [ALICE, { type: 'peer', peerId: ALICE }],
    ['1.2.3.4:5', { type: 'endpoint', endpoint: parseEndpoint('1.2.3.4:5') }],
    [`${ALICE}@1.2.3.4:5:6`, { type: 'endpoint', peerId: ALICE, endpoint: parseEndpoint('1.2.3.4:5:6') }],
    [`${ALICE}@wss://[::1]:443`, { type: 'endpoint', peerId: ALICE, endpoint: parseEndpoint('wss://[::1]:443') }],
    [`${ALICE}+${KEY}`, { type: 'peer', peerId: ALICE, staticKey: KEY }],
    [`${ALICE}+${KEY}@1.2.3.4:5`, { type: 'endpoint', peerId: ALICE, staticKey: KEY, endpoint: parseEndpoint('1.2.3.4:5') }],
    [`${ALICE}+${KEY}@${RELAY}`, { type: 'registered', peerId: ALICE, staticKey: KEY, relayPeerId: RELAY }],
    [`${ALICE}@${RELAY}`, { type: 'registered', peerId: ALICE, relayPeerId: RELAY }],
    [`${ALICE}@${RELAY}@1.2.3.4:5`, { type: 'registered', peerId: ALICE, relayPeerId: RELAY, relayEndpoint: parseEndpoint('1.2.3.4:5') }],
    [
      `${ALICE}@${RELAY}@ws://r.example:80`,
      { type: 'registered', peerId: ALICE, relayPeerId: RELAY, relayEndpoint: parseEndpoint('ws://r.example:80') },
    ],
  ])('%s', (text, expected) => {
    expect(parseDestination(text)).toEqual(expected);
    expect(formatDestination(expected)).toBe(text);
  });

  test('every destination parses back from its text', () => {
    fc.assert(
      fc.property(destination, (value) => {
        expect(parseDestination(formatDestination(value))).toEqual(value);
      }),
    );
  });

  test.each([
    ['', 'expected a peer id or host:port'],
    [ALICE.slice(1), 'expected a peer id or host:port'],
    [`${ALICE}q`, 'expected a peer id or host:port'],
    [ALICE.replace('q', 'b'), 'expected a peer id or host:port'],
    ['mtk1abc@1.2.3.4:5', '"mtk1abc" is not a peer id'],
    ['@1.2.3.4:5', '"" is not a peer id'],
    [`${ALICE.toUpperCase()}@1.2.3.4:5`, 'is not a peer id'],
    [`${ALICE}+@1.2.3.4:5`, 'is not a peer id, nor one with a static key, peerId+staticKey'],
    [`${ALICE}+${ALICE}@1.2.3.4:5`, 'is not a peer id'],
    [`${ALICE}+${KEY}+${KEY}@1.2.3.4:5`, 'is not a peer id'],
    [`${KEY}@1.2.3.4:5`, 'is not a peer id'],
    [`${ALICE}@${RELAY}+${KEY}`, 'expected host:port'],
    [`${ALICE}@`, 'expected host:port'],
    [`${ALICE}@1.2.3.4`, 'expected host:port'],
    [`${ALICE}@mtk1abc@1.2.3.4:5`, 'expected peerId@relayPeerId@host:port'],
    [`${ALICE}@${RELAY}@1.2.3.4:5@`, 'expected peerId@relayPeerId@host:port'],
    [`${ALICE}@${RELAY}@1.2.3.4`, 'expected host:port'],
    [`${ALICE}@${RELAY}@1.2.3.4:99999`, 'the port must be a number up to 65535'],
  ])('%j is refused and the error names what is wrong', (text, what) => {
    expect(syntaxError(() => parseDestination(text))).toContain(what);
  });
});

describe('sameEndpoint', () => {
  test('compares transport, host and port, and no relay port', () => {
    const a = parseEndpoint('1.2.3.4:5:6');
    expect(sameEndpoint(a, parseEndpoint('1.2.3.4:5:7'))).toBe(true);
    for (const other of ['ws://1.2.3.4:5', '1.2.3.5:5', '1.2.3.4:6']) expect(sameEndpoint(a, parseEndpoint(other))).toBe(false);
  });
});

// docs/protocol.md §6.1
describe('endpoints on the wire', () => {
  const onWire = fc.record({ transport, host: address, port: fc.integer({ min: 1, max: 65_535 }) });

  test.each([
    ['192.168.1.10:999', '0104c0a8010a03e7'],
    ['ws://1.2.3.4:80', '0204010203040050'],
    ['wss://[2001:db8::1]:443', '030620010db800000000000000000000000101bb'],
  ])('%s is %s', (text, hex) => {
    const value = parseEndpoint(text);
    const out = new Uint8Array(endpointLength(value));
    encodeEndpoint(new Writer(out), value);
    expect(out.toHex()).toBe(hex);
    expect(decodeEndpoint(new Reader(Uint8Array.fromHex(hex)))).toEqual(value);
  });

  test('every one goes there and back in the length announced', () => {
    fc.assert(
      fc.property(onWire, (value) => {
        const out = new Uint8Array(endpointLength(value));
        const writer = new Writer(out);
        encodeEndpoint(writer, value);
        expect(writer.space).toBe(0);
        const reader = new Reader(out);
        expect(decodeEndpoint(reader)).toEqual(value);
        reader.end();
      }),
    );
  });

  test('the relay port stays behind', () => {
    const value = parseEndpoint('1.2.3.4:5:6');
    const out = new Uint8Array(endpointLength(value));
    encodeEndpoint(new Writer(out), value);
    expect(decodeEndpoint(new Reader(out))).toEqual(parseEndpoint('1.2.3.4:5'));
  });

  test('host names and port 0 do not travel', () => {
    const writer = new Writer(new Uint8Array(32));
    expect(() => endpointLength(parseEndpoint('relay.example:5'))).toThrow('only addresses travel on the wire, not relay.example');
    expect(() => encodeEndpoint(writer, parseEndpoint('relay.example:5'))).toThrow(RangeError);
    expect(() => encodeEndpoint(writer, parseEndpoint('1.2.3.4:0'))).toThrow(RangeError);
  });

  test.each([
    ['transport', '0004c0a8010a03e7', 'wire.invalid', 0],
    ['transport', '0404c0a8010a03e7', 'wire.invalid', 0],
    ['family', '0105c0a8010a03e7', 'wire.invalid', 1],
    ['port', '0104c0a8010a0000', 'wire.invalid', 6],
    ['end', '0104c0a8010a03', 'wire.truncated', 6],
    ['address', '0106c0a8010a03e7', 'wire.truncated', 2],
  ])('a wrong %s: %s is %s', (_field, hex, code, offset) => {
    expect(() => decodeEndpoint(new Reader(Uint8Array.fromHex(hex)))).toThrow(
      expect.objectContaining({ name: 'DecodeError', code, offset }),
    );
  });

  test('any bytes decode to an endpoint that encodes to them, or throw DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 22 }), fc.integer({ min: 0, max: 4 }), fc.constantFrom(4, 5, 6), (bytes, first, second) => {
        bytes.set([first, second].slice(0, bytes.length));
        const reader = new Reader(bytes);
        let value: Endpoint;
        try {
          value = decodeEndpoint(reader);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        const out = new Uint8Array(endpointLength(value));
        encodeEndpoint(new Writer(out), value);
        expect(out).toEqual(bytes.subarray(0, reader.offset));
      }),
    );
  });
});
