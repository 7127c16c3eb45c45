import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress } from '../address.ts';
import type { Endpoint } from '../endpoint.ts';
import { DecodeError } from '../errors.ts';
import { HANDSHAKE_ANSWER_LENGTH, HANDSHAKE_REQUEST_LENGTH } from '../handshake-layout.ts';
import { Reader } from '../reader.ts';
import { REASONS, type ReasonCode } from '../reasons.ts';
import { Writer } from '../writer.ts';
import { MESSAGE_HEADER_LENGTH, MessageType, isCritical } from './header.ts';
import { type Message, decodeBody, decodeMessage, encodeMessage, messageLength, messageType } from './message.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u8 = fc.integer({ min: 0, max: 0xff });
const count = fc.maxSafeNat();
const port = fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn });
const exactly = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
// Long fields of one length: filled from a seed byte, so that a thousand runs stay fast.
const filled = (length: number): fc.Arbitrary<Uint8Array> => u8.map((seed) => Uint8Array.from({ length }, (_, i) => seed + i));
const bytes = fc.oneof(fc.uint8Array({ maxLength: 64 }), filled(1200));
const reason = fc.constantFrom(...(Object.keys(REASONS) as ReasonCode[]));
const protocol = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => new TextEncoder().encode(text).length <= 255);
const endpoint: fc.Arbitrary<Endpoint> = fc.record({
  transport: fc.constantFrom('tcp' as const, 'ws' as const, 'wss' as const),
  host: fc.oneof(exactly(4), exactly(16)).map(formatAddress),
  port: fc.integer({ min: 1, max: 0xffff }),
});
const recordLength = fc.oneof(fc.constant(0), fc.integer({ min: 2048, max: 16_384 }));
const limits = fc.record({ bytesPerSecond: u32, maxBytes: count, maxAgeMs: u32 });
const destination = fc.oneof(
  fc.record({ endpoint }),
  fc.record({ peer: exactly(32) }),
  fc.record({ endpoint, peer: exactly(32) }),
  fc.record({ peer: exactly(32), relay: exactly(32) }),
  fc.record({ endpoint, peer: exactly(32), relay: exactly(32) }),
);

/** An arbitrary for each type; the compiler asks for one when a message is added. */
const MESSAGES: { readonly [T in Message['type']]: fc.Arbitrary<Omit<Extract<Message, { type: T }>, 'type'>> } = {
  'session-new': fc.record({ recordLength }),
  'session-resume': fc.record({ sessionId: exactly(16), delivered: count, proof: exactly(32) }),
  'resumed': fc.record({ delivered: count, proof: exactly(32) }),
  'resume-refused': fc.record({ reason }),
  'hello': fc.record(
    {
      relaying: fc.boolean(),
      allowance: fc.record({ requestsPerSecond: u32, burst: u32, handshakes: u16, links: u32 }),
      observed: endpoint,
      listening: fc.array(endpoint, { maxLength: 8 }),
    },
    { requiredKeys: ['relaying', 'allowance', 'listening'] },
  ),
  'acknowledge': fc.record({ delivered: count }),
  'ping': fc.record({ token: exactly(8) }),
  'pong': fc.record({ token: exactly(8) }),
  'key-update': fc.oneof(
    fc.record({ kind: fc.constantFrom('ratchet' as const, 'finish' as const) }),
    fc.record({ kind: fc.constant('request' as const), dhKey: exactly(32), kemKey: filled(1184) }),
    fc.record({ kind: fc.constant('answer' as const), dhKey: exactly(32), ciphertext: filled(1088) }),
  ),
  'goodbye': fc.record({ reason }),
  'part': fc.record({ bytes }),
  'shape': fc.record({ recordLength }),
  'cover': fc.record({ bytes }),
  'stream-open': fc.record({ streamId: u32, window: u32, protocol }),
  'stream-data': fc.record({ streamId: u32, bytes }),
  'stream-credit': fc.record({ streamId: u32, total: count }),
  'stream-end': fc.record({ streamId: u32 }),
  'stream-reset': fc.record({ streamId: u32, reason }),
  'relay-create': fc.record({
    port,
    hopsLeft: u8,
    attemptsLeft: u8,
    budgetMs: u16,
    window: u32,
    destination,
    request: filled(HANDSHAKE_REQUEST_LENGTH),
  }),
  'relay-status': fc.oneof(
    fc.record({ port, status: fc.constant('accepted' as const), window: u32, limits, answer: filled(HANDSHAKE_ANSWER_LENGTH) }),
    fc.record({ port, status: fc.constant('refused' as const), reason, retryAfterMs: u32, limits }),
    fc.record({ port, status: fc.constantFrom('stalled' as const, 'flowing' as const) }),
  ),
  'relay-data': fc.record({ port, more: fc.boolean(), bytes }),
  'relay-credit': fc.record({ port, total: count }),
  'relay-credit-return': fc.record({ port, bytes: u32 }),
  'relay-close': fc.record({ port, reason }),
  'relay-register': fc.oneof(
    fc.record({ status: fc.constantFrom('withdrawn' as const, 'asked' as const, 'taken' as const) }),
    fc.record({ status: fc.constant('refused' as const), reason, retryAfterMs: u32 }),
  ),
  'relay-meet': fc.record({ port, window: u32, token: exactly(32), request: filled(HANDSHAKE_REQUEST_LENGTH) }),
};
const types = Object.keys(MESSAGES) as Message['type'][];
const messageOf = (type: Message['type']): fc.Arbitrary<Message> => MESSAGES[type].map((fields) => ({ type, ...fields }) as Message);
const anyMessage = fc.oneof(...types.map(messageOf));

