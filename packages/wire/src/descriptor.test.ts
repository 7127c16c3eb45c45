import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress } from './address.ts';
import { type DescriptorBody, MAX_DESCRIPTOR_LENGTH, decodeDescriptor, encodeDescriptorBody, joinDescriptor } from './descriptor.ts';
import { DecodeError, MatryoshkaError } from './errors.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const count = fc.maxSafeNat();
const u32 = fc.nat({ max: 0xffff_ffff });
const text = fc.string({ maxLength: 20, unit: 'grapheme' }).filter((each) => new TextEncoder().encode(each).length <= 63);
const endpoint = fc.record({
  transport: fc.constantFrom('tcp' as const, 'ws' as const, 'wss' as const),
  host: fc.oneof(bytes(4), bytes(16)).map(formatAddress),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const descriptor: fc.Arbitrary<DescriptorBody> = fc.record({
  identityKey: bytes(32),
  version: count,
  expiresUnixMs: count,
  networkId: bytes(16),
  staticKey: bytes(32),
  staticKeyExpiresUnixMs: count,
  relays: fc.boolean(),
  bandwidthBytesPerSecond: count,
  limits: fc.record({ bytesPerSecond: u32, maxBytes: count, maxAgeMs: u32 }),
  operator: text,
  software: text,
  endpoints: fc.array(endpoint, { maxLength: 8 }),
});

const SAMPLE: DescriptorBody = {
  identityKey: new Uint8Array(32).fill(1),
  version: 7,
  expiresUnixMs: 1_800_000_000_000,
  networkId: new Uint8Array(16).fill(2),
  staticKey: new Uint8Array(32).fill(3),
  staticKeyExpiresUnixMs: 1_800_000_000_000,
  relays: true,
  bandwidthBytesPerSecond: 125_000_000,
  limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
  operator: 'example.net',
  software: 'matryoshka 1',
  endpoints: [{ transport: 'tcp', host: '198.51.100.7', port: 999 }],
};
const SIGNATURE = new Uint8Array(64).fill(9);
const sample = (changes: Partial<DescriptorBody> = {}): Uint8Array =>
  joinDescriptor(encodeDescriptorBody({ ...SAMPLE, ...changes }), SIGNATURE);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof MatryoshkaError ? error.code : (error as Error).name;
  }
  return 'taken';
}

describe('descriptors (docs/protocol.md §9.1)', () => {
  test('what is written is read back, within 1,024 bytes', () => {
    fc.assert(
      fc.property(descriptor, bytes(64), (body, signature) => {
        const signed = encodeDescriptorBody(body);
        const encoded = joinDescriptor(signed, signature);
        expect(encoded.length).toBeLessThanOrEqual(MAX_DESCRIPTOR_LENGTH);
        expect(decodeDescriptor(encoded)).toEqual({ ...body, signed, signature });
      }),
    );
  });

  test('any bytes are read or refused with a code of the wire', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1100 }), fc.tuple(fc.nat(400), fc.nat(255)).map(mutated)), (input) => {
        try {
          decodeDescriptor(input);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  test('every field lies where the specification says', () => {
    const encoded = sample();
    const view = new DataView(encoded.buffer);
    expect(encoded[0]).toBe(0x01);
    expect(encoded.subarray(1, 33)).toEqual(SAMPLE.identityKey);
    expect(view.getBigUint64(33)).toBe(7n);
    expect(view.getBigUint64(41)).toBe(1_800_000_000_000n);
    expect(encoded.subarray(49, 65)).toEqual(SAMPLE.networkId);
    expect(encoded.subarray(65, 97)).toEqual(SAMPLE.staticKey);
    expect(view.getBigUint64(97)).toBe(1_800_000_000_000n);
    expect(encoded[105]).toBe(0x01);
    expect(view.getBigUint64(106)).toBe(125_000_000n);
    expect(encoded[130]).toBe('example.net'.length);
    expect(encoded.subarray(-64)).toEqual(SIGNATURE);
  });

  test.each<[string, Uint8Array, string]>([
    ['longer than 1,024 bytes', new Uint8Array(1025), 'wire.too-long'],
    ['cut off', sample().subarray(0, 100), 'wire.truncated'],
    ['a byte too many', joinDescriptor(Uint8Array.of(...encodeDescriptorBody(SAMPLE), 0), SIGNATURE), 'wire.trailing'],
    ['another format', changed(0, 2), 'wire.invalid'],
    ['flags that mean nothing', changed(105, 3), 'wire.invalid'],
    ['a version beyond 2^53', changed(33, 0xff), 'wire.invalid'],
    ['an operator of 64 bytes', changed(130, 64), 'wire.too-long'],
    ['nine endpoints', changed(encodeDescriptorBody(SAMPLE).length - 9, 9), 'wire.too-long'],
    ['an operator that is not UTF-8', changed(131, 0xff), 'wire.invalid'],
  ])('%s is refused', (_what, input, code) => {
    // Too long a text may also run into the end of what there is.
    expect([code, 'wire.truncated']).toContain(refusal(() => decodeDescriptor(input)));
  });

  test('what nobody could read is not written', () => {
    expect(refusal(() => sample({ operator: 'x'.repeat(64) }))).toBe('RangeError');
    expect(refusal(() => sample({ staticKey: new Uint8Array(31) }))).toBe('RangeError');
    expect(refusal(() => sample({ endpoints: Array.from({ length: 9 }, () => SAMPLE.endpoints[0]!) }))).toBe('RangeError');
    expect(refusal(() => sample({ endpoints: [{ transport: 'tcp', host: 'example.net', port: 1 }] }))).toBe('RangeError');
    expect(refusal(() => joinDescriptor(new Uint8Array(10), new Uint8Array(63)))).toBe('RangeError');
  });
});

function changed(at: number, value: number): Uint8Array {
  const encoded = sample();
  encoded[at] = value;
  return encoded;
}

function mutated([at, value]: [number, number]): Uint8Array {
  return changed(at, value);
}
