import { DecodeError, type DescriptorBody, MatryoshkaError } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { MAX_DESCRIPTOR_LIFETIME_MS, VerifiedDescriptor, descriptorNetworkId, signDescriptor } from './descriptor.ts';
import { networkKeyPsk } from './handshake.ts';
import { identityFromSeed } from './identity.ts';
import { portableProvider as provider } from './portable/provider.ts';

const identity = identityFromSeed(provider, new Uint8Array(32).fill(5));
const networkId = descriptorNetworkId(provider, networkKeyPsk(provider));
const unixMs = 1_700_000_000_000;
const BODY: Omit<DescriptorBody, 'identityKey'> = {
  version: 3,
  expiresUnixMs: unixMs + 3_600_000,
  networkId,
  staticKey: new Uint8Array(32).fill(7),
  staticKeyExpiresUnixMs: unixMs + 7_200_000,
  relays: true,
  bandwidthBytesPerSecond: 0,
  limits: { bytesPerSecond: 0, maxBytes: 0, maxAgeMs: 0 },
  operator: 'one',
  software: 'test',
  endpoints: [{ transport: 'tcp', host: '198.51.100.7', port: 999 }],
};

function refusal(bytes: Uint8Array, at = unixMs): string {
  try {
    VerifiedDescriptor.verify(provider, bytes, { networkId, unixMs: at });
  } catch (error) {
    return error instanceof MatryoshkaError ? error.code : String(error);
  }
  return 'taken';
}

describe('signed descriptors (docs/protocol.md §9.1)', () => {
  test('whoever signed one is who it is of', () => {
    const bytes = signDescriptor(identity, BODY);
    const descriptor = VerifiedDescriptor.verify(provider, bytes, { networkId, unixMs });
    expect(descriptor.peerId).toBe(identity.peerId);
    expect(descriptor).toMatchObject({ version: 3, body: { operator: 'one', staticKey: BODY.staticKey } });
    // What it was made of may be used again.
    bytes.fill(0);
    expect(refusal(descriptor.bytes)).toBe('taken');
  });

  test('a changed bit, and it is refused', () => {
    const bytes = signDescriptor(identity, BODY);
    for (let at = 0; at < bytes.length; at += 5) {
      const forged = bytes.slice();
      forged[at] = (forged[at] as number) ^ 1;
      expect(refusal(forged), `byte ${at}`).not.toBe('taken');
    }
    const forged = bytes.slice();
    // The static key: a circuit would be built to somebody else's.
    forged[70] = 0;
    expect(refusal(forged)).toBe('session.descriptor-forged');
  });

  test('it is good until it expires, and so is the static key in it', () => {
    const bytes = signDescriptor(identity, BODY);
    expect(refusal(bytes, unixMs + 3_599_999)).toBe('taken');
    expect(refusal(bytes, unixMs + 3_600_000)).toBe('session.descriptor-expired');
    const oldKey = signDescriptor(identity, { ...BODY, staticKeyExpiresUnixMs: unixMs });
    expect(refusal(oldKey)).toBe('session.descriptor-expired');
    const descriptor = VerifiedDescriptor.verify(provider, bytes, { networkId, unixMs });
    expect([descriptor.usableAt(unixMs), descriptor.usableAt(unixMs + 3_600_000)]).toEqual([true, false]);
  });

  test('nobody stays for longer than a week', () => {
    const until = (lifetimeMs: number): Uint8Array =>
      signDescriptor(identity, { ...BODY, expiresUnixMs: unixMs + lifetimeMs, staticKeyExpiresUnixMs: unixMs + 2 * lifetimeMs });
    expect(refusal(until(MAX_DESCRIPTOR_LIFETIME_MS))).toBe('taken');
    expect(refusal(until(MAX_DESCRIPTOR_LIFETIME_MS + 2 * 3_600_000))).toBe('session.descriptor-expired');
  });

  test('one of another network is none of ours', () => {
    const other = descriptorNetworkId(provider, networkKeyPsk(provider, new Uint8Array(16).fill(1)));
    expect(other).not.toEqual(networkId);
    expect(refusal(signDescriptor(identity, { ...BODY, networkId: other }))).toBe('session.descriptor-foreign');
  });

  test('what is no descriptor is refused as such', () => {
    expect(() => VerifiedDescriptor.verify(provider, new Uint8Array(2000), { networkId, unixMs })).toThrow(DecodeError);
  });
});