function encode(message: Message): Uint8Array {
  const out = new Uint8Array(messageLength(message));
  const writer = new Writer(out);
  encodeMessage(writer, message);
  expect(writer.space).toBe(0);
  return out;
}

function decode(input: Uint8Array): Message | undefined {
  const reader = new Reader(input);
  const message = decodeMessage(reader);
  reader.end();
  return message;
}

/** Decodes, and lets nothing through but DecodeError with a code of decoding. */
function codeOfDecoding(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    const { code, offset } = error as DecodeError;
    expect(code).toMatch(/^(?:wire|session)\./);
    expect(offset).toBeGreaterThanOrEqual(0);
    return code;
  }
  return undefined;
}

describe('every message', () => {
  test.each(types)('%s goes there and back in the length announced', (type) => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const encoded = encode(message);
        expect(encoded[0]).toBe(messageType(message));
        expect(new Reader(encoded.subarray(1)).u16()).toBe(encoded.length - MESSAGE_HEADER_LENGTH);
        expect(decode(encoded)).toEqual(message);
        expect(decodeBody(encoded[0] as number, encoded.subarray(MESSAGE_HEADER_LENGTH), 0)).toEqual(message);
      }),
    );
  });

  test('one after the other, until the padding', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 5 }), fc.nat(20), (messages, padding) => {
        const parts = messages.map(encode);
        const record = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0) + padding);
        const writer = new Writer(record);
        for (const part of parts) writer.bytes(part);
        const reader = new Reader(record);
        for (const message of messages) expect(decodeMessage(reader)).toEqual(message);
        if (padding > 0) expect(decodeMessage(reader)).toBeUndefined();
        reader.end();
      }),
    );
  });

  test.each(types)('%s cut short anywhere, or with a byte too many, is refused', (type) => {
    fc.assert(
      fc.property(messageOf(type), fc.nat(), (message, at) => {
        const encoded = encode(message);
        expect(codeOfDecoding(() => decode(encoded.subarray(0, at % encoded.length)))).toBe('wire.truncated');
        const open = message.type === 'cover' || message.type === 'part' || message.type === 'stream-data' || message.type === 'relay-data';
        const body = new Uint8Array(encoded.length - MESSAGE_HEADER_LENGTH + 1);
        body.set(encoded.subarray(MESSAGE_HEADER_LENGTH));
        expect(codeOfDecoding(() => decodeBody(encoded[0] as number, body, 0))).toBe(open ? undefined : 'wire.trailing');
      }),
    );
  });

  test.each(types)('%s with any bytes changed decodes or is refused with a code', (type) => {
    const changes = fc.array(fc.tuple(fc.nat(), u8), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(messageOf(type), changes, (message, list) => {
        const encoded = encode(message);
        for (const [at, value] of list) encoded[at % encoded.length] = value;
        codeOfDecoding(() => decode(encoded));
      }),
    );
  });

  test('any body of any type decodes to what encodes to it, or is refused with a code', () => {
    const type = fc.oneof(fc.constantFrom(...Object.values(MessageType)), u8);
    fc.assert(
      fc.property(type, fc.uint8Array({ maxLength: 80 }), (number, body) => {
        let message: Message | undefined;
        const code = codeOfDecoding(() => (message = decodeBody(number, body, 0)));
        if (code !== undefined || message === undefined) return;
        // Reasons of later versions are the one thing that is not kept.
        if (JSON.stringify(message, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).includes('"unknown"'))
          return;
        expect(encode(message).subarray(MESSAGE_HEADER_LENGTH)).toEqual(body);
      }),
      { numRuns: 3000 },
    );
  });

  test('any record decodes to its end or is refused with a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (record) => {
        const reader = new Reader(record);
        codeOfDecoding(() => {
          while (reader.remaining > 0) decodeMessage(reader);
        });
      }),
      { numRuns: 3000 },
    );
  });

  test('byte fields are views of the record', () => {
    for (const type of types) {
      for (const message of fc.sample(messageOf(type), 5)) {
        const encoded = encode(message);
        for (const value of Object.values(decode(encoded) as Message))
          if (value instanceof Uint8Array) expect(value.buffer).toBe(encoded.buffer);
      }
    }
  });
});

