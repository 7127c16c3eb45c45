import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError } from './errors.ts';
import {
  HANDSHAKE_ANSWER_LENGTH,
  HANDSHAKE_OPENING_LENGTH,
  HANDSHAKE_REQUEST_LENGTH,
  IDENTITY_PAYLOAD_LENGTH,
  PATTERNS,
  type PatternName,
  REQUEST_PAYLOAD_LENGTH,
  SELECTOR_LENGTH,
  SUITES,
  type SuiteName,
  decodeIdentityPayload,
  decodeSelector,
  encodeIdentityPayload,
  encodeSelector,
} from './handshake-layout.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const suites = Object.keys(SUITES) as SuiteName[];
const patterns = Object.keys(PATTERNS) as PatternName[];

describe('selector', () => {
  test.each(suites.flatMap((suite) => patterns.map((pattern) => ({ suite, pattern }))))('$suite with $pattern goes there and back', (s) => {
    const out = new Uint8Array(SELECTOR_LENGTH);
    encodeSelector(new Writer(out), s);
    expect([...out]).toEqual([0x01, SUITES[s.suite], PATTERNS[s.pattern]]);
    expect(decodeSelector(new Reader(out))).toEqual(s);
  });

  test('any three bytes are a selector or session.incompatible', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 3, maxLength: 3 }), fc.boolean(), (bytes, plausible) => {
        const input = plausible ? bytes.map((byte) => byte % 4) : bytes;
        const known = input[0] === 1 && [1, 2].includes(input[1]!) && [1, 2].includes(input[2]!);
        if (known) {
          const out = new Uint8Array(3);
          encodeSelector(new Writer(out), decodeSelector(new Reader(input)));
          expect(out).toEqual(input);
        } else {
          expect(() => decodeSelector(new Reader(input))).toThrow(expect.objectContaining({ code: 'session.incompatible' }));
        }
      }),
    );
  });

  test('a short one is wire.truncated', () => {
    expect(() => decodeSelector(new Reader(Uint8Array.of(1, 1)))).toThrow(expect.objectContaining({ code: 'wire.truncated' }));
  });
});

describe('identity payload', () => {
  const proof = fc.record({
    key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    signature: fc.uint8Array({ minLength: 64, maxLength: 64 }),
  });

  test('goes there and back in one length, with and without an identity', () => {
    fc.assert(
      fc.property(fc.option(proof, { nil: undefined }), (identity) => {
        const out = new Uint8Array(IDENTITY_PAYLOAD_LENGTH).fill(0xaa);
        const writer = new Writer(out);
        encodeIdentityPayload(writer, identity);
        expect(writer.space).toBe(0);
        const reader = new Reader(out);
        expect(decodeIdentityPayload(reader)).toEqual(identity);
        reader.end();
      }),
    );
  });

  test('without an identity it is zeros, so that nothing of the buffer leaks', () => {
    const out = new Uint8Array(IDENTITY_PAYLOAD_LENGTH).fill(0xaa);
    encodeIdentityPayload(new Writer(out), undefined);
    expect(out).toEqual(new Uint8Array(IDENTITY_PAYLOAD_LENGTH));
  });

  test('an unknown flag and short input are refused', () => {
    const bytes = new Uint8Array(IDENTITY_PAYLOAD_LENGTH);
    bytes[0] = 2;
    expect(() => decodeIdentityPayload(new Reader(bytes))).toThrow(expect.objectContaining({ code: 'wire.invalid', offset: 0 }));
    for (const flag of [0, 1]) {
      bytes[0] = flag;
      for (const length of [0, 1, 32, 33, 96])
        expect(() => decodeIdentityPayload(new Reader(bytes.subarray(0, length)))).toThrow(DecodeError);
    }
  });

  test('keys and signatures of another length are the mistake of the caller', () => {
    const out = new Writer(new Uint8Array(200));
    expect(() => encodeIdentityPayload(out, { key: new Uint8Array(31), signature: new Uint8Array(64) })).toThrow(
      'identity key must have 32 bytes',
    );
    expect(() => encodeIdentityPayload(out, { key: new Uint8Array(32), signature: new Uint8Array(65) })).toThrow(
      'signature must have 64 bytes',
    );
  });
});

// docs/protocol.md §3.2: the largest pattern with the KEM fits, so that one size serves all.
describe('sizes', () => {
  const KEY = 32;
  const TAG = 16;
  const KEM_KEY = 1184;
  const KEM_CIPHERTEXT = 1088;

  test('the first message holds e and e1', () => {
    expect(SELECTOR_LENGTH + KEY + (KEM_KEY + TAG) + REQUEST_PAYLOAD_LENGTH + TAG).toBeLessThanOrEqual(HANDSHAKE_REQUEST_LENGTH);
  });

  test('the second message holds e, ekem1, s and the identity', () => {
    expect(KEY + (KEM_CIPHERTEXT + TAG) + (KEY + TAG) + IDENTITY_PAYLOAD_LENGTH + TAG).toBeLessThanOrEqual(HANDSHAKE_ANSWER_LENGTH);
  });

  test('the third message holds s and the identity, and leaves room for a first record', () => {
    expect(KEY + TAG + IDENTITY_PAYLOAD_LENGTH + TAG + TAG).toBeLessThan(HANDSHAKE_OPENING_LENGTH);
  });
});