describe('lengths are checked first', () => {
  test.each([
    ['a body that is not there', '11ffff', 'wire.truncated'],
    ['text that is not there', '10000900000000000000ff', 'wire.truncated'],
    ['more endpoints than a hello may name', '050010000000000000000000000000000000ff', 'wire.too-long'],
    ['a ninth endpoint', '05001000000000000000000000000000000009', 'wire.too-long'],
    ['a header cut short', '1100', 'wire.truncated'],
  ])('%s', (_what, hex, code) => {
    expect(codeOfDecoding(() => decode(Uint8Array.fromHex(hex)))).toBe(code);
  });
});

// docs/protocol.md §6, written out by hand: `_` and spaces stand for nothing.
const PORT = '000000ae3f5c5599';
const TOKEN32 = '40'.repeat(32);
const REQUEST = '51'.repeat(HANDSHAKE_REQUEST_LENGTH);
const ANSWER = '52'.repeat(HANDSHAKE_ANSWER_LENGTH);
const of = (hex: string): Uint8Array => Uint8Array.fromHex(hex.replaceAll(/[ _]/g, ''));
const relayPort = 0xae3f5c5599n;

describe('layouts', () => {
  test.each<[Message, string]>([
    [{ type: 'session-new', recordLength: 0 }, '01 0002 0000'],
    [
      { type: 'session-resume', sessionId: of('10'.repeat(16)), delivered: 258, proof: of(TOKEN32) },
      `02 0038 ${'10'.repeat(16)} 0000000000000102 ${TOKEN32}`,
    ],
    [{ type: 'resumed', delivered: 2 ** 33, proof: of(TOKEN32) }, `03 0028 0000000200000000 ${TOKEN32}`],
    [{ type: 'resume-refused', reason: 'session.resume-unknown' }, '04 0002 0208'],
    [
      {
        type: 'hello',
        relaying: true,
        allowance: { requestsPerSecond: 1, burst: 2, handshakes: 3, links: 4 },
        observed: { transport: 'tcp', host: '1.2.3.4', port: 5 },
        listening: [{ transport: 'wss', host: '::1', port: 443 }],
      },
      `05 002c 03 00000001 00000002 0003 00000004 01 01_04_01020304_0005 03_06_${'00'.repeat(15)}01_01bb`,
    ],
    [
      { type: 'hello', relaying: false, allowance: { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 }, listening: [] },
      '05 0010 00 00000000 00000000 0000 00000000 00',
    ],
    [{ type: 'acknowledge', delivered: 9 }, '06 0008 0000000000000009'],
    [{ type: 'ping', token: of('0102030405060708') }, '07 0008 0102030405060708'],
    [{ type: 'pong', token: of('0102030405060708') }, '08 0008 0102030405060708'],
    [{ type: 'key-update', kind: 'ratchet' }, '09 0001 00'],
    [
      { type: 'key-update', kind: 'request', dhKey: of(TOKEN32), kemKey: of('43'.repeat(1184)) },
      `09 04c1 01 ${TOKEN32} ${'43'.repeat(1184)}`,
    ],
    [
      { type: 'key-update', kind: 'answer', dhKey: of(TOKEN32), ciphertext: of('44'.repeat(1088)) },
      `09 0461 02 ${TOKEN32} ${'44'.repeat(1088)}`,
    ],
    [{ type: 'key-update', kind: 'finish' }, '09 0001 03'],
    [{ type: 'goodbye', reason: 'shutdown' }, '0a 0002 0004'],
    [{ type: 'part', bytes: of('220fff') }, '0b 0003 220fff'],
    [{ type: 'shape', recordLength: 4096 }, '0c 0002 1000'],
    [{ type: 'stream-open', streamId: 2, window: 65_536, protocol: '/echo/1' }, '10 0010 00000002 00010000 07_2f6563686f2f31'],
    [{ type: 'stream-data', streamId: 2, bytes: of('aabb') }, '11 0006 00000002 aabb'],
    [{ type: 'stream-credit', streamId: 2, total: 300 }, '12 000c 00000002 000000000000012c'],
    [{ type: 'stream-end', streamId: 2 }, '13 0004 00000002'],
    [{ type: 'stream-reset', streamId: 2, reason: 'stream.reset' }, '14 0006 00000002 0301'],
    [
      {
        type: 'relay-create',
        port: relayPort,
        hopsLeft: 2,
        attemptsLeft: 5,
        budgetMs: 10_000,
        window: 2048,
        destination: { endpoint: { transport: 'tcp', host: '1.2.3.4', port: 5 }, peer: of(TOKEN32) },
        request: of(REQUEST),
      },
      `20 0539 ${PORT} 02 05 2710 00000800 03_01_04_01020304_0005_${TOKEN32} ${REQUEST}`,
    ],
    [
      {
        type: 'relay-create',
        port: relayPort,
        hopsLeft: 0,
        attemptsLeft: 0,
        budgetMs: 1,
        window: 2048,
        destination: { peer: of(TOKEN32), relay: of('41'.repeat(32)) },
        request: of(REQUEST),
      },
      `20 0551 ${PORT} 00 00 0001 00000800 06_${TOKEN32}_${'41'.repeat(32)} ${REQUEST}`,
    ],
    [
      {
        type: 'relay-status',
        port: relayPort,
        status: 'accepted',
        window: 4096,
        limits: { bytesPerSecond: 1000, maxBytes: 2 ** 32, maxAgeMs: 60_000 },
        answer: of(ANSWER),
      },
      `21 055d ${PORT} 00 000003e8 0000000100000000 0000ea60 00001000 ${ANSWER}`,
    ],
    [
      {
        type: 'relay-status',
        port: relayPort,
        status: 'refused',
        reason: 'relay.rate-limited',
        retryAfterMs: 250,
        limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
      },
      `21 001f ${PORT} 01 00000000 0000000000000000 00000000 0407 000000fa`,
    ],
    [{ type: 'relay-status', port: relayPort, status: 'stalled' }, `21 0009 ${PORT} 02`],
    [{ type: 'relay-status', port: relayPort, status: 'flowing' }, `21 0009 ${PORT} 03`],
    [{ type: 'relay-data', port: relayPort, more: false, bytes: of('aa') }, `22 000a ${PORT} 00 aa`],
    [{ type: 'relay-data', port: relayPort, more: true, bytes: of('') }, `22 0009 ${PORT} 01`],
    [{ type: 'relay-credit', port: relayPort, total: 2048 }, `23 0010 ${PORT} 0000000000000800`],
    [{ type: 'relay-credit-return', port: relayPort, bytes: 512 }, `24 000c ${PORT} 00000200`],
    [{ type: 'relay-close', port: relayPort, reason: 'relay.carrier-lost' }, `25 000a ${PORT} 040d`],
    [{ type: 'relay-register', status: 'withdrawn' }, '26 0001 00'],
    [{ type: 'relay-register', status: 'asked' }, '26 0001 01'],
    [{ type: 'relay-register', status: 'taken' }, '26 0001 02'],
    [{ type: 'relay-register', status: 'refused', reason: 'relay.busy', retryAfterMs: 1000 }, '26 0007 03 0408 000003e8'],
    [
      { type: 'relay-meet', port: relayPort, window: 2048, token: of(TOKEN32), request: of(REQUEST) },
      `27 052c ${PORT} 00000800 ${TOKEN32} ${REQUEST}`,
    ],
    [{ type: 'cover', bytes: of('0000') }, '81 0002 0000'],
  ])('$type', (message, hex) => {
    expect(encode(message).toHex()).toBe(of(hex).toHex());
    expect(decode(of(hex))).toEqual(message);
  });

  test('every type has a codec, and padding has none', () => {
    const numbers = types.map((type) => messageType(fc.sample(messageOf(type), 1)[0] as Message));
    expect(new Set(numbers)).toEqual(new Set(Object.values(MessageType).filter((type) => type !== MessageType.padding)));
  });
});

describe('fields with a value that is not allowed', () => {
  test.each([
    ['unknown flags of hello', '05 0010 04 00000000 00000000 0000 00000000 00', 'wire.invalid'],
    ['a listening endpoint with port 0', '05 0018 00 00000000 00000000 0000 00000000 01 01_04_01020304_0000', 'wire.invalid'],
    ['a count above 2^53 - 1', '06 0008 0020000000000000', 'wire.invalid'],
    ['a protocol that is not UTF-8', '10 000a 00000002 00010000 01_ff', 'wire.invalid'],
    ['an unknown kind of key update', '09 0001 04', 'wire.invalid'],
    ['unknown flags of relay data', `22 000a ${PORT} 02 aa`, 'wire.invalid'],
    ['an unknown relay status', `21 001f ${PORT} 04 ${'00'.repeat(22)}`, 'wire.invalid'],
    ['an unknown status of a registration', '26 0001 04', 'wire.invalid'],
    ['relay port 0 of data', '22 0009 0000000000000000 00', 'wire.invalid'],
    ['relay port 0 of credit', '23 0010 0000000000000000 0000000000000800', 'wire.invalid'],
    ['relay port 0 of credit return', '24 000c 0000000000000000 00000200', 'wire.invalid'],
    ['relay port 0 of close', '25 000a 0000000000000000 040d', 'wire.invalid'],
    ['relay port 0 of create', `20 0531 0000000000000000 ${'00'.repeat(1321)}`, 'wire.invalid'],
    ['relay port 0 of status', `21 001f 0000000000000000 ${'00'.repeat(23)}`, 'wire.invalid'],
    ['relay port 0 of meet', `27 052c 0000000000000000 ${'00'.repeat(1316)}`, 'wire.invalid'],
    ...[0x00, 0x04, 0x05, 0x08, 0x0b, 0x80].map((flags): [string, string, string] => [
      `destination flags ${flags}`,
      `20 0600 ${PORT} 02 05 2710 00000800 ${flags.toString(16).padStart(2, '0')}_01_04_01020304_0005 ${'00'.repeat(1536 - 25)}`,
      'wire.invalid',
    ]),
  ])('%s', (_what, hex, code) => {
    expect(codeOfDecoding(() => decode(of(hex)))).toBe(code);
  });

  test.each<[string, Message, string]>([
    [
      'session id',
      { type: 'session-resume', sessionId: new Uint8Array(15), delivered: 0, proof: new Uint8Array(32) },
      'session id must have 16 bytes',
    ],
    ['proof', { type: 'resumed', delivered: 0, proof: new Uint8Array(31) }, 'proof must have 32 bytes'],
    ['delivered', { type: 'acknowledge', delivered: -1 }, '-1 is not a count'],
    [
      'key of an exchange',
      { type: 'key-update', kind: 'request', dhKey: new Uint8Array(31), kemKey: new Uint8Array(1184) },
      'X25519 key must have 32 bytes',
    ],
    [
      'key of an exchange',
      { type: 'key-update', kind: 'request', dhKey: new Uint8Array(32), kemKey: new Uint8Array(1088) },
      'ML-KEM key must have 1184 bytes',
    ],
    [
      'ciphertext',
      { type: 'key-update', kind: 'answer', dhKey: new Uint8Array(32), ciphertext: new Uint8Array(1184) },
      'ML-KEM ciphertext must have 1088 bytes',
    ],
    ['token', { type: 'ping', token: new Uint8Array(7) }, 'token must have 8 bytes'],
    ['stream id', { type: 'stream-end', streamId: 2 ** 32 }, '4294967296 is not a 32-bit number'],
    ['protocol', { type: 'stream-open', streamId: 1, window: 0, protocol: 'x'.repeat(256) }, 'text above 255 bytes'],
    ['relay port', { type: 'relay-credit', port: 0n, total: 1 }, 'the relay port must not be 0'],
    ['relay port', { type: 'relay-close', port: 1n << 64n, reason: 'closed' }, '18446744073709551616 is not a 64-bit number'],
    ['body', { type: 'cover', bytes: new Uint8Array(65_536) }, '65536 is not a 16-bit number'],
    [
      'meeting token',
      { type: 'relay-meet', port: 1n, window: 0, token: new Uint8Array(8), request: new Uint8Array(HANDSHAKE_REQUEST_LENGTH) },
      'token must have 32 bytes',
    ],
    [
      'request',
      { type: 'relay-meet', port: 1n, window: 0, token: new Uint8Array(32), request: new Uint8Array(8) },
      'request must have 1280 bytes',
    ],
    [
      'answer',
      {
        type: 'relay-status',
        port: 1n,
        status: 'accepted',
        window: 0,
        limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
        answer: new Uint8Array(8),
      },
      'answer must have 1344 bytes',
    ],
    [
      'destination',
      {
        type: 'relay-create',
        port: 1n,
        hopsLeft: 0,
        attemptsLeft: 0,
        budgetMs: 0,
        window: 0,
        destination: {},
        request: new Uint8Array(HANDSHAKE_REQUEST_LENGTH),
      },
      'a relay destination is an endpoint, a peer, both, or a peer at a relay',
    ],
    [
      'number of endpoints',
      {
        type: 'hello',
        relaying: false,
        allowance: { requestsPerSecond: 0, burst: 0, handshakes: 0, links: 0 },
        listening: Array.from({ length: 9 }, () => ({ transport: 'tcp' as const, host: '1.2.3.4', port: 5 })),
      },
      'a hello names at most 8 endpoints',
    ],
  ])('one cannot send a wrong %s', (_field, message, what) => {
    const out = new Writer(new Uint8Array(70_000));
    expect(() => encodeMessage(out, message)).toThrow(RangeError);
    expect(() => encodeMessage(out, message)).toThrow(what);
  });
});

describe('types that are not known', () => {
  test('a critical one is refused and named, an optional one is skipped', () => {
    const known = new Set<number>(Object.values(MessageType));
    for (let type = 0; type < 256; type++) {
      if (known.has(type)) continue;
      const reader = new Reader(Uint8Array.of(type, 0, 2, 1, 2, MessageType.streamEnd, 0, 4, 0, 0, 0, 7));
      if (isCritical(type)) {
        expect(codeOfDecoding(() => decodeMessage(reader))).toBe('wire.unknown-critical');
      } else {
        expect(decodeMessage(reader)).toBeUndefined();
        expect(decodeMessage(reader)).toEqual({ type: 'stream-end', streamId: 7 });
      }
    }
  });
});
